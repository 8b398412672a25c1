using System.CommandLine;
using System.Globalization;
using BulkImporter.Api;
using BulkImporter.Parse;

namespace BulkImporter.Cli;

/// <summary><c>rerun ID</c>: new attempts for a selection.</summary>
internal sealed class RerunVerb : ClientVerb
{
    private readonly Argument<int> id = ImportId();
    private readonly SelectionOptions selection = new("Records in this state [failed]");
    private readonly Option<bool> push = new("--push")
    {
        Description =
            "The server reads the files and sends them from now on, instead of Cincopa fetching them: for sources that Cincopa cannot "
                + "reach. Rows that are invalid only for this are included"
    };
    private readonly Option<InputFile?> file =
        InputFile.Option("--file",
            "Correct rows first: a manifest whose rows replace address or metadata of failed, invalid and duplicate ones, by import_row "
                + "or reference id; only these are sent again");
    private readonly Option<string?> map = new("--map")
    { HelpName = "MAPPING", Description = "Which column of --file is what: url=OriginalURL,caption=Title" };
    private readonly Option<string?> encoding = new("--encoding")
    { HelpName = "ENCODING", Description = "Of --file: windows-1252, or empty to go by the file's beginning" };
    private readonly Option<string?> sheet = new("--sheet")
    { HelpName = "NAME", Description = "Of --file: the sheet to read, if several sheets of a workbook have rows" };
    private readonly Option<bool> check = new("--check")
    { Description = "Say what --file would change and what it could not, and change nothing" };

    public RerunVerb(Surroundings surroundings)
        : base(surroundings, "rerun",
            "Send records again that failed, or a selection. Imported records are sent again only where --arrival selects what differs "
                + "from what was expected.",
            "BulkImporter rerun 7                                all failed records",
            "BulkImporter rerun 7 --code source_timeout",
            "BulkImporter rerun 7 --code source_forbidden --push    what Cincopa could not fetch is sent by the server",
            "BulkImporter rerun 7 --record 12 --record 31",
            "BulkImporter rerun 7 --file fixed.csv              the rows of a corrected export",
            "BulkImporter rerun 7 --file fixed.csv --check      what that would change",
            "BulkImporter rerun 7 --state unknown                may import twice what Cincopa did receive",
            "BulkImporter rerun 7 --state duplicate              send rows that were left out as duplicates",
            "BulkImporter rerun 7 --arrival size_differs         make other assets; those that differ stay in Cincopa")
    {
        TakesFromServer([id, .. selection.All, push, file, map, encoding, sheet, check, Json]);
        Validators.Add(result =>
        {
            if (selection.All.Append(file).Count(o => result.GetResult(o) is { Implicit: false }) > 1)
                result.AddError(
                    $"Give one of {string.Join(", ", selection.All.Select(o => o.Name))} and --file: exactly one says which "
                        + "records are rerun.");
            if (result.GetResult(file) is not { Implicit: false }
                && new Option[] { map, encoding, sheet, check }.Any(o => result.GetResult(o) is { Implicit: false }))
                result.AddError("--map, --encoding, --sheet and --check need --file.");
            if (result.GetValue(push) && result.GetResult(file) is { Implicit: false })
                result.AddError("--push works with a selection. In a corrections file, use the column transfer.");
        });
    }

    protected override async Task<int> RunAsync(ParseResult line, ImporterApi api, CancellationToken cancellationToken)
    {
        if (line.GetValue(file) is { } corrections) return await CorrectAsync(line, corrections, api, cancellationToken);
        var chosen = selection.IsGiven(line) ? selection.Of(line) : new SelectionBody("failed", null, null, null);
        var order = new RerunOrder(chosen.State, chosen.Code, chosen.RecordIds, chosen.Search, chosen.StalledMinutes, chosen.Finish,
            chosen.Undo, chosen.Arrival, line.GetValue(push) ? true : null);
        var answer = await api.SendAsync<RerunBody>(HttpMethod.Post, $"imports/{line.GetValue(id)}/rerun", order, cancellationToken);
        if (line.GetValue(Json))
        {
            Surroundings.Output.WriteLine(answer.Json);
        }
        else
        {
            Surroundings.Output.WriteLine(
                $"{Wording.Count(answer.Value.Rerun, "record", "records")} will be sent again, "
                    + $"{Wording.Count(answer.Value.Refused, "was", "were")} not changed.");
            if (chosen.Arrival is not null && answer.Value.Rerun > 0)
                Surroundings.Output.WriteLine("  The assets that they had stay in Cincopa. Delete them there when the new ones are right.");
            foreach (var refused in answer.Value.Refusals)
                Surroundings.Output.WriteLine(
                    $"  {Wording.Number(refused.Count)} {Wording.Of(refused.State)}: {Wording.Plain(refused.Reason)}");
            if (answer.Value.Rerun > 0)
                Surroundings.Output.WriteLine(
                    string.Create(CultureInfo.InvariantCulture, $"Follow them with: BulkImporter show {line.GetValue(id)} --watch"));
        }

        return answer.Value is { Rerun: 0, Refused: > 0 } ? ExitCode.Refused : ExitCode.Done;
    }

    private async Task<int> CorrectAsync(ParseResult line, InputFile corrections, ImporterApi api, CancellationToken cancellationToken)
    {
        var answer = await corrections.ReadAsync(async () =>
        {
            await using var bytes = corrections.Open(Surroundings);
            using var content = new StreamContent(bytes);
            content.Headers.ContentType = new("text/csv");
            return await api.UploadAsync<CorrectionReport>($"imports/{line.GetValue(id)}/corrections"
                + Query.Of(("map", line.GetValue(map)), ("encoding", line.GetValue(encoding)),
                    ("sheet", line.GetValue(sheet)), ("check", line.GetValue(check) ? "true" : null)), content, cancellationToken);
        });

        if (line.GetValue(Json))
        {
            Surroundings.Output.WriteLine(answer.Json);
        }
        else
        {
            Surroundings.Output.WriteLine(
                line.GetValue(check)
                    ? $"{Wording.Count(answer.Value.Corrected, "row", "rows")} would be corrected, "
                        + $"{Wording.Number(answer.Value.Refused)} would not."
                    : $"{Wording.Count(answer.Value.Corrected, "row was", "rows were")} corrected, "
                        + $"{Wording.Count(answer.Value.Refused, "was", "were")} not changed.");
            foreach (var row in answer.Value.Rows.Where(r => r.Outcome != "corrected"))
                Surroundings.Output.WriteLine(string.Create(CultureInfo.InvariantCulture,
                    $"  line {row.Line}{(row.Row is { } number ? $", row {number}" : "")}: {row.Outcome}. {Wording.Plain(row.Message)}"));
            if (answer.Value.Corrected > 0 && !line.GetValue(check))
                Surroundings.Output.WriteLine(
                    string.Create(CultureInfo.InvariantCulture, $"Follow them with: BulkImporter show {line.GetValue(id)} --watch"));
        }

        return answer.Value is { Corrected: 0, Refused: > 0 } ? ExitCode.Refused : ExitCode.Done;
    }
}
