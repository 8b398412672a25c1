using BulkImporter.Export;
using static BulkImporter.Cli.Options;

namespace BulkImporter.Cli;

/// <summary>
/// <c>archive ID</c>: all that is known of an import, in one file; and <c>verify FILE</c>: whether that is whole and unchanged.
/// </summary>
internal static class ArchiveVerb
{
    public static Verb Of(Surroundings surroundings)
    {
        var id = ImportId();
        var output = OutputFile.Option("Where to write, completely or not at all; - for standard output [import-ID.zip]");
        return new ClientVerb(surroundings, "archive",
            "Write everything known about an import that has ended to a ZIP file, and verify it: manifest, results, records, attempts, "
                + "findings, audit. It contains source URLs as they are, signatures included.",
            ["BulkImporter archive 7", "BulkImporter archive 7 -o spring.zip && BulkImporter delete 7 --yes"], [id, output],
            async call =>
            {
                var file = OutputFile.At(call.Get(output) ?? $"import-{call.Get(id)}.zip");
                await call.DownloadAsync($"imports/{call.Get(id)}/archive", file);
                if (!file.IsRegular)
                {
                    call.Note($"Wrote {file.Name}, which cannot be read again: check what arrives with BulkImporter verify.");
                    return ExitCode.Done;
                }

                await using var written = new FileStream(file.Name, FileMode.Open, FileAccess.Read, FileShare.Read, 128 * 1024,
                    FileOptions.Asynchronous);
                call.Say($"Wrote {file.Name}: {await VerifyAsync(file.Name, written, call.CancellationToken)}");
                return ExitCode.Done;
            },
            answers: false);
    }

    public static Verb Verify(Surroundings surroundings)
    {
        var file = InputFile.Argument("An archive that `BulkImporter archive` wrote");
        var verb = new Verb("verify",
            "Check on this machine that an archive is whole and unchanged, by the SHA-256 of everything in it. Without BulkImporter: unzip "
                + "it, then sha256sum -c SHA256SUMS.", "BulkImporter verify import-7.zip").Takes(file);
        verb.SetAction(async (line, cancellationToken) =>
        {
            var archive = line.GetRequiredValue(file);
            await using var bytes = await archive.OpenWholeAsync(surroundings, cancellationToken);
            surroundings.Output.WriteLine(await VerifyAsync(archive.Name, bytes, cancellationToken));
            return ExitCode.Done;
        });
        return verb;
    }

    private static async Task<string> VerifyAsync(string name, Stream bytes, CancellationToken cancellationToken)
    {
        try
        {
            var archive = await VerifyArchive.RunAsync(bytes, cancellationToken);
            return $"import {archive.ImportId}, {Wording.Plain(archive.Name)}: {Wording.Count(archive.Records, "record", "records")} and "
                + $"{Wording.Count(archive.Files, "file", "files")}, whole and unchanged.";
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new VerbFailure(ExitCode.Failed, $"{name} cannot be read: {e.Message}");
        }
        catch (InvalidDataException e)
        {
            throw new VerbFailure(ExitCode.Failed, $"{name} is not what was archived. {e.Message}");
        }
    }
}
