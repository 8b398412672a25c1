using BulkImporter.Sources;
using Cincopa.Client;

namespace BulkImporter.Records;

/// <summary>An import's records in the order of the manifest.</summary>
public sealed class ReadRecords(IDbContextFactory<ImporterDb> contexts)
{
    private const string Examples = """
        SELECT c.code, e.error_message AS message FROM unnest($2::text[]) AS c(code)
        CROSS JOIN LATERAL (
            SELECT r.error_message FROM importer.import_record r
            WHERE r.import_id = $1 AND r.error_code = c.code AND r.state IN ('failed', 'unknown') AND r.error_message <> ''
            ORDER BY r.row_number LIMIT 1) e
        """;

    /// <param name="afterRow">The <see cref="Page{T}.Next"/> of the page before; 0 for the first.</param>
    /// <param name="throughRow">
    /// The last row that is looked at, so that a look through a million records can show what it has found so far.
    /// </param>
    public async Task<Page<RecordView>> ListAsync(
        int importId, RecordFilter filter, int afterRow, int limit, CancellationToken cancellationToken, int throughRow = int.MaxValue)
    {
        await using var db = contexts.CreateDbContext();
        return Page<RecordView>.Of(await ReadAsync(db, importId, filter, afterRow, throughRow, limit + 1, isBackward: false,
            cancellationToken), limit, r => r.RowNumber);
    }

    /// <summary>The last records before a row, as many as <paramref name="limit"/>, in the order of the manifest.</summary>
    /// <param name="beforeRow">The first row that is not wanted any more.</param>
    /// <param name="afterRow">Only rows behind this one are looked at.</param>
    public async Task<List<RecordView>> ListBackwardAsync(
        int importId, RecordFilter filter, int beforeRow, int afterRow, int limit, CancellationToken cancellationToken)
    {
        await using var db = contexts.CreateDbContext();
        return await ReadAsync(db, importId, filter, afterRow, beforeRow - 1, limit, isBackward: true, cancellationToken);
    }

    /// <summary>A page of what an index or a counter tells, as a person walks it.</summary>
    /// <param name="most">See <see cref="CountAsync"/>, which gives the page its total.</param>
    public async Task<ListedPage<RecordView>> PageAsync(
        int importId, RecordFilter filter, int? after, int? before, int limit, int most, CancellationToken cancellationToken)
    {
        var total = await CountAsync(importId, filter, most, cancellationToken);
        await using var db = contexts.CreateDbContext();
        return await ListedPage<RecordView>.WalkAsync(
            after, before, limit, r => r.RowNumber, total,
            async (row, count) =>
            {
                var rows = await ReadAsync(db, importId, filter, 0, row - 1, count, isBackward: true, cancellationToken);
                rows.Reverse();
                return rows;
            },
            (row, count) => ReadAsync(db, importId, filter, row ?? 0, int.MaxValue, count, isBackward: false, cancellationToken));
    }

