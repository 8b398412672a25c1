using BulkImporter.Imports;
using BulkImporter.Records;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace BulkImporter.Cli;

/// <summary>An import drawn three ways: a moving picture, one line, and the table at the end.</summary>
internal static class ImportPicture
{
    /// <summary>
    /// The picture of the moment: a bar stacked by state, rate, time left, failures by code, and a note on top of trouble.
    /// </summary>
    public static IRenderable Live(ImportView import, string? note)
    {
        var rows = new List<IRenderable> { new Text(Headline(import), new Style(decoration: Decoration.Bold)) };
        var bar = new BreakdownChart { Expand = true, ValueFormatter = (value, _) => Wording.Number(value) };
        foreach (var (state, count) in Present(import.Counts))
            bar.AddItem(Wording.Of(state), count, ColorOf(state));
        rows.Add(bar);
        rows.Add(new Text($"{Progress(import)}   {Pace(import)}"));
        if (import.Reason is not null)
            rows.Add(new Text(Wording.Plain(import.Reason), new Style(Color.Yellow)));
        foreach (var host in import.WaitingHosts)
            rows.Add(new Text(Waiting(host), new Style(Color.Yellow)));
        if (import.Failures.Count > 0)
            rows.Add(new Text("failures: " + Failures(import), new Style(Color.Red)));
        if (note is not null)
            rows.Add(new Text(note, new Style(Color.Yellow)));
        rows.Add(new Text("Ctrl-C stops watching, not the import.", new Style(Color.Grey)));
        return new Rows(rows);
    }

    public static string Line(ImportView import)
    {
        var counts = string.Join(", ", Present(import.Counts).Select(s => $"{Wording.Of(s.State)} {Wording.Number(s.Count)}"));
        var pace = import.State == ImportState.Running ? $" | {Pace(import)}" : "";
        var reason = import.Reason is null ? "" : $" ({Wording.Plain(import.Reason)})";
        return $"{Wording.Of(import.State)}{reason} {Progress(import)}{(counts.Length > 0 ? " | " + counts : "")}{pace}";
    }

    /// <summary>Counts by state, by what became of what was expected to arrive, and failures by code.</summary>
    public static IRenderable Summary(ImportView import, Surroundings surroundings)
    {
        var states = Shares("state", Present(import.Counts).Select(s => (Wording.Of(s.State), s.Count)), import.Counts.Total);
        states.AddRow(new Text("rows"), new Text(import.Rows is { } rows ? Wording.Number(rows) : "-"), new Text(""));
        var parts = new List<IRenderable> { states };
        if (import.Arrival.Compared > 0)
            parts.Add(Shares("arrival", Present(import.Arrival).Select(a => (Wording.Of(a.Arrival), a.Count)), import.Counts.Imported));
        if (import.Failures.Count > 0)
        {
            var failures = TableOf(surroundings, "failure", "what it needs", "records");
            failures.Columns[2].RightAligned();
            foreach (var failure in import.Failures)
                failures.AddRow(new Text(failure.Code), new Text(failure.Class?.InWords() ?? ""), new Text(Wording.Number(failure.Count)));
            parts.Add(failures);
        }
        parts.AddRange(import.WaitingHosts.Select(h => new Text(Waiting(h))));
        if (import.Finishing.Failed > 0) parts.Add(new Text(Unfinished(import)));
        return new Rows(parts);

        Table Shares(string what, IEnumerable<(string Name, int Count)> counts, int whole)
        {
            var table = TableOf(surroundings, what, "records", "share");
            table.Columns[1].RightAligned();
            table.Columns[2].RightAligned();
            foreach (var (name, count) in counts)
                table.AddRow(new Text(name), new Text(Wording.Number(count)), new Text(Wording.Percent((double)count / whole)));
            return table;
        }
    }

    private static string Unfinished(ImportView import) =>
        $"{Wording.Count(import.Finishing.Failed, "imported asset lacks", "imported assets lack")} texts, tags or a gallery: "
            + $"records {import.Id} --finish failed says why.";

    private static string Waiting(WaitingHost host) =>
        $"{Wording.Plain(host.Sentence)} {Wording.Count(host.Records, "record waits", "records wait")} for it.";

    /// <summary>The totals of what arrived in one sentence.</summary>
    public static string Arrival(ImportView import) =>
        $"Arrival: {string.Join(", ", Present(import.Arrival).Select(a => $"{Wording.Number(a.Count)} {Wording.Of(a.Arrival)}"))}.";

