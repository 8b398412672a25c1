using System.CommandLine;
using System.Globalization;
using BulkImporter.Api;
using BulkImporter.Data;
using BulkImporter.Finish;
using BulkImporter.Records;
using BulkImporter.Undo;

namespace BulkImporter.Cli;

/// <summary>Which records of an import: the selection that the list, the export and the orders share.</summary>
internal sealed class SelectionOptions
{
    public SelectionOptions(string state = "Only records in this state")
    {
        State = new("--state") { HelpName = "STATE", Description = state };
        State.AcceptOnlyFromAmong([.. EnumText<RecordState>.All]);
        Finish.AcceptOnlyFromAmong([.. EnumText<FinishState>.All]);
        Undo.AcceptOnlyFromAmong([.. EnumText<UndoState>.All]);
        Arrival.AcceptOnlyFromAmong([.. EnumText<Arrival>.All]);
        All = [State, Code, Record, Search, Stalled, Finish, Undo, Arrival];
    }

    public Option<string?> State { get; }

    public Option<string?> Code { get; } =
        new("--code") { HelpName = "CODE", Description = "Only records whose last failure has this code, e.g. source_not_found" };

    public Option<int[]> Record { get; } =
        new("--record") { HelpName = "N", Description = "The record of this row, repeatable", DefaultValueFactory = _ => [] };

    public Option<string?> Search { get; } =
        new("--search") { HelpName = "TEXT", Description = "Only records with this in their URL, caption, reference id, status_id or rid" };

    public Option<double?> Stalled { get; } = ClientVerb.AtLeast(0,
        new Option<double?>("--stalled-minutes")
        { HelpName = "N", Description = "Only records that Cincopa accepted and that made no progress for so long" });

    public Option<string?> Finish { get; } = new("--finish")
    {
        HelpName = string.Join('|', EnumText<FinishState>.All),
        Description = "Only imported records with this state of texts, tags and gallery",
    };

    public Option<string?> Undo { get; } = new("--undo")
    {
        HelpName = string.Join('|', EnumText<UndoState>.All),
        Description = "Only records whose undo is so far; done means that the asset is deleted",
    };

    public Option<string?> Arrival { get; } = new("--arrival")
    {
        HelpName = string.Join('|', EnumText<Arrival>.All),
        Description = "Only imported records of which the comparison with what was expected says this",
    };

    public IReadOnlyList<Option> All { get; }

    public bool IsGiven(ParseResult line) => All.Any(o => line.GetResult(o) is { Implicit: false });

    public SelectionBody Of(ParseResult line) => new(
        line.GetValue(State), line.GetValue(Code), line.GetRequiredValue(Record) is { Length: > 0 } rows
            ? rows : null, line.GetValue(Search), line.GetValue(Stalled), line.GetValue(Finish), line.GetValue(Undo),
        line.GetValue(Arrival));

    /// <summary>The selection as query arguments.</summary>
    public IEnumerable<(string Name, string? Value)> Arguments(ParseResult line)
    {
        var selection = Of(line);
        return
        [
            ("state", selection.State), ("code", selection.Code), .. (selection.RecordIds ?? [])
                .Select(row => ("recordIds", (string?)row.ToString(CultureInfo.InvariantCulture))),
            ("search", selection.Search), ("stalledMinutes", selection.StalledMinutes?.ToString(CultureInfo.InvariantCulture)),
            ("finish", selection.Finish), ("undo", selection.Undo), ("arrival", selection.Arrival),
        ];
    }
}
