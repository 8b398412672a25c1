using BulkImporter.Parse;
using static BulkImporter.Cli.Options;

namespace BulkImporter.Cli;

/// <summary><c>findings ID</c>: what was found in an import's manifest.</summary>
internal static class FindingsVerb
{
    public static Verb Of(Surroundings surroundings)
    {
        var id = ImportId();
        var output = OutputFile.Option("Write all of them as CSV into this file, for a spreadsheet; - for standard output");
        var (limit, after) = (Limit(), After());
        return new ClientVerb(surroundings, "findings",
            "List the findings in an import's manifest: row, line, code and what to do about it.",
            ["BulkImporter findings 7", "BulkImporter findings 7 -o findings.csv",
                "BulkImporter findings 7 --json | jq -r '.items[].code' | sort | uniq -c"],
            [id, output, limit, after],
            async call =>
            {
                var path = $"imports/{call.Get(id)}/findings";
                if (call.Get(output) is not { } name)
                    return await call.ListAsync<FindingView>(path + Query.Of(("limit", call.Get(limit)), ("after", call.Get(after))),
                        ["row", "line", "severity", "code", "column", "value", "what to do"],
                        finding => [$"{finding.Row}", $"{finding.Line}", finding.Severity, finding.Code, finding.Column, finding.Value,
                            finding.Hint], "Nothing was found.");
                var file = OutputFile.At(name);
                await call.DownloadAsync(path + "?format=csv", file);
                call.Note($"Wrote {file.Name}.");
                return ExitCode.Done;
            },
            refuses: result => [result.Given(result.Command.Options.Where(o => o == output || o.Name == "--json")) == 2
                ? "--output writes CSV; give it or --json, not both." : null]);
    }
}