    public static string Headline(ImportView import) =>
        $"Import {import.Id}, {Wording.Plain(import.Name)}, account {Wording.Plain(import.Account)}: "
            + $"{Wording.Of(import.State)}{(import.Reason is null ? "" : $" ({Wording.Plain(import.Reason)})")}";

    /// <summary>What a person does next, in this state.</summary>
    public static string? NextStep(ImportView import) => import.State switch
    {
        ImportState.Review when import.Counts.Pending == 0 => $"No row can be sent. See why with: BulkImporter findings {import.Id}",
        ImportState.Review => $"Nothing has been sent yet. Start it with: BulkImporter start {import.Id}",
        ImportState.Rejected => $"Choose the columns with: BulkImporter revise {import.Id} --map url=COLUMN    Discard it with: "
            + $"BulkImporter delete {import.Id} --yes",
        ImportState.Paused => $"Go on with: BulkImporter resume {import.Id}",
        ImportState.Finished or ImportState.Cancelled when import.Counts.Failed > 0 =>
            $"Look at the failures with: BulkImporter records {import.Id} --state failed    Try them again with: BulkImporter rerun "
                + $"{import.Id}",
        ImportState.Finished or ImportState.Cancelled when import.Counts.Unknown > 0 =>
            $"Look at the records in doubt with: BulkImporter records {import.Id} --state unknown    Say which asset one became with: "
                + $"BulkImporter adopt {import.Id} ROW",
        ImportState.Finished or ImportState.Cancelled when import.Arrival.Differ > 0 =>
            $"Look at what differs with: BulkImporter records {import.Id} --arrival {FirstDifference(import)}    Make other assets with: "
                + $"BulkImporter rerun {import.Id} --arrival {FirstDifference(import)}",
        _ => null,
    };

    /// <summary>The states that have records, ended ones first: the order of a bar that fills from the left.</summary>
    private static IEnumerable<(RecordState State, int Count)> Present(StateCounts counts) => new[]
    {
        RecordState.Imported, RecordState.Failed, RecordState.Unknown, RecordState.Deleted, RecordState.Cancelled, RecordState.Invalid,
        RecordState.Duplicate, RecordState.Submitted, RecordState.Submitting, RecordState.Pending,
    }.Select(s => (s, counts.Of(s))).Where(s => s.Item2 > 0);

    /// <summary>What there is of the totals of arrival.</summary>
    private static IEnumerable<(Arrival Arrival, int Count)> Present(ArrivalCounts counts) =>
        Enum.GetValues<Arrival>().Select(a => (a, counts.Of(a))).Where(a => a.Item2 > 0);

    private static string FirstDifference(ImportView import) =>
        Wording.Of(Present(import.Arrival).First(a => a.Arrival.Differs()).Arrival);

    /// <summary>Lines and colours for a person; bare columns for a pipe.</summary>
    public static Table TableOf(Surroundings surroundings, params ReadOnlySpan<string> columns)
    {
        var table = new Table { Border = surroundings.IsLive ? TableBorder.Rounded : TableBorder.None };
        foreach (var column in columns)
            table.AddColumn(new TableColumn(new Text(column, new Style(decoration: Decoration.Bold))) { NoWrap = !surroundings.IsLive });
        return table;
    }

    /// <summary>How fast, and how long still; nothing of the time when nothing moves.</summary>
    public static string Pace(ImportView import) =>
        Wording.Rate(import.RatePerSecond) + (import.EtaSeconds is { } eta ? $", {Wording.Duration(eta)} left" : "");

    private static string Progress(ImportView import) => import.Rows is not null
        ? $"{Wording.Number(import.Counts.Ended)} of {Wording.Number(import.Counts.Work)} records, "
            + $"{Wording.Percent(import.Counts.Progress)}"
        : $"{Wording.Number(import.ParsedRows)} rows read";

    private static string Failures(ImportView import) =>
        string.Join(", ", import.Failures.Select(f => $"{f.Code} {Wording.Number(f.Count)}"));

    private static Color ColorOf(RecordState state) => state switch
    {
        RecordState.Imported => Color.Green,
        RecordState.Failed => Color.Red,
        RecordState.Unknown => Color.Orange1,
        RecordState.Cancelled or RecordState.Invalid or RecordState.Duplicate or RecordState.Deleted => Color.Grey,
        RecordState.Submitted or RecordState.Submitting => Color.Blue,
        RecordState.Pending => Color.Silver,
    };
}
