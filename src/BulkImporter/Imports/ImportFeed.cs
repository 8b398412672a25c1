using BulkImporter.Access;
using BulkImporter.Data;
using BulkImporter.Records;

namespace BulkImporter.Imports;

/// <summary>What an import's page tells beside the import itself, read less often.</summary>
/// <param name="Rates">How fast it went over its whole life.</param>
/// <param name="Examples">By failure code, what was said of one record.</param>
/// <param name="Audit">Who did what, the latest first.</param>
public sealed record ImportDetails(
    bool Moves, IReadOnlyList<RatePoint> Rates, IReadOnlyDictionary<string, string> Examples, IReadOnlyList<AuditView> Audit);

/// <summary>
/// Keeps every open page of this process current. Each import, and each page of the list, is read once a second for all who look at
/// it, while somebody does: fifty open pages cost what one costs. What stands still is looked at less often.
/// </summary>
public sealed class ImportFeed(ReadImports imports, ReadRecords records, ReadAudit audit, TimeProvider clock, ILogger<ImportFeed> log)
{
    /// <summary>Imports on one page of the list.</summary>
    public const int ListLength = 25;

    /// <summary>Points of the rate-over-time chart.</summary>
    private const int Points = 90;

    private const int AuditLength = 12;

    private readonly SharedReadings<int, ImportView> ones = new(
        (id, stop) => imports.FindAsync(id, stop), i => TimeSpan.FromSeconds(i is not null && Moves(i) ? 1 : 4), clock, log);

    private readonly SharedReadings<(ImportFilter Filter, int? After), Page<ImportView>> lists = new(
        async (page, stop) => await imports.ListAsync(page.Filter, page.After, ListLength, stop),
        p => TimeSpan.FromSeconds(p?.Items.Any(Moves) == true ? 1 : 4), clock, log);

    // There is only one such reading; its key says nothing.
    private readonly SharedReadings<int, StateCounts> totals = new(
        async (_, stop) => await imports.TotalsAsync(stop), _ => TimeSpan.FromSeconds(4), clock, log);

    private readonly SharedReadings<int, ImportDetails> details = new(
        (id, stop) => ReadDetailsAsync(id, imports, records, audit, stop), d =>
            TimeSpan.FromSeconds(d?.Moves == true ? 5 : 20), clock, log);

    internal int TopicCount => ones.Count + lists.Count + totals.Count + details.Count;

    /// <summary>
    /// Calls <paramref name="changed"/> with the import now and whenever it was read; its value is null when there is no such import.
    /// </summary>
    public IDisposable Watch(int importId, Action<Reading<ImportView>> changed) => ones.Watch(importId, changed);

    /// <summary>The same for a page of the list.</summary>
    /// <param name="after">The <see cref="Page{T}.Next"/> of the page before, or null for the first.</param>
    public IDisposable WatchList(ImportFilter filter, int? after, Action<Reading<Page<ImportView>>> changed) =>
        lists.Watch((filter, after), changed);

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

    private static async Task<ImportDetails?> ReadDetailsAsync(
        int id, ReadImports imports, ReadRecords records, ReadAudit audit, CancellationToken cancellationToken) =>
        await imports.FindAsync(id, cancellationToken) is not { } import
            ? null
            : new ImportDetails(
                Moves(import),
                await imports.RatesAsync(id, Points, cancellationToken),
                await records.ExamplesAsync(id, import.Failures.Select(f => f.Code), cancellationToken),
                await audit.ListAsync(id, null, AuditLength, cancellationToken));
}
