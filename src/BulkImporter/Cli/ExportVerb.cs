using System.CommandLine;

namespace BulkImporter.Cli;

/// <summary><c>export ID</c>: the result file.</summary>
internal sealed class ExportVerb : ClientVerb
{
    private readonly Argument<int> id = ImportId();
    private readonly Option<FileInfo?> output = new("--output", "-o") { HelpName = "FILE", Description = "Where to write; the file appears whole or not at all [standard output]" };
    private readonly Option<string?> state = StateOption("Only records in this state");
    private readonly Option<string?> code = CodeOption();
    private readonly Option<string> format = new("--format") { HelpName = "csv|jsonl|map", Description = "The kind of file; map is url,rid,status_id of the rows that have an asset", DefaultValueFactory = _ => "csv" };

    private readonly Option<bool> findings = new("--findings") { Description = "What was found in the manifest, instead of the results" };

    public ExportVerb(Surroundings surroundings)
        : base(surroundings, "export", "Write the results: every original column, and what became of the row. The file can be submitted again as it is.",
            "BulkImporter export 7 -o results.csv", "BulkImporter export 7 --state failed -o to-fix.csv", "BulkImporter export 7 --format jsonl | jq .import_rid", "BulkImporter export 7 --format map -o old-url-to-asset.csv",
            "BulkImporter export 7 --findings -o findings.csv")
    {
        format.AcceptOnlyFromAmong("csv", "jsonl", "map");
        TakesFromServer(id, output, state, code, format, findings);
        Validators.Add(result =>
        {
            if (result.GetValue(findings) && new Option[] { state, code, format }.Any(o => result.GetResult(o) is { Implicit: false }))
                result.AddError("--findings takes no --state, --code or --format: it is all that was found in the manifest, as CSV.");
        });
    }

    protected override async Task<int> RunAsync(ParseResult line, ImporterApi api, CancellationToken cancellationToken)
    {
        var path = line.GetValue(findings)
            ? $"imports/{line.GetValue(id)}/findings?format=csv"
            : $"imports/{line.GetValue(id)}/results" + Query.Of(("format", line.GetValue(format)), ("state", line.GetValue(state)), ("code", line.GetValue(code)));
        if (line.GetValue(output) is { } file)
        {
            await SaveAsync(api, path, file.FullName, cancellationToken);
            Surroundings.Error.WriteLine($"Wrote {file.FullName}.");
            return ExitCode.Done;
        }

        await using var bytes = Surroundings.OutputBytes();
        await api.DownloadAsync(path, bytes, cancellationToken);
        return ExitCode.Done;
    }

    /// <summary>Writes beside <paramref name="fileName"/> and renames at the end, so that nobody ever reads half a result.</summary>
    public static async Task SaveAsync(ImporterApi api, string path, string fileName, CancellationToken cancellationToken)
    {
        var partial = $"{fileName}.{Path.GetRandomFileName()}.part";
        try
        {
            await using (var file = new FileStream(partial, FileMode.CreateNew, FileAccess.Write, FileShare.None, 128 * 1024, FileOptions.Asynchronous))
            {
                await api.DownloadAsync(path, file, cancellationToken);
                file.Flush(flushToDisk: true);
            }

            File.Move(partial, fileName, overwrite: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new VerbFailure(ExitCode.Failed, $"{fileName} cannot be written: {e.Message}");
        }
        finally
        {
            // Deleting what is not there is fine; in a folder that is not there it is not.
            if (File.Exists(partial))
                File.Delete(partial);
        }
    }
}
