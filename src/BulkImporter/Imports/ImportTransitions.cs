using BulkImporter.Access;
using BulkImporter.Accounts;

namespace BulkImporter.Imports;

/// <summary>
/// What the stages change about an import as a whole. Each statement checks the state that it comes from; no row means that the import is
/// no longer there, and the caller drops what it had. What a person does to an import has an operation of its own beside this file.
/// </summary>
internal static class ImportTransitions
{
    /// <summary>The parse job of each import that waits for one, or whose job was lost for $1, is enqueued.</summary>
    internal const string ParseQueued = """
        UPDATE importer.import SET parse_queued_at = now()
        WHERE state = 'parsing' AND (parse_queued_at IS NULL OR parse_queued_at < now() - $1)
        RETURNING id, name
        """;

    /// <summary>Import $1 has read $2 rows so far.</summary>
    internal const string ParseWentOn =
        "UPDATE importer.import SET parsed_rows = $2, parse_queued_at = now() WHERE id = $1 AND state = 'parsing'";

    /// <summary>
    /// Parsing to review, or to running when the start was asked for. $2 rows were read with the mapping $3, by the template $4.
    /// </summary>
    internal const string Parsed = """
        UPDATE importer.import
        SET state = CASE WHEN start_when_parsed THEN 'running' ELSE 'review' END, row_count = $2, parsed_rows = $2, reason = NULL,
            started_at = CASE WHEN start_when_parsed THEN clock_timestamp() END, checked_at = clock_timestamp(), mapping = $3,
            template = CASE WHEN $4::text IS NOT NULL THEN $4 WHEN mapping IS NOT DISTINCT FROM $3 THEN template END
        WHERE id = $1 AND state = 'parsing'
        """;

    internal const string IsRunning = "SELECT 1 FROM importer.import WHERE id = $1 AND state = 'running'";

    /// <summary>
    /// Of import $1, which has just started with a trial, only the first records stay due. Of one that has no more than those, nothing is
    /// held back.
    /// </summary>
    internal const string HoldRest = """
        WITH trial AS (
            SELECT i.id, (
                SELECT r.row_number FROM importer.import_record r WHERE r.import_id = i.id AND r.state = 'pending'
                ORDER BY r.row_number OFFSET i.trial_count - 1 LIMIT 1) AS last_row
            FROM importer.import i WHERE i.id = $1 AND i.state = 'running' AND i.trial_count IS NOT NULL
        ), held AS (
            UPDATE importer.import i
            SET trial_through = t.last_row, trial_count = CASE WHEN t.last_row IS NOT NULL THEN i.trial_count END
            FROM trial t WHERE i.id = t.id
            RETURNING i.id, i.trial_through
        )
        UPDATE importer.import_chunk c SET due_at = NULL FROM held WHERE c.import_id = held.id AND c.first_row > held.trial_through
        """;

    /// <summary>Record <c>r</c> of import $1 is not held back by a trial.</summary>
    internal const string IsNotHeldBack =
        "r.row_number <= coalesce((SELECT i.trial_through FROM importer.import i WHERE i.id = $1), r.row_number)";

    /// <summary>
    /// Within a statement that has imports (id): nothing of them is held back any more. A chunk that is at work takes its time anew when it
    /// is given back.
    /// </summary>
    internal static string RestIsDue(string imports) => $"""
        UPDATE importer.import_chunk c SET due_at = LEAST(c.due_at, now()) FROM {imports} s WHERE c.import_id = s.id AND c.pending_count > 0
        """;

    /// <summary>Review to parsing, in a transaction that forgets the rows (<see cref="ForgetRows"/>): the manifest is read again.</summary>
    internal const string ReadAgain = """
        UPDATE importer.import
        SET state = 'parsing', row_count = NULL, parsed_rows = 0, parse_queued_at = NULL, reason = NULL, start_when_parsed = false
        WHERE id = $1 AND state = 'review'
        """;

    /// <summary>Parsing to rejected, with the reason $2 and the encoding $3 in which the manifest could be read.</summary>
    internal const string Rejected = """
        UPDATE importer.import SET state = 'rejected', reason = $2, offered_encoding = $3, finished_at = now()
        WHERE id = $1 AND state = 'parsing'
        """;

    /// <summary>
    /// A reading failed with $2, and after $3 tries the import is rejected. What failed is history, so the tries are counted there: those
    /// since a person last changed something. The wait doubles from the usual one of the queue.
    /// </summary>
    internal const string ParseFailed = $"""
        WITH failed AS (
            {Audit.Entry}
            SELECT now(), 'parse', 'manifest_not_read', id, NULL, $2 FROM importer.import WHERE id = $1 AND state = 'parsing'
            RETURNING import_id
        ), tries AS (
            SELECT count(*)::int + 1 AS count FROM importer.audit_entry a
            WHERE a.import_id = $1 AND a.action = 'manifest_not_read'
                AND a.id > coalesce((SELECT max(r.id) FROM importer.audit_entry r WHERE r.import_id = $1
                    AND r.action IN ('import_revised', 'import_started')), 0)
        )
        UPDATE importer.import i
        SET state = CASE WHEN tries.count >= $3 THEN 'rejected' ELSE i.state END, finished_at = CASE WHEN tries.count >= $3 THEN now() END,
            parse_queued_at = now() + LEAST(interval '15 minutes', interval '1 minute' * (power(2, tries.count - 1) - 1)),
            reason = CASE WHEN tries.count >= $3
                THEN format('The manifest could not be read, %s times; the last time: %s '
                    || 'Read it again (revise), or report it with the lines of the log.',
                    tries.count, $2)
                ELSE format('Reading the manifest failed (try %s of %s) and is tried again by itself: %s', tries.count, $3, $2) END
        FROM tries, failed
        WHERE i.id = failed.import_id
        RETURNING tries.count
        """;

