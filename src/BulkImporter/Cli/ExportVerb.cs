using System.CommandLine;
using BulkImporter.Data;
using BulkImporter.Manifests;

namespace BulkImporter.Cli;

/// <summary><c>export ID</c>: the result file.</summary>
internal sealed class ExportVerb : ClientVerb
{
    private readonly Argument<int> id = ImportId();
    private readonly Option<string?> output = OutputFile.Option("Where to write; the file appears whole or not at all [standard output]");
    private readonly SelectionOptions selection = new();
    private readonly Option<string?> format = new("--format")
    {
        HelpName = string.Join('|', EnumText<FileFormat>.All),
        Description = "The kind of file [as the manifest is]"
    };

    private readonly Option<bool> findings = new("--findings") { Description = "What was found in the manifest, instead of the results" };

    public ExportVerb(Surroundings surroundings)
        : base(surroundings, "export",
            "Write the results: every original column, and what became of the row. The file can be submitted again as it is.",
            "BulkImporter export 7 -o results.csv", "BulkImporter export 7 --state failed -o to-fix.csv",
            "BulkImporter export 7 --format jsonl | jq .import_rid",
            "BulkImporter export 7 --findings -o findings.csv")
    {
        format.AcceptOnlyFromAmong([.. EnumText<FileFormat>.All]);
        TakesFromServer([id, output, .. selection.All, format, findings]);
        Validators.Add(result =>
        {
            if (result.GetValue(findings) && selection.All.Append(format).Any(o => result.GetResult(o) is { Implicit: false }))
                result.AddError("--findings takes no selection and no --format: it is all that was found in the manifest, as CSV.");
        });
    }

    protected override async Task<int> RunAsync(ParseResult line, ImporterApi api, CancellationToken cancellationToken)
    {
        var path = line.GetValue(findings)
            ? $"imports/{line.GetValue(id)}/findings?format=csv"
            : $"imports/{line.GetValue(id)}/results" + Query.Of([("format", line.GetValue(format)), .. selection.Arguments(line)]);
        var file = OutputFile.At(line.GetValue(output) ?? "-");
        await file.WriteAsync(bytes => api.DownloadAsync(path, bytes, cancellationToken), Surroundings, cancellationToken);
        if (line.GetValue(output) is not null) Surroundings.Error.WriteLine($"Wrote {file.Name}.");
        return ExitCode.Done;
    }
}
