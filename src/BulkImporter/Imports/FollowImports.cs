using BulkImporter.Accounts;
using BulkImporter.Records;
using BulkImporter.Telemetry;

namespace BulkImporter.Imports;

/// <summary>
/// Watches the running imports by their counters: notes the progress for the rate, makes due what waited for a source's host, pauses one
/// that fails too often or whose assets differ too often from what was expected, pauses one whose trial has ended, finishes one in which no
/// record can move any more, reopens one in which a late answer lets a record move again, and ends the undo of one that has no asset left
/// to be deleted.
/// </summary>
public sealed class FollowImports(
    NpgsqlDataSource database, RecordTransitions transitions, FailingHosts hosts, ILogger<FollowImports> log)
{
    private const string Tick = """
        INSERT INTO importer.import_tick (import_id, at, submitted_count, finished_count)
        SELECT i.id, to_timestamp(floor(extract(epoch FROM now()) / 5) * 5),
            sum(c.submitted_count + c.imported_count + c.failed_count + c.deleted_count),
            sum(c.imported_count + c.failed_count + c.unknown_count + c.cancelled_count + c.deleted_count)
        FROM importer.import i JOIN importer.import_chunk c ON c.import_id = i.id
        WHERE i.state IN ('running', 'paused')
        GROUP BY i.id
        ON CONFLICT (import_id, at) DO NOTHING
        """;

    private static readonly string PauseFailing = Breaker(
        "finished", BreakerCounts.Finished, "failed", BreakerCounts.Failed, "stop_at_failure_percent", "finished records failed");

    private static readonly string PauseDiffering = Breaker(
        "compared", BreakerCounts.Compared, "differed", BreakerCounts.Differed, "stop_at_difference_percent",
        "assets that were compared differ from what was expected");

    private const string PauseLostZone = $"""
        WITH paused AS (
            UPDATE importer.import i SET state = 'paused', reason = replace($1, '{ZonePlace}', i.window_zone)
            WHERE i.state = 'running' AND {ImportSchedule.HasLostZone}
            RETURNING i.id, i.account_id, i.reason
        ), noted AS (
            {Facts.ImportPaused}
        )
        SELECT id, reason FROM paused
        """;

    private const string ZonePlace = "{zone}";

    private const string NoneIsToFinish = """
        NOT EXISTS (SELECT 1 FROM importer.work_batch w WHERE w.import_id = i.id AND w.step = 'finish')
            AND NOT EXISTS (SELECT 1 FROM importer.record_finish f WHERE f.import_id = i.id AND f.state = 'pending')
        """;

    // What was sent of the trial has come to its end, texts and galleries included; whatever else is pending was held back.
    private static readonly string EndTrial = $"""
        WITH ended AS (
            SELECT i.id FROM importer.import i
            WHERE i.state = 'running' AND i.trial_through IS NOT NULL
                AND NOT EXISTS (
                    SELECT 1 FROM importer.import_chunk c WHERE c.import_id = i.id AND c.first_row <= i.trial_through
                        AND (c.submitting_count + c.submitted_count > 0 OR (c.last_row <= i.trial_through AND c.pending_count > 0)))
                AND NOT EXISTS (
                    SELECT 1 FROM importer.import_chunk c
                    JOIN importer.import_record r ON r.import_id = c.import_id AND r.row_number BETWEEN c.first_row AND i.trial_through
                    WHERE c.import_id = i.id AND c.first_row <= i.trial_through AND c.last_row > i.trial_through AND r.state = 'pending')
                AND {NoneIsToFinish}
                AND EXISTS (SELECT 1 FROM importer.import_chunk c WHERE c.import_id = i.id AND c.pending_count > 0)
        ), paused AS (
            UPDATE importer.import i
            SET state = 'paused', trial_through = NULL, reason = CASE WHEN i.trial_count = 1 THEN 'The first record has ended.'
                ELSE format('The first %s records have ended.', i.trial_count) END
            FROM ended WHERE i.id = ended.id AND i.state = 'running'
            RETURNING i.id, i.account_id, i.reason
        ), due AS (
            {ImportTransitions.RestIsDue("paused")}
        ), noted AS (
            {Facts.ImportPaused}
        )
        SELECT id, reason FROM paused
        """;

    private const string NoneCanMove = $"""
        NOT EXISTS (SELECT 1 FROM importer.import_chunk c WHERE c.import_id = i.id
            AND c.pending_count + c.submitting_count + c.submitted_count > 0)
            AND {NoneIsToFinish}
            -- What is in doubt will be sent again, if that is the import's setting and no candidate waits for a person.
            AND NOT (i.when_unknown = 'resubmit' AND EXISTS (
                SELECT 1 FROM importer.import_record r
                WHERE r.import_id = i.id AND r.error_code IS NOT NULL AND r.state = 'unknown' AND r.attempts_left > 0
                    AND NOT EXISTS (
                        SELECT 1 FROM importer.reconcile_candidate k
                        WHERE k.import_id = r.import_id AND k.row_number = r.row_number AND k.attempt = r.attempt_count)))
        """;

    // A rerun holds this lock while it makes records pending. So it is waited for here, and the counters are read by the next
    // statement: in this one they would be as old as the wait, and an import could finish with pending records.
    private const string LockEnding =
        $"SELECT i.id FROM importer.import i WHERE i.state = 'running' AND {NoneCanMove} ORDER BY i.id FOR NO KEY UPDATE";

    private const string Finish = $"""
        WITH finished AS (
            UPDATE importer.import i
            SET state = 'finished', finished_at = now(), reason = NULL, trial_count = NULL, trial_through = NULL
            WHERE i.id = ANY($1) AND i.state = 'running' AND {NoneCanMove}
            RETURNING i.id, i.account_id
        ), noted AS (
            {Facts.Insert} SELECT 'import_finished', now(), id, account_id, NULL FROM finished
        )
        SELECT id FROM finished
        """;

    // An answer may come late, from a worker that was cut off while the others finished: its records can move again, and so does the
    // import.
    private const string Reopen = """
        UPDATE importer.import i
        SET state = 'running', finished_at = NULL
        WHERE i.state = 'finished' AND EXISTS (
            SELECT 1 FROM importer.import_chunk c WHERE c.import_id = i.id AND c.due_at IS NOT NULL AND c.pending_count > 0)
        RETURNING i.id
        """;

    // A submitted record of a cancelled import that failed in a way that could be tried again.
    private const string ReadPendingOfCancelled = """
        SELECT i.id FROM importer.import i
        WHERE i.state = 'cancelled' AND EXISTS (SELECT 1 FROM importer.import_chunk c WHERE c.import_id = i.id AND c.due_at IS NOT NULL
            AND c.pending_count > 0)
        """;

    /// <summary>One round. A step that fails takes nothing from the others.</summary>
    public Task RunAsync(CancellationToken cancellationToken)
    {
        (string Name, Func<CancellationToken, Task> Run)[] steps =
        [
            ("records of cancelled imports", CancelPendingAsync),
            ("finished imports that can move again", stop => TellAsync<int>(Reopen, id => Log.ImportReopened(log, id), stop)),
            ("the progress of imports", stop => database.ExecuteAsync(Tick, stop)),
            ("hosts that have not failed lately", hosts.ForgetOldAsync),
            ("chunks that waited for a host", stop => database.ExecuteAsync(ChunkLease.DueForHosts, stop)),
            ("imports that fail too often",
                stop => TellAsync<Paused>(PauseFailing, i => Log.ImportPausedByBreaker(log, i.Id, i.Reason), stop)),
            ("imports whose assets differ too often",
                stop => TellAsync<Paused>(PauseDiffering, i => Log.ImportPausedByBreaker(log, i.Id, i.Reason), stop)),
            ("imports with an unknown time zone", stop => TellAsync<Paused>(
                PauseLostZone, i => Log.ImportPausedByZone(log, i.Id, i.Reason), stop, ImportSchedule.LostZone(ZonePlace))),
            ("trials that have ended", stop => TellAsync<Paused>(EndTrial, i => Log.TrialEnded(log, i.Id), stop)),
            ("imports that have ended", FinishAsync),
            ("undos that have ended", stop => TellAsync<int>(ImportTransitions.EndUndos, id => Log.UndoEnded(log, id), stop)),
        ];
        return EachItem.RunAsync(steps, s => s.Name, s => s.Run(cancellationToken), cancellationToken);
    }

    private async Task CancelPendingAsync(CancellationToken cancellationToken)
    {
        var cancelled = await database.QueryAsync<int>(ReadPendingOfCancelled, cancellationToken);
        await EachItem.RunAsync(cancelled, id => $"import {id}", id =>
            database.TransactionAsync(connection => transitions.CancelledAsync(connection, id, cancellationToken), cancellationToken),
                cancellationToken);
    }

    /// <summary>Runs a statement and logs each import that it changed.</summary>
    private async Task TellAsync<T>(string statement, Action<T> tell, CancellationToken cancellationToken, params object?[] parameters) =>
        (await database.QueryAsync<T>(statement, cancellationToken, parameters)).ForEach(tell);

    private async Task FinishAsync(CancellationToken cancellationToken)
    {
        var finished = await database.TransactionAsync(async connection =>
        {
            var ending = await connection.QueryAsync<int>(LockEnding, cancellationToken);
            return ending.Count == 0 ? ending : await connection.QueryAsync<int>(Finish, cancellationToken, ending.ToArray());
        }, cancellationToken);
        foreach (var id in finished) Log.ImportFinished(log, id);
    }

    /// <summary>Pauses the running imports of which too large a part went wrong since they were last started or resumed.</summary>
    /// <param name="counted">What is judged, as the column of its base is called.</param>
    /// <param name="counters">Of a chunk.</param>
    /// <param name="wrong">The part of it that went wrong, as the column of its base is called.</param>
    /// <param name="limit">The setting: a percentage, of which 100 is never passed.</param>
    private static string Breaker(string counted, string counters, string wrong, string wrongCounters, string limit, string words) => $"""
        WITH total AS (
            SELECT i.id, sum({counters})::int - i.breaker_{counted}_base AS counted,
                sum({wrongCounters})::int - i.breaker_{wrong}_base AS wrong
            FROM importer.import i JOIN importer.import_chunk c ON c.import_id = i.id
            WHERE i.state = 'running' AND i.{limit} < 100
            GROUP BY i.id
        ), paused AS (
            UPDATE importer.import i
            SET state = 'paused', reason = format('Paused by itself: %s of the last %s {words}. Look at why, then resume.',
                to_char(total.wrong, 'FM999,999,990'), to_char(total.counted, 'FM999,999,990'))
            FROM total
            WHERE i.id = total.id AND i.state = 'running' AND total.counted >= i.stop_after_rows
                AND total.wrong::bigint * 100 > total.counted::bigint * i.{limit}
            RETURNING i.id, i.account_id, i.reason
        ), noted AS (
            {Facts.ImportPaused}
        )
        SELECT id, reason FROM paused
        """;

    private sealed record Paused(int Id, string Reason);
}