    /// <summary>
    /// A chunk (its name $5 begins the reason $2) could not be sent. After $3 such failures within $4, counted since a person last resumed
    /// the import, it is paused.
    /// </summary>
    internal const string ChunkFailed = $"""
        WITH failed AS (
            {Audit.Entry} VALUES (now(), 'dispatch', 'import_not_sent', $1, NULL, $2)
        ), failures AS (
            SELECT count(*)::int + 1 AS count FROM importer.audit_entry a
            WHERE a.import_id = $1 AND a.action = 'import_not_sent' AND starts_with(a.detail, $5) AND a.at > now() - $4
                AND a.id > coalesce((SELECT max(r.id) FROM importer.audit_entry r WHERE r.import_id = $1 AND r.action = 'import_resumed'),
                    0)
        ), paused AS (
            UPDATE importer.import i
            SET state = 'paused',
                reason = format('Paused by itself: a part of it could not be sent, %s times. The last: %s Fix the cause, then resume.',
                    failures.count, $2)
            FROM failures WHERE i.id = $1 AND i.state = 'running' AND failures.count >= $3
            RETURNING i.id, i.account_id, i.reason
        )
        {Facts.ImportPaused}
        """;

    /// <summary>Records of import $1 can move again: what had ended runs. Its failures are judged anew from here.</summary>
    internal const string RunsAgain = $"""
        UPDATE importer.import i
        SET state = CASE WHEN i.state = 'paused' THEN 'paused' ELSE 'running' END,
            reason = CASE WHEN i.state = 'paused' THEN i.reason END,
            started_at = coalesce(i.started_at, now()), finished_at = NULL,
            breaker_finished_base = b.finished, breaker_failed_base = b.failed,
            breaker_compared_base = b.compared, breaker_differed_base = b.differed,
            trial_count = CASE WHEN i.state IN ('running', 'paused') THEN i.trial_count END,
            trial_through = CASE WHEN i.state IN ('running', 'paused') THEN i.trial_through END
        FROM ({BreakerCounts.OfImport}) b
        WHERE i.id = $1
        """;

    /// <summary>
    /// Within a statement that has "tries" (count) and "failed" (import_id): after $4 tries the reason says that the probe stopped with $3.
    /// </summary>
    internal const string ProbeStopped = """
        UPDATE importer.import i SET reason = format('The probe of the sources stopped: %s Probe again, or start without.', $3)
        FROM tries, failed WHERE i.id = failed.import_id AND i.state = 'review' AND tries.count >= $4
        """;

    /// <summary>What was said of import $1 is over.</summary>
    internal const string ReasonOver = "UPDATE importer.import SET reason = NULL WHERE id = $1 AND reason IS NOT NULL";

    /// <summary>The undo of import $1 is ordered, in the transaction that says which assets it deletes.</summary>
    internal const string UndoOrdered = "UPDATE importer.import SET undo_ordered_at = now() WHERE id = $1 AND undo_ordered_at IS NULL";

    /// <summary>Undos of which nothing is left to do.</summary>
    // A new order cannot come in between: it is refused for as long as this one is not noted as ended.
    internal const string EndUndos = $"""
        WITH ended AS (
            UPDATE importer.import i SET undo_ordered_at = NULL
            WHERE i.undo_ordered_at IS NOT NULL
                AND NOT EXISTS (SELECT 1 FROM importer.record_undo u WHERE u.import_id = i.id AND u.state = 'pending')
            RETURNING i.id, i.account_id
        ), noted AS (
            {Facts.Insert}
            SELECT 'undo_ended', now(), e.id, e.account_id, concat_ws(' ',
                CASE c.deleted WHEN 1 THEN '1 asset of it is deleted in Cincopa.'
                    ELSE to_char(c.deleted, 'FM999,999,990') || ' assets of it are deleted in Cincopa.' END,
                CASE WHEN f.failed = 1 THEN '1 could not be deleted; its record says why.'
                    WHEN f.failed > 1 THEN to_char(f.failed, 'FM999,999,990') || ' could not be deleted; their records say why.' END)
            FROM ended e
            CROSS JOIN LATERAL (SELECT coalesce(sum(deleted_count), 0) AS deleted FROM importer.import_chunk WHERE import_id = e.id) c
            CROSS JOIN LATERAL (SELECT count(*) AS failed FROM importer.record_undo WHERE import_id = e.id AND state = 'failed') f
        )
        SELECT id FROM ended
        """;

    /// <summary>Within a statement that has "marked" (import_id): these imports were served now.</summary>
    internal const string Served =
        "UPDATE importer.import SET last_served_at = clock_timestamp() WHERE id IN (SELECT import_id FROM marked)";
}