    /// <summary>Rows behind <paramref name="afterRow"/> up to <paramref name="throughRow"/>.</summary>
    private static async Task<List<RecordView>> ReadAsync(
        ImporterDb db, int importId, RecordFilter filter, int afterRow, int throughRow, int length, bool isBackward,
        CancellationToken cancellationToken)
    {
        var selected = filter.Of(db, importId).Where(r => r.RowNumber > afterRow && r.RowNumber <= throughRow);
        // No index holds the state; the chunks' counters tell which key ranges have a record in it.
        var page = filter.State is { } state && filter.Code is null && filter.RowNumbers is null
            ? isBackward
                ? ChunkRange.With(db, importId, state).Where(c => c.LastRow > afterRow && c.FirstRow <= throughRow)
                    .SelectMany(
                        c => selected.Where(r => r.RowNumber >= c.FirstRow && r.RowNumber <= c.LastRow)
                            .OrderByDescending(r => r.RowNumber).Take(length),
                        (c, r) => new { c.Number, Record = r })
                    .OrderByDescending(r => r.Number).ThenByDescending(r => r.Record.RowNumber).Take(length).Select(r => r.Record)
                : ChunkRange.With(db, importId, state).Where(c => c.LastRow > afterRow && c.FirstRow <= throughRow)
                    .SelectMany(
                        c => selected.Where(r => r.RowNumber >= c.FirstRow && r.RowNumber <= c.LastRow)
                            .OrderBy(r => r.RowNumber).Take(length),
                        (c, r) => new { c.Number, Record = r })
                    .OrderBy(r => r.Number).ThenBy(r => r.Record.RowNumber).Take(length).Select(r => r.Record)
            : isBackward
                ? selected.OrderByDescending(r => r.RowNumber).Take(length)
                : selected.OrderBy(r => r.RowNumber).Take(length);
        var rows = await (
            from r in page
            join p in db.Set<FollowedRecord>().Where(p => p.ImportId == importId) on r.RowNumber equals p.RowNumber into following
            from p in following.DefaultIfEmpty()
            orderby r.RowNumber
            select new RecordView(
                r.RowNumber, r.LineNumber, Shown(r.SourceUrl), Shown(r.Caption), Shown(r.ReferenceId), r.State, r.StatusId, r.Rid,
                r.AttemptCount, ErrorOf(r.ErrorCode, r.ErrorMessage), p.ProgressPercent, p.ProgressBytes, p.TotalBytes, r.NextAttemptAt,
                r.SubmittedAt, r.FinishedAt, r.PossiblyDuplicated, null, null, null))
            .ToListAsync(cancellationToken);
        rows = await WaitingAsync(db, importId, rows, cancellationToken);
        int[] imported = [.. rows.Where(r => r.State == RecordState.Imported).Select(r => r.RowNumber)];
        if (imported.Length == 0) return rows;
        var finishes = await FinishesAsync(db, importId, imported, cancellationToken);
        var undone = await db.Set<UndoneRecord>().Where(u => u.ImportId == importId && imported.Contains(u.RowNumber))
            .ToDictionaryAsync(
                u => u.RowNumber,
                u => new UndoView(u.State, u.FailedCount, u.ErrorCode, u.ErrorMessage, u.State == "pending" ? u.NextAt : null),
                cancellationToken);
        var assets = await ReadAssets.OfAsync(db, importId,
            [.. rows.Where(r => r is { State: RecordState.Imported, Rid: not null })
                .Select(r => new ReadAssets.ImportedRow(r.RowNumber, r.Rid!, r.Url))], cancellationToken);
        return rows.ConvertAll(r => r with
        {
            Finish = finishes.GetValueOrDefault(r.RowNumber),
            Undo = undone.GetValueOrDefault(r.RowNumber),
            Asset = assets.GetValueOrDefault(r.RowNumber),
        });
    }

    private const string Waits = """
        SELECT h.host, h.failed_in_a_row, h.since, h.code, h.asked_at
        FROM importer.import i JOIN importer.failing_host h ON h.account_id = i.account_id AND h.host = ANY($2)
        WHERE i.id = $1 AND h.asked_at IS NOT NULL
        """;

    /// <summary>The same rows; the pending ones say for which host they wait, if they do.</summary>
    private static async Task<List<RecordView>> WaitingAsync(
        ImporterDb db, int importId, List<RecordView> rows, CancellationToken cancellationToken)
    {
        string[] hosts = [.. rows.Where(r => r is { State: RecordState.Pending, Url: not null }).Select(r => SourceHost.Of(r.Url!))
            .OfType<string>().Distinct()];
        if (hosts.Length == 0) return rows;
        var waits = (await db.QueryAsync<HostWait>(Waits, cancellationToken, importId, hosts)).ToDictionary(w => w.Host);
        return waits.Count == 0 ? rows : rows.ConvertAll(r => r is { State: RecordState.Pending, Url: not null }
            && SourceHost.Of(r.Url) is { } host && waits.TryGetValue(host, out var wait) ? r with { WaitsFor = wait } : r);
    }

