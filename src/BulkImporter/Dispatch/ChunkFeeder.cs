using BulkImporter.Accounts;
using BulkImporter.Imports;
using BulkImporter.Records;
using BulkImporter.Telemetry;
using Hangfire;

namespace BulkImporter.Dispatch;

/// <summary>
/// Enqueues due chunks as Hangfire jobs: only as many as the account may run at once, so that pause works at once and a big import does not
/// stand before a small one in the queue. The chunk rows are the outbox: marking commits first, enqueueing comes after, and what is lost
/// between the two is enqueued again when no lease was taken for a while. A job too many finds the lease taken and ends.
/// </summary>
public sealed class ChunkFeeder(
    NpgsqlDataSource database, IBackgroundJobClient jobs, JobStorage storage, IOptions<WorkOptions> options, ILogger<ChunkFeeder> log)
{
    private const string LockFeeding = "SELECT pg_try_advisory_xact_lock(hashtext('bulkimporter.feed'))";

    /// <summary>
    /// Room per account = chunks that its limits allow - chunks queued or running. Without a limit that is two for each thread, so that a
    /// thread which is done finds the next one in the queue. Due chunks take it in turns: higher priority first, then
    /// the import with the fewest chunks at work, then the one that was served least recently.
    /// <para>
    /// Locks go as everywhere: the import, then its chunks in order. An import that is being cancelled, paused or rerun at this moment is
    /// left to the next round; whoever does that may take long.
    /// </para>
    /// </summary>
    private const string MarkQueued = $"""
        WITH running AS MATERIALIZED (
            SELECT id, account_id, priority, last_served_at FROM importer.import
            WHERE state = 'running' AND importer.opens_at(start_at, window_from, window_until, window_zone) IS NULL
            ORDER BY id FOR NO KEY UPDATE SKIP LOCKED
        ), room AS (
            SELECT a.id AS account_id,
                CASE WHEN a.max_in_flight = 0 THEN 2 * $1
                     ELSE LEAST($1, ceil(a.max_in_flight::numeric / LEAST($2, ceil(a.max_in_flight / 4.0)))::int) END
                - (SELECT count(*) FROM importer.import_chunk w JOIN importer.import wi ON wi.id = w.import_id
                   WHERE wi.account_id = a.id AND (w.state = 'running' OR (w.state = 'queued' AND w.queued_at > now() - $3)))::int AS chunks
            FROM importer.account a
            JOIN importer.call_budget b ON b.account_id = a.id AND b.kind = 'submit'
            WHERE a.state = 'active' AND coalesce(b.backlog_room, 1) > 0 AND (b.blocked_until IS NULL OR b.blocked_until <= now())
        ), candidate AS (
            SELECT i.account_id, c.import_id, c.number, i.priority, i.last_served_at,
                (SELECT count(*) FROM importer.import_chunk w WHERE w.import_id = i.id AND w.state <> 'waiting')
                    + row_number() OVER (PARTITION BY i.id ORDER BY c.number) AS turn
            FROM running i
            CROSS JOIN LATERAL (
                SELECT c.import_id, c.number FROM importer.import_chunk c
                WHERE c.import_id = i.id AND c.due_at <= now()
                    AND (c.state = 'waiting' OR (c.state = 'queued' AND c.queued_at <= now() - $3))
                ORDER BY c.number LIMIT 2 * $1
            ) c
        ), chosen AS (
            SELECT import_id, number FROM (
                SELECT c.import_id, c.number, room.chunks,
                    row_number() OVER (PARTITION BY c.account_id ORDER BY c.priority DESC, c.turn, c.last_served_at NULLS FIRST,
                        c.import_id) AS place
                FROM candidate c JOIN room ON room.account_id = c.account_id
            ) ranked
            WHERE place <= chunks
        ), locked AS MATERIALIZED (
            SELECT c.import_id, c.number FROM importer.import_chunk c JOIN chosen USING (import_id, number)
            WHERE c.state <> 'running' ORDER BY c.import_id, c.number FOR NO KEY UPDATE OF c
        ), marked AS (
            {ChunkLease.Queue}
        ), served AS (
            {ImportTransitions.Served}
        )
        SELECT m.import_id, m.number, m.first_row, m.last_row, i.name FROM marked m JOIN importer.import i ON i.id = m.import_id
        ORDER BY m.import_id, m.number
        """;

    /// <summary>One round. Returns the number of chunks enqueued; none when another worker is feeding.</summary>
    public async Task<int> RunAsync(CancellationToken cancellationToken)
    {
        var threads = Math.Max(options.Value.Workers, storage.GetMonitoringApi().Servers()
            .Where(s => s.Queues.Contains(DispatchChunk.Queue)).Sum(s => s.WorkersCount));
        var marked = await database.TransactionAsync<List<Marked>>(async connection =>
        {
            if (!(await connection.QueryAsync<bool>(LockFeeding, cancellationToken)).Single()) return [];
            await connection.ExecuteAsync(CallBudget.MeasureBacklog, cancellationToken);
            return await connection.QueryAsync<Marked>(MarkQueued, cancellationToken, threads, options.Value.Window,
                options.Value.LeaseDuration * 2);
        }, cancellationToken);

        await EachItem.RunAsync(marked, c => $"import {c.ImportId} chunk {c.Number}", c =>
        {
            var (importId, number, title) =
                (c.ImportId, c.Number, FormattableString.Invariant($"{c.Name}, rows {c.FirstRow:N0}-{c.LastRow:N0}"));
            return Task.FromResult(jobs.Enqueue<DispatchChunk>(d => d.RunAsync(importId, number, title, CancellationToken.None)));
        }, cancellationToken);
        if (marked.Count > 0) Log.ChunksFed(log, marked.Count);
        return marked.Count;
    }

    private sealed record Marked(int ImportId, int Number, int FirstRow, int LastRow, string Name);
}
