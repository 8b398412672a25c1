using BulkImporter.Records;

namespace BulkImporter.Imports;

/// <summary>What an import's page tells beside the import itself, read less often.</summary>
/// <param name="Rates">How fast it went over its whole life.</param>
/// <param name="Examples">By failure code, what was said of one record.</param>
/// <param name="Hosts">From where the files come that fail.</param>
/// <param name="Story">What happened to it, the latest first.</param>
public sealed record ImportDetails(
    bool Moves, IReadOnlyList<RatePoint> Rates, IReadOnlyDictionary<string, string> Examples, IReadOnlyList<HostFailures> Hosts,
    IReadOnlyList<StoryEntry> Story);

/// <summary>
/// Keeps every open page of this process current. Each import, and each page of the list, is read once a second for all who look at
/// it, while somebody does: fifty open pages cost what one costs. What stands still is looked at less often.
/// </summary>
public sealed class ImportFeed(
    ReadImports imports, ReadRecords records, ReadHosts hosts, ReadStory story, TimeProvider clock, ILogger<ImportFeed> log)
{
    /// <summary>Imports on one page of the list.</summary>
    public const int ListLength = 25;

    /// <summary>Points of the rate-over-time chart.</summary>
    private const int Points = 90;

    /// <summary>Hosts whose failures are told.</summary>
    private const int MostHosts = 12;

    private const int StoryLength = 60;

    private readonly SharedReadings<int, ImportView> ones = new(
        (id, stop) => imports.FindAsync(id, stop), i => TimeSpan.FromSeconds(i is not null && Moves(i) ? 1 : 4), clock, log);

    private readonly SharedReadings<(ImportFilter Filter, int? After, int? Before), ListedPage<ImportView>> lists = new(
        async (page, stop) => await imports.PageAsync(page.Filter, page.After, page.Before, ListLength, stop),
        p => TimeSpan.FromSeconds(p?.Items.Any(Moves) == true ? 1 : 4), clock, log);

    // There is only one such reading; its key says nothing.
    private readonly SharedReadings<int, StateCounts> totals = new(
        async (_, stop) => await imports.TotalsAsync(stop), _ => TimeSpan.FromSeconds(4), clock, log);

    private readonly SharedReadings<int, ImportDetails> details = new(
        async (id, stop) => await imports.FindAsync(id, stop) is not { } import
            ? null
            : new ImportDetails(
                Moves(import),
                await imports.RatesAsync(id, Points, stop),
                await records.ExamplesAsync(id, import.Failures.Select(f => f.Code), stop),
                import.Failures.Count == 0 ? [] : await hosts.FailingAsync(id, MostHosts, stop),
                await story.LatestAsync(id, StoryLength, stop)),
        d => TimeSpan.FromSeconds(d?.Moves == true ? 5 : 20), clock, log);

    internal int TopicCount => ones.Count + lists.Count + totals.Count + details.Count;

    /// <summary>
    /// Calls <paramref name="changed"/> with the import now and whenever it was read; its value is null when there is no such import.
    /// </summary>
    public IDisposable Watch(int importId, Action<Reading<ImportView>> changed) => ones.Watch(importId, changed);

    /// <summary>The same for a page of the list.</summary>
    /// <inheritdoc cref="ReadImports.PageAsync"/>
    public IDisposable WatchList(
        ImportFilter filter, int? after, Action<Reading<ListedPage<ImportView>>> changed, int? before = null) =>
        lists.Watch((filter, after, before), changed);

    /// <summary>The same for the records of all imports together.</summary>
    public IDisposable WatchTotals(Action<Reading<StateCounts>> changed) => totals.Watch(0, changed);

    /// <summary>The same for what an import's page tells beside it.</summary>
    public IDisposable WatchDetails(int importId, Action<Reading<ImportDetails>> changed) => details.Watch(importId, changed);

    /// <summary>Looks at an import at once: somebody here has just changed it.</summary>
    public void Hurry(int importId)
    {
        ones.Hurry(importId);
        details.Hurry(importId);
        lists.HurryAll();
        totals.HurryAll();
    }

    /// <summary>A cancelled import still moves while Cincopa works on what it was sent.</summary>
    private static bool Moves(ImportView import) =>
        import.State is ImportState.Parsing or ImportState.Running || import.Counts is { Submitting: > 0 } or { Submitted: > 0 };
}
