using System.CommandLine;
using BulkImporter.Api;
using BulkImporter.Finish;
using BulkImporter.Records;
using BulkImporter.Undo;
using static BulkImporter.Cli.Options;

namespace BulkImporter.Cli;

/// <summary>Which records of an import: the selection that the list, the export and the orders share.</summary>
internal sealed class SelectionOptions
{
    private readonly Option<string?> state;
    private readonly Option<string?> code = Text("--code", "CODE", "Only records whose last failure has this code, e.g. source_not_found");
    private readonly Option<int[]> record = Rows("The record of this row, repeatable");
    private readonly Option<string?> search =
        Text("--search", "TEXT", "Only records with this in their URL, caption, reference id, status_id or rid");
    private readonly Option<double?> stalled = AtLeast(0, new Option<double?>("--stalled-minutes")
    { HelpName = "N", Description = "Only records that Cincopa accepted and that made no progress for this long" });
    private readonly Option<string?> finish =
        Choice<FinishState>("--finish", "Only imported records with this state of texts, tags and gallery");
    private readonly Option<string?> undo =
        Choice<UndoState>("--undo", "Only records whose undo has this state; done means that the asset is deleted");
    private readonly Option<string?> arrival =
        Choice<Arrival>("--arrival", "Only imported records with this result of the comparison with what was expected");

    public SelectionOptions(string ofState = "Only records in this state")
    {
        state = Choice<RecordState>("--state", ofState, "STATE");
        All = [state, code, record, search, stalled, finish, undo, arrival];
    }

    public IReadOnlyList<Option> All { get; }

    public bool IsGiven(ParseResult line) => line.CommandResult.Given(All) > 0;

    public SelectionBody Of(ParseResult line) => new(
        line.GetValue(state), line.GetValue(code), line.GetRequiredValue(record) is { Length: > 0 } rows ? rows : null,
        line.GetValue(search), line.GetValue(stalled), line.GetValue(finish), line.GetValue(undo), line.GetValue(arrival));

    /// <summary>The selection as query arguments.</summary>
    public IEnumerable<(string Name, object? Value)> Arguments(ParseResult line) =>
    [
        ("state", line.GetValue(state)), ("code", line.GetValue(code)),
        .. line.GetRequiredValue(record).Select(row => ("recordIds", (object?)row)),
        ("search", line.GetValue(search)), ("stalledMinutes", line.GetValue(stalled)), ("finish", line.GetValue(finish)),
        ("undo", line.GetValue(undo)), ("arrival", line.GetValue(arrival)),
    ];
}
