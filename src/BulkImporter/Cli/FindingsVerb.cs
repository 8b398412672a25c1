using System.CommandLine;
using System.Globalization;
using BulkImporter.Data;
using BulkImporter.Parse;
using Spectre.Console;

namespace BulkImporter.Cli;

/// <summary><c>findings ID</c>: what was found in an import's manifest.</summary>
internal sealed class FindingsVerb : ClientVerb
{
    private readonly Argument<int> id = ImportId();
    private readonly Option<string?> output =
        OutputFile.Option("Write all of them as CSV into this file, for a spreadsheet; - for standard output");
    private readonly Option<int> limit = LimitOption();
    private readonly Option<string?> after = AfterOption();

    public FindingsVerb(Surroundings surroundings)
        : base(surroundings, "findings", "List what was found in an import's manifest: row, line, code and what to do about it.",
            "BulkImporter findings 7", "BulkImporter findings 7 -o findings.csv",
            "BulkImporter findings 7 --json | jq -r '.items[].code' | sort | uniq -c")
    {
        TakesFromServer(id, output, limit, after, Json);
        Validators.Add(result =>
        {
            if (result.GetResult(output) is { Implicit: false } && result.GetResult(Json) is { Implicit: false })
                result.AddError("--output writes CSV; give it or --json, not both.");
        });
    }

    protected override async Task<int> RunAsync(ParseResult line, ImporterApi api, CancellationToken cancellationToken)
    {
        var path = $"imports/{line.GetValue(id)}/findings";
        if (line.GetValue(output) is { } name)
        {
            var file = OutputFile.At(name);
            await file.WriteAsync(bytes => api.DownloadAsync(path + "?format=csv", bytes, cancellationToken), Surroundings,
                cancellationToken);
            Surroundings.Error.WriteLine($"Wrote {file.Name}.");
            return ExitCode.Done;
        }

        var query = Query.Of(("limit", line.GetValue(limit).ToString(CultureInfo.InvariantCulture)), ("after", line.GetValue(after)));
        var page = await api.GetAsync<Page<FindingView>>(path + query, cancellationToken);
        if (line.GetValue(Json))
        {
            Surroundings.Output.WriteLine(page.Json);
            return ExitCode.Done;
        }

        if (page.Value.Items.Count == 0)
        {
            Surroundings.Error.WriteLine("Nothing was found.");
            return ExitCode.Done;
        }

        var table = ImportPicture.TableOf(Surroundings, "row", "line", "severity", "code", "column", "value", "what to do");
        foreach (var finding in page.Value.Items)
        {
            table.AddRow(
                new Text(finding.Row.ToString(CultureInfo.InvariantCulture)),
                new Text(finding.Line.ToString(CultureInfo.InvariantCulture)), new Text(finding.Severity),
                new Text(finding.Code), new Text(Wording.Plain(finding.Column)), new Text(Wording.Plain(finding.Value)),
                new Text(Wording.Plain(finding.Hint)));
        }

        Surroundings.Screen.Write(table);
        if (page.Value.Next is { } next)
            Surroundings.Error.WriteLine($"There are more: --after {next}");
        return ExitCode.Done;
    }
}
