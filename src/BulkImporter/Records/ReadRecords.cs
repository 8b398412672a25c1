using BulkImporter.Data;
using Cincopa.Client;
using Microsoft.EntityFrameworkCore;

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
    public Task<Page<RecordView>> ListAsync(
        int importId, RecordFilter filter, int afterRow, int limit, CancellationToken cancellationToken) =>
        ListAsync(importId, filter, afterRow, int.MaxValue, limit, cancellationToken);

    /// <summary>The same for a part of the import, so that a look through a million records can show what it has found so far.</summary>
    /// <param name="throughRow">The last row that is looked at.</param>
    public async Task<Page<RecordView>> ListAsync(
        int importId, RecordFilter filter, int afterRow, int throughRow, int limit, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        var length = limit + 1;
        var selected = filter.Of(db, importId).Where(r => r.RowNumber > afterRow && r.RowNumber <= throughRow);
        // No index holds the state; the chunks' counters tell which key ranges have a record in it.
        var page = filter.State is { } state && filter.Code is null && filter.RowNumbers is null
            ? ChunkRange.With(db, importId, state).Where(c => c.LastRow > afterRow && c.FirstRow <= throughRow)
                .SelectMany(
                    c => selected.Where(r => r.RowNumber >= c.FirstRow && r.RowNumber <= c.LastRow).OrderBy(r => r.RowNumber).Take(length),
                    (c, r) => new { c.Number, Record = r })
                .OrderBy(r => r.Number).ThenBy(r => r.Record.RowNumber).Take(length).Select(r => r.Record)
            : selected.OrderBy(r => r.RowNumber).Take(length);
        var rows = await (
            from r in page
            join p in FollowedRecord.Of(db, importId) on r.RowNumber equals p.RowNumber into following
            from p in following.DefaultIfEmpty()
            join f in FinishedRecord.Of(db, importId) on r.RowNumber equals f.RowNumber into finishing
            from f in finishing.DefaultIfEmpty()
            orderby r.RowNumber
            select new { Record = r, Followed = p, Finished = f }).ToListAsync(cancellationToken);
        return Page<RecordView>.Of(rows.ConvertAll(r => View(r.Record, r.Followed, r.Finished)), limit, r => r.RowNumber);
    }

    /// <summary>One record with its attempts, or null when the import has no such row.</summary>
    public async Task<RecordDetail?> FindAsync(int importId, int rowNumber, CancellationToken cancellationToken)
    {
        var found = await ListAsync(importId, new RecordFilter { RowNumbers = [rowNumber] }, 0, 1, cancellationToken);
        if (found.Items is not [var record]) return null;
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
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
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        return (await db.QueryAsync<Example>(Examples, cancellationToken, importId, codes.ToArray()))
            .ToDictionary(e => e.Code, e => e.Message);
    }

    /// <summary>
    /// How many records the filter selects; null when they are more than <paramref name="most"/> and only a walk over them would tell.
    /// </summary>
    public async Task<int?> CountAsync(int importId, RecordFilter filter, int most, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
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

    private static RecordView View(ImportRecord r, FollowedRecord? followed, FinishedRecord? finished)
    {
        var progress = r.State == RecordState.Submitted ? followed : null;
        return new(
            r.RowNumber, r.LineNumber, Shown(r.SourceUrl), Shown(r.Caption), Shown(r.ReferenceId), r.State, r.StatusId,
            r.Rid, r.AttemptCount,
            r.ErrorCode is { } code ? new RecordError(code, FailureCodes.ClassOf(code), r.ErrorMessage) : null,
            progress?.ProgressPercent, progress?.ProgressBytes, progress?.TotalBytes, r.NextAttemptAt, r.SubmittedAt, r.FinishedAt,
            r.PossiblyDuplicated,
            r.State == RecordState.Imported && finished is { } f
                ? new FinishView(f.State, f.FailedCount, f.ErrorCode, f.ErrorMessage, f.State == "pending" ? f.NextAt : null)
                : null);
    }

    /// <summary>What the manifest says, without the secrets in it: an address may stand in any of its columns.</summary>
    private static string? Shown(string? text) => text is null ? null : Redact.Secrets(text);

    private sealed record Example(string Code, string Message);

    private sealed record StateCount(RecordState State, int Count);
}

/// <summary>What is read of a submitted record's row in <c>status_poll</c>, which the status stage writes.</summary>
/// <param name="Unmoved">For how long its progress has not changed.</param>
internal sealed record FollowedRecord(int RowNumber, short? ProgressPercent, long? ProgressBytes, long? TotalBytes, TimeSpan Unmoved)
{
    public static IQueryable<FollowedRecord> Of(ImporterDb db, int importId) => db.Database.SqlQuery<FollowedRecord>($"""
        SELECT row_number, progress_percent, progress_bytes, total_bytes, now() - moved_at AS unmoved FROM importer.status_poll
            WHERE import_id = {importId}
        """);
}

/// <summary>What is read of an imported record's row in <c>record_finish</c>, which finishing writes.</summary>
internal sealed record FinishedRecord(
    int RowNumber, string State, short FailedCount, string? ErrorCode, string? ErrorMessage, DateTimeOffset NextAt)
{
    public static IQueryable<FinishedRecord> Of(ImporterDb db, int importId) => db.Database.SqlQuery<FinishedRecord>($"""
        SELECT row_number, state, failed_count, error_code, error_message, next_at FROM importer.record_finish WHERE import_id = {importId}
        """);
}

/// <summary>The rows of a chunk, whose counters the imports keep.</summary>
internal sealed record ChunkRange(int Number, int FirstRow, int LastRow)
{
    /// <summary>Those that have a record in this state.</summary>
    public static IQueryable<ChunkRange> With(ImporterDb db, int importId, RecordState state)
    {
        const string Ranges = "SELECT number, first_row, last_row FROM importer.import_chunk WHERE import_id = {0}";
        // A column is no parameter; the name of a state is one of ours.
        var counter = $"{EnumText<RecordState>.Of(state)}_count";
#pragma warning disable EF1003
        return db.Database.SqlQueryRaw<ChunkRange>(Ranges + $" AND {counter} > 0", importId);
#pragma warning restore EF1003
    }
}
