using System.CommandLine;
using BulkImporter.Api;
using BulkImporter.Records;
using static BulkImporter.Cli.Options;

namespace BulkImporter.Cli;

/// <summary><c>records ID</c>: the records of an import, row by row; and <c>record ID ROW</c>: one with its attempts.</summary>
internal static class RecordVerb
{
    public static Verb All(Surroundings surroundings)
    {
        var id = ImportId();
        var selection = new SelectionOptions();
        var (limit, after) = (Limit(), After());
        return new ClientVerb(surroundings, "records", "List an import's records: which row became which asset, or why it did not.",
            ["BulkImporter records 7 --state failed", "BulkImporter records 7 --code source_not_found --limit 1000",
                "BulkImporter records 7 --state unknown --json"],
            [id, .. selection.All, limit, after],
            call => call.ListAsync<RecordView>($"imports/{call.Get(id)}/records"
                + Query.Of([.. selection.Arguments(call.Line), ("limit", call.Get(limit)), ("after", call.Get(after))]),
                ["row", "state", "rid", "attempts", "code", "url", "message"],
                record => [$"{record.RowNumber}", Wording.Of(record.State), record.Rid, $"{record.Attempts}", record.Error?.Code,
                    record.Url, record.Error?.Message], "No such records."));
    }

    public static Verb Of(Surroundings surroundings)
    {
        var id = ImportId();
        var row = new Argument<int>("ROW") { Description = "The record's row number, as `BulkImporter records` shows it" };
        return new ClientVerb(surroundings, "record", "Show one record and every attempt that was made for it.",
            ["BulkImporter record 7 12", "BulkImporter record 7 12 --json | jq .history"], [id, row],
            call => call.ShowAsync(call.GetAsync<RecordBody>($"imports/{call.Get(id)}/records/{call.Get(row)}"), record =>
            {
                call.Say($"Row {record.RowNumber}, {Wording.Of(record.State)}: {Wording.Plain(record.Url)}");
                if (record.Rid is not null) call.Say($"rid {Wording.Plain(record.Rid)}");
                if (record.Asset is { IsExpected: true } asset)
                    call.Say($"{Wording.Of(asset.Arrival)}: expected {asset.Expected}; arrived {asset.Arrived}");
                if (record.Error is { } error) call.Say($"{error.Code}: {Wording.Plain(error.Message)}");
                if (record.WaitsFor is { } wait) call.Say(Wording.Plain(wait.Sentence));
                if (record.History is { Count: > 0 } attempts)
                    call.Table(["attempt", "began", "ended", "outcome", "http", "status_id", "message"], attempts.Select(attempt =>
                        (string?[])[$"{attempt.Number}", call.Time(attempt.StartedAt), call.Time(attempt.FinishedAt), attempt.Outcome,
                            $"{attempt.HttpStatus}", attempt.StatusId, attempt.Message]));
            }));
    }
}
