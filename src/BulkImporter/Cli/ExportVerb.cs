using BulkImporter.Manifests;
using static BulkImporter.Cli.Options;

namespace BulkImporter.Cli;

/// <summary><c>export ID</c>: the result file.</summary>
internal static class ExportVerb
{
    public static Verb Of(Surroundings surroundings)
    {
        var id = ImportId();
        var output = OutputFile.Option();
        var selection = new SelectionOptions();
        var format = Choice<FileFormat>("--format", "The format of the file [the manifest's]");
        var findings = Flag("--findings", "The findings in the manifest, instead of the results");
        return new ClientVerb(surroundings, "export",
            "Write the results: every original column, and the result of each row. The file can be submitted again as it is.",
            ["BulkImporter export 7 -o results.csv", "BulkImporter export 7 --state failed -o to-fix.csv",
                "BulkImporter export 7 --format jsonl | jq .import_rid", "BulkImporter export 7 --findings -o findings.csv"],
            [id, output, .. selection.All, format, findings],
            async call =>
            {
                var file = OutputFile.At(call.Get(output) ?? "-");
                await call.DownloadAsync($"imports/{call.Get(id)}/" + (call.Get(findings)
                    ? "findings?format=csv"
                    : "results" + Query.Of([("format", call.Get(format)), .. selection.Arguments(call.Line)])), file);
                if (call.Get(output) is not null) call.Note($"Wrote {file.Name}.");
                return ExitCode.Done;
            },
            answers: false,
            refuses: result => [result.GetValue(findings) && result.Given([.. selection.All, format]) > 0
                ? "--findings takes no selection and no --format: it is all that was found in the manifest, as CSV." : null]);
    }
}
