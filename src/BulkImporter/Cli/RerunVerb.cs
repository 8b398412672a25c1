using BulkImporter.Api;
using BulkImporter.Parse;
using static BulkImporter.Cli.Options;

namespace BulkImporter.Cli;

/// <summary><c>rerun ID</c>: new attempts for a selection.</summary>
internal static class RerunVerb
{
    public static Verb Of(Surroundings surroundings)
    {
        var id = ImportId();
        var selection = new SelectionOptions("Records in this state [failed]");
        var push = Flag("--push",
            "The server reads the files and sends them from now on, instead of Cincopa fetching them: for sources that Cincopa cannot "
                + "reach. Rows that are invalid only for this are included");
        var file = InputFile.Option("--file",
            "Correct rows first: a manifest whose rows replace address or metadata of failed, invalid and duplicate ones, by import_row or "
                + "reference id; only these are sent again");
        var map = Text("--map", "MAPPING", "Which column of --file is what: url=OriginalURL,caption=Title");
        var encoding = Text("--encoding", "ENCODING", "Of --file: windows-1252, or empty to go by the file's beginning");
        var sheet = Text("--sheet", "NAME", "Of --file: the sheet to read, if several sheets of a workbook have rows");
        var check = Flag("--check", "Show what --file would change and what it could not, and change nothing");
        return new ClientVerb(surroundings, "rerun",
            "Send records again that failed, or a selection. Imported records are sent again only where --arrival selects what differs "
                + "from what was expected.",
            ["BulkImporter rerun 7                                all failed records",
                "BulkImporter rerun 7 --code source_timeout",
                "BulkImporter rerun 7 --code source_forbidden --push    what Cincopa could not fetch is sent by the server",
                "BulkImporter rerun 7 --record 12 --record 31",
                "BulkImporter rerun 7 --file fixed.csv              the rows of a corrected export",
                "BulkImporter rerun 7 --file fixed.csv --check      what that would change",
                "BulkImporter rerun 7 --state unknown                may import twice what Cincopa did receive",
                "BulkImporter rerun 7 --state duplicate              send rows that were left out as duplicates",
                "BulkImporter rerun 7 --arrival size_differs         make other assets; those that differ stay in Cincopa"],
            [id, .. selection.All, push, file, map, encoding, sheet, check],
            call => call.Get(file) is { } corrections
                ? CorrectAsync(call, corrections, call.Get(id), Query.Of(("map", call.Get(map)), ("encoding", call.Get(encoding)),
                    ("sheet", call.Get(sheet)), ("check", call.Get(check) ? "true" : null)), call.Get(check))
                : RerunAsync(call, call.Get(id), selection.IsGiven(call.Line) ? selection.Of(call.Line) : new SelectionBody("failed"),
                    call.Get(push)),
            refuses: result =>
            [
                result.Given([.. selection.All, file]) <= 1 ? null
                    : $"Give one of {string.Join(", ", selection.All.Select(o => o.Name))} and --file: exactly one says which records are "
                        + "rerun.",
                result.Given(file) == 0 && result.Given(map, encoding, sheet, check) > 0
                    ? "--map, --encoding, --sheet and --check need --file." : null,
                result.GetValue(push) && result.Given(file) > 0
                    ? "--push works with a selection. In a corrections file, use the column transfer." : null,
            ]);
    }

    private static async Task<int> RerunAsync(Call call, int id, SelectionBody chosen, bool push)
    {
        var order = new RerunOrder(chosen.State, chosen.Code, chosen.RecordIds, chosen.Search, chosen.StalledMinutes, chosen.Finish,
            chosen.Undo, chosen.Arrival, push ? true : null);
        var answer = await call.PostAsync<RerunBody>($"imports/{id}/rerun", order);
        call.Tell(answer, done =>
        {
            call.Say($"{Wording.Count(done.Rerun, "record", "records")} will be sent again, "
                + $"{Wording.Count(done.Refused, "was", "were")} not changed.");
            if (chosen.Arrival is not null && done.Rerun > 0)
                call.Say("  The assets that they had stay in Cincopa. Delete them there when the new ones are right.");
            foreach (var refused in done.Refusals)
                call.Say($"  {Wording.Number(refused.Count)} {Wording.Of(refused.State)}: {Wording.Plain(refused.Reason)}");
            if (done.Rerun > 0) call.Say(Follow(id));
        });
        return answer.Value is { Rerun: 0, Refused: > 0 } ? ExitCode.Refused : ExitCode.Done;
    }

    private static async Task<int> CorrectAsync(Call call, InputFile corrections, int id, string query, bool onlyCheck)
    {
        var answer = await corrections.ReadAsync(async () =>
        {
            await using var bytes = corrections.Open(call.Surroundings);
            using var content = new StreamContent(bytes);
            content.Headers.ContentType = new("text/csv");
            return await call.PostAsync<CorrectionReport>($"imports/{id}/corrections{query}", content);
        });
        call.Tell(answer, report =>
        {
            call.Say(onlyCheck
                ? $"{Wording.Count(report.Corrected, "row", "rows")} would be corrected, {Wording.Number(report.Refused)} would not."
                : $"{Wording.Count(report.Corrected, "row was", "rows were")} corrected, "
                    + $"{Wording.Count(report.Refused, "was", "were")} not changed.");
            foreach (var row in report.Rows.Where(r => r.Outcome != "corrected"))
                call.Say($"  line {row.Line}{(row.Row is { } number ? $", row {number}" : "")}: {row.Outcome}. "
                    + Wording.Plain(row.Message));
            if (report.Corrected > 0 && !onlyCheck) call.Say(Follow(id));
        });
        return answer.Value is { Corrected: 0, Refused: > 0 } ? ExitCode.Refused : ExitCode.Done;
    }

    private static string Follow(int id) => $"Follow them with: BulkImporter show {id} --watch";
}
