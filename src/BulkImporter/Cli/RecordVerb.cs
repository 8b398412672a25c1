using System.CommandLine;
using System.Globalization;
using BulkImporter.Api;
using Spectre.Console;

namespace BulkImporter.Cli;

/// <summary><c>record ID ROW</c>: one record with its attempts.</summary>
internal sealed class RecordVerb : ClientVerb
{
    private readonly Argument<int> id = ImportId();
    private readonly Argument<int> row = new("ROW") { Description = "The record's row number, as `BulkImporter records` shows it" };

    public RecordVerb(Surroundings surroundings)
        : base(surroundings, "record", "Show one record and every attempt that was made for it.", "BulkImporter record 7 12",
            "BulkImporter record 7 12 --json | jq .history") =>
        TakesFromServer(id, row, Json);

    protected override async Task<int> RunAsync(ParseResult line, ImporterApi api, CancellationToken cancellationToken)
    {
        var path = string.Create(CultureInfo.InvariantCulture, $"imports/{line.GetValue(id)}/records/{line.GetValue(row)}");
        var record = await api.GetAsync<RecordBody>(path, cancellationToken);
        if (line.GetValue(Json))
        {
            Surroundings.Output.WriteLine(record.Json);
            return ExitCode.Done;
        }

        var r = record.Value;
        Surroundings.Output.WriteLine(
            string.Create(CultureInfo.InvariantCulture, $"Row {r.RowNumber}, {Wording.Of(r.State)}: {Wording.Plain(r.Url)}"));
        if (r.Rid is not null)
            Surroundings.Output.WriteLine($"rid {Wording.Plain(r.Rid)}");
        if (r.Asset is { IsExpected: true } asset)
            Surroundings.Output.WriteLine($"{Wording.Of(asset.Arrival)}: expected {asset.Expected}; arrived {asset.Arrived}");
        if (r.Error is { } error)
            Surroundings.Output.WriteLine($"{error.Code}: {Wording.Plain(error.Message)}");
        if (r.WaitsFor is { } wait)
            Surroundings.Output.WriteLine(Wording.Plain(wait.Sentence));
        if (r.History is not { Count: > 0 })
            return ExitCode.Done;
        var table = ImportPicture.TableOf(Surroundings, "attempt", "began", "ended", "outcome", "http", "status_id", "message");
        foreach (var attempt in r.History)
        {
            table.AddRow(
                new Text(attempt.Number.ToString(CultureInfo.InvariantCulture)),
                new Text(Wording.Time(attempt.StartedAt, Surroundings.Clock)),
                new Text(Wording.Time(attempt.FinishedAt, Surroundings.Clock)),
                new Text(Wording.Plain(attempt.Outcome)), new Text(attempt.HttpStatus?.ToString(CultureInfo.InvariantCulture) ?? ""),
                new Text(Wording.Plain(attempt.StatusId)), new Text(Wording.Plain(attempt.Message)));
        }

        Surroundings.Screen.Write(table);
        return ExitCode.Done;
    }
}
