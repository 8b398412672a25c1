using System.CommandLine;
using System.Globalization;
using BulkImporter.Data;
using BulkImporter.Records;
using Spectre.Console;

namespace BulkImporter.Cli;

/// <summary><c>records ID</c>: the records of an import, row by row.</summary>
internal sealed class RecordsVerb : ClientVerb
{
    private readonly Argument<int> id = ImportId();
    private readonly SelectionOptions selection = new();
    private readonly Option<int> limit = LimitOption();
    private readonly Option<string?> after = AfterOption();

    public RecordsVerb(Surroundings surroundings)
        : base(surroundings, "records", "List an import's records: which row became which asset, or why it did not.",
            "BulkImporter records 7 --state failed", "BulkImporter records 7 --code source_not_found --limit 1000",
            "BulkImporter records 7 --state unknown --json") =>
        TakesFromServer([id, .. selection.All, limit, after, Json]);

    protected override async Task<int> RunAsync(ParseResult line, ImporterApi api, CancellationToken cancellationToken)
    {
        var query =
            Query.Of([.. selection.Arguments(line), ("limit", line.GetValue(limit).ToString(CultureInfo.InvariantCulture)),
                ("after", line.GetValue(after))]);
        var page = await api.GetAsync<Page<RecordView>>($"imports/{line.GetValue(id)}/records{query}", cancellationToken);
        if (line.GetValue(Json))
        {
            Surroundings.Output.WriteLine(page.Json);
            return ExitCode.Done;
        }

        if (page.Value.Items.Count == 0)
        {
            Surroundings.Error.WriteLine("No such records.");
            return ExitCode.Done;
        }

        var table = ImportPicture.TableOf(Surroundings, "row", "state", "rid", "attempts", "code", "url", "message");
        foreach (var record in page.Value.Items)
        {
            table.AddRow(
                new Text(record.RowNumber.ToString(CultureInfo.InvariantCulture)), new Text(Wording.Of(record.State)),
                new Text(Wording.Plain(record.Rid)),
                new Text(record.Attempts.ToString(CultureInfo.InvariantCulture)), new Text(Wording.Plain(record.Error?.Code)),
                new Text(Wording.Plain(record.Url)), new Text(Wording.Plain(record.Error?.Message)));
        }

        Surroundings.Screen.Write(table);
        if (page.Value.Next is { } next)
            Surroundings.Error.WriteLine($"There are more: --after {next}");
        return ExitCode.Done;
    }
}