    /// <summary>How far those of the imported rows are that have something to be finished.</summary>
    private static async Task<Dictionary<int, FinishView>> FinishesAsync(
        ImporterDb db, int importId, int[] rows, CancellationToken cancellationToken)
    {
        var waiting = WorkBatch.ToFinish(db, importId);
        return await (
            from r in RecordFilter.ToFinish(db, db.Set<ImportRecord>().Where(r => r.ImportId == importId && rows.Contains(r.RowNumber)))
            join f in db.Set<FinishedRecord>().Where(f => f.ImportId == importId && rows.Contains(f.RowNumber))
                on r.RowNumber equals f.RowNumber into finishing
            from f in finishing.DefaultIfEmpty()
            select new { r.RowNumber, Own = f, Waits = waiting.Contains(r.RowNumber) })
            .ToDictionaryAsync(f => f.RowNumber, f => f.Own is null
                ? new FinishView(f.Waits ? "pending" : "done", 0, null, null, null)
                : new FinishView(f.Own.State, f.Own.FailedCount, f.Own.ErrorCode, f.Own.ErrorMessage,
                    f.Own.State == "pending" ? f.Own.NextAt : null), cancellationToken);
    }

    /// <summary>One record with its attempts, or null when the import has no such row.</summary>
    public async Task<RecordDetail?> FindAsync(int importId, int rowNumber, CancellationToken cancellationToken)
    {
        var found = await ListAsync(importId, new RecordFilter { RowNumbers = [rowNumber] }, 0, 1, cancellationToken);
        if (found.Items is not [var record]) return null;
        await using var db = contexts.CreateDbContext();
        return new(record, await db.Set<Attempt>().Where(a => a.ImportId == importId && a.RowNumber == rowNumber).OrderBy(a => a.Number)
            .Select(a => new AttemptView(
                a.Number, a.StartedAt, a.FinishedAt, a.Worker, a.StatusId, a.Outcome, FailureCodes.ClassOf(a.Outcome),
                a.HttpStatus, a.Message))
            .ToListAsync(cancellationToken));
    }

    /// <summary>
    /// For each of these codes what was said of the first record that failed, or is in doubt, with it; codes that nothing was said of are
    /// left out.
    /// </summary>
    public async Task<IReadOnlyDictionary<string, string>> ExamplesAsync(
        int importId, IEnumerable<string> codes, CancellationToken cancellationToken)
    {
        await using var db = contexts.CreateDbContext();
        return (await db.QueryAsync<Example>(Examples, cancellationToken, importId, codes.ToArray()))
            .ToDictionary(e => e.Code, e => e.Message);
    }

    /// <summary>
    /// How many records the filter selects; null when they are more than <paramref name="most"/> and only a walk over them would tell.
    /// </summary>
    public async Task<int?> CountAsync(int importId, RecordFilter filter, int most, CancellationToken cancellationToken)
    {
        await using var db = contexts.CreateDbContext();
        if (filter.IsByStateOnly) return (await CountByStateAsync(db, importId, filter, cancellationToken)).Values.Sum();
        var count = await filter.Of(db, importId).Take(most + 1).CountAsync(cancellationToken);
        return count > most ? null : count;
    }

    /// <summary>How many records the filter selects in each state; states without any are left out.</summary>
    internal static async Task<Dictionary<RecordState, int>> CountByStateAsync(
        ImporterDb db, int importId, RecordFilter filter, CancellationToken cancellationToken)
    {
        var counted = filter.IsByStateOnly
            ? await db.QueryAsync<StateCount>(CountersByState, cancellationToken, importId)
            : await filter.Of(db, importId).GroupBy(r => r.State).Select(g => new StateCount(g.Key, g.Count()))
                .ToListAsync(cancellationToken);
        return counted.Where(c => filter.State is null || c.State == filter.State).ToDictionary(c => c.State, c => c.Count);
    }

    private static readonly string CountersByState = $"""
        SELECT s.state, s.n AS count
        FROM (SELECT {string.Join(", ", EnumText<RecordState>.All.Select(s => $"coalesce(sum({s}_count), 0)::int AS {s}"))}
            FROM importer.import_chunk WHERE import_id = $1) c
        CROSS JOIN LATERAL (VALUES {string.Join(", ", EnumText<RecordState>.All.Select(s => $"('{s}', c.{s})"))}) s(state, n)
        WHERE s.n > 0
        """;

    private static RecordError? ErrorOf(string? code, string? message) =>
        code is null ? null : new(code, FailureCodes.ClassOf(code), message);

    /// <summary>What the manifest says, without the secrets in it: an address may stand in any of its columns.</summary>
    private static string? Shown(string? text) => text is null ? null : Redact.Secrets(text);

    private sealed record Example(string Code, string Message);

    private sealed record StateCount(RecordState State, int Count);
}
