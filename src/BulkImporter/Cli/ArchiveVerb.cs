using System.CommandLine;
using BulkImporter.Export;

namespace BulkImporter.Cli;

/// <summary><c>archive ID</c>: all that is known of an import, in one file.</summary>
internal sealed class ArchiveVerb : ClientVerb
{
    private readonly Argument<int> id = ImportId();
    private readonly Option<string?> output =
        OutputFile.Option("Where to write; the file appears whole or not at all; - for standard output [import-ID.zip]");

    public ArchiveVerb(Surroundings surroundings)
        : base(surroundings, "archive",
            "Write all that is known of an import that has ended into a ZIP file, and verify it: manifest, results, records, attempts, "
                + "findings, audit. It holds source addresses as they are, signatures included.",
            "BulkImporter archive 7", "BulkImporter archive 7 -o spring.zip && BulkImporter delete 7 --yes") =>
        TakesFromServer(id, output);

    protected override async Task<int> RunAsync(ParseResult line, ImporterApi api, CancellationToken cancellationToken)
    {
        var file = OutputFile.At(line.GetValue(output) ?? $"import-{line.GetValue(id)}.zip");
        await file.WriteAsync(bytes => api.DownloadAsync($"imports/{line.GetValue(id)}/archive", bytes, cancellationToken), Surroundings,
            cancellationToken);
        if (file.IsRegular)
        {
            await using var written = new FileStream(file.Name, FileMode.Open, FileAccess.Read, FileShare.Read, 128 * 1024,
                FileOptions.Asynchronous);
            Surroundings.Output.WriteLine($"Wrote {file.Name}: {await VerifyVerb.VerifyAsync(file.Name, written, cancellationToken)}");
        }
        else
        {
            Surroundings.Error.WriteLine($"Wrote {file.Name}, which cannot be read again: check what arrives with BulkImporter verify.");
        }

        return ExitCode.Done;
    }
}

/// <summary><c>verify FILE</c>: whether an archive is whole and unchanged, on this machine.</summary>
internal sealed class VerifyVerb : Verb
{
    private readonly Argument<InputFile> file = InputFile.Argument("An archive that `BulkImporter archive` wrote");

    public VerifyVerb(Surroundings surroundings)
        : base("verify",
            "Check on this machine that an archive is whole and unchanged, by the SHA-256 of everything in it. Without BulkImporter: "
                + "unzip it, then sha256sum -c SHA256SUMS.", "BulkImporter verify import-7.zip")
    {
        Takes(file);
        SetAction(async (line, cancellationToken) =>
        {
            var archive = line.GetRequiredValue(file);
            await using var bytes = await archive.OpenWholeAsync(surroundings, cancellationToken);
            surroundings.Output.WriteLine(await VerifyAsync(archive.Name, bytes, cancellationToken));
            return ExitCode.Done;
        });
    }

    public static async Task<string> VerifyAsync(string name, Stream bytes, CancellationToken cancellationToken)
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
