using BulkImporter.Api;
using static BulkImporter.Cli.Options;

namespace BulkImporter.Cli;

/// <summary>Orders for records that send nothing: <c>finish ID</c>, <c>verify-arrival ID</c> and <c>give-up ID</c>.</summary>
internal static class FinishVerb
{
    /// <summary>Texts, reference id and gallery of assets again, where that failed.</summary>
    public static Verb Of(Surroundings surroundings)
    {
        var id = ImportId();
        var record = Rows("The record of this row, repeatable [all for which it failed]");
        var search = Text("--search", "TEXT", "Only records with this in their URL, caption, reference id or rid");
        return new ClientVerb(surroundings, "finish",
            "Write captions, tags, reference ids and galleries again for imported records for which that failed. Nothing is sent to be "
                + "imported.",
            ["BulkImporter finish 7                               all records whose assets could not be finished",
                "BulkImporter finish 7 --record 12"],
            [id, record, search],
            call => call.TellAsync(call.PostAsync<FinishAgainBody>($"imports/{call.Get(id)}/finish",
                new SelectionBody(RecordIds: call.Get(record) is { Length: > 0 } rows ? rows : null, Search: call.Get(search))),
                answer => $"{Wording.Count(answer.Again, "record is", "records are")} being finished again."));
    }

    /// <summary>Asks Cincopa again what arrived.</summary>
    public static Verb VerifyArrival(Surroundings surroundings)
    {
        var id = ImportId();
        var selection = new SelectionOptions();
        return new ClientVerb(surroundings, "verify-arrival",
            "Ask Cincopa again what arrived, and compare it with what was expected. Nothing is written to the assets, deleted or sent.",
            ["BulkImporter verify-arrival 7                        all imported records of which something is expected",
                "BulkImporter verify-arrival 7 --arrival size_differs",
                "BulkImporter records 7 --arrival size_differs        those that differ, afterwards"],
            [id, .. selection.All],
            call => call.ShowAsync(
                call.PostAsync<VerifyArrivalBody>($"imports/{call.Get(id)}/verify-arrival", selection.Of(call.Line)), answer =>
            {
                call.Say($"{Wording.Count(answer.Ordered, "record is", "records are")} being compared with what arrived, "
                    + $"{Wording.Count(answer.Left, "is", "are")} not.");
                if (answer.Left > 0)
                    call.Say("  Nothing is expected of those, their finishing is under way or has failed, an undo is under way, or the "
                        + "account is suspended.");
                if (answer.Ordered > 0) call.Say($"See the totals with: BulkImporter show {call.Get(id)}");
            }));
    }

    /// <summary>Leaves records in doubt as they are.</summary>
    public static Verb GiveUp(Surroundings surroundings)
    {
        var id = ImportId();
        var record = Rows("The record of this row, repeatable");
        var code = Text("--code", "CODE", "All records in doubt whose last failure has this code, e.g. reply_lost");
        var search = Text("--search", "TEXT", "All records in doubt with this in their URL, caption, reference id or status_id");
        var all = Flag("--all", "All records in doubt");
        return new ClientVerb(surroundings, "give-up",
            "Count records in doubt as failed. Nothing is sent. A rerun sends them only if it names them.",
            ["BulkImporter give-up 7 --record 12 --record 31",
                "BulkImporter give-up 7 --all",
                "BulkImporter records 7 --state unknown                which ones are in doubt"],
            [id, record, code, search, all],
            async call =>
            {
                if (call.Get(record) is not { Length: > 0 } rows)
                    return await call.TellAsync(call.PostAsync<GivenUpBody>($"imports/{call.Get(id)}/give-up",
                        new SelectionBody("unknown", call.Get(code), null, call.Get(search))),
                        answer => $"{Wording.Count(answer.GivenUp, "record is", "records are")} given up, "
                            + $"{Wording.Count(answer.StillUnknown, "is", "are")} still in doubt.");
                foreach (var row in rows)
                    await call.TellAsync(call.PostAsync<RecordBody>($"imports/{call.Get(id)}/records/{row}/give-up"),
                        given => $"Row {Wording.Number(row)} is given up: {Wording.Of(given.State)}.");
                return ExitCode.Done;
            },
            refuses: result => [result.Given(record, code, search, all) == 1 ? null
                : "Give one of --record, --code, --search and --all: exactly one says which records are given up."]);
    }
}
