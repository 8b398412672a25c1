using BulkImporter.Data;
using BulkImporter.Sources;
using Npgsql;

namespace BulkImporter.Records;

/// <summary>An intent that was committed: this attempt of this row may now be sent, once.</summary>
public readonly record struct Intent(int RowNumber, short Attempt);

/// <summary>What the answer to an attempt makes of its record.</summary>
/// <param name="To">submitted, imported (a pushed file), pending (again; failed when no attempt is left), failed or unknown.</param>
/// <param name="RetryAfter">How long the record waits when it becomes pending.</param>
/// <param name="GiveBack">The failure was not the row's: the attempt does not count against it.</param>
public sealed record Answer(
    int RowNumber, short Attempt, RecordState To, string? StatusId, FailureCode? Code, short? HttpStatus, string? Message,
    TimeSpan? RetryAfter, bool GiveBack, string? Rid = null);

/// <summary>What the status call makes of a submitted record.</summary>
/// <param name="To">imported, pending (again; failed when no attempt is left), failed or unknown.</param>
/// <param name="GiveBack">The failure was not the row's: the attempt does not count against it.</param>
public sealed record Conclusion(
    int ImportId, int RowNumber, string StatusId, RecordState To, string? Rid, FailureCode? Code, string? Message, TimeSpan? RetryAfter, bool GiveBack = false);

/// <summary>An asset that is taken to be the one of a record in doubt.</summary>
/// <param name="Attempt">The attempt in doubt; when the record has begun another, nothing is adopted.</param>
/// <param name="Note">Who says so, kept with the attempt.</param>
public sealed record Adoption(int ImportId, int RowNumber, short Attempt, string Rid, string Note);

/// <summary>What a person replaces in a row; null leaves a value as it is.</summary>
/// <param name="SourceKey">The key of <paramref name="Url"/>; null when that is.</param>
public sealed record RecordCorrection(int RowNumber, string? Url, Guid? SourceKey, string? Caption, string? ReferenceId, bool? IsPush);

/// <summary>A record that has an asset.</summary>
public sealed record AssetOwner(string Rid, int ImportId, int RowNumber);

/// <summary>
/// The state machine: every change of a record's state, each one guarded statement that checks the state it comes from. A row that is
/// not in the result was "no longer ours", and the caller says what that means. The counters of <c>import_chunk</c> follow in the same
/// statement by the trigger <c>count_record_states</c>, which also makes the chunk due when a record becomes pending.
/// <para>
/// Locks: whoever changes records locks their chunks first, in order; so no two of these can wait for each other.
/// </para>
/// <para>
/// The fence is the attempt's number. Intents are only committed under a live lease and each takes a new number, so an answer that
/// carries the record's current number is the answer to the last call that was sent, however late it comes and whoever holds the lease.
/// </para>
/// </summary>
public sealed class RecordTransitions(NpgsqlDataSource database)
{
    /// <summary>Pending to duplicate, within the parse: every row but the first of those that name the same source. The finding is written with it.</summary>
    private static readonly string MarkDuplicates = $"""
        WITH shared AS (
            SELECT source_key, min(row_number) AS first_row FROM importer.import_record
            WHERE import_id = $1 AND source_key IS NOT NULL
            GROUP BY source_key HAVING count(*) > 1
        ), moved AS (
            UPDATE importer.import_record r
            SET state = 'duplicate', error_code = 'duplicate_url', error_message = 'Row ' || shared.first_row || ' has the same address.', finished_at = now()
            FROM shared
            WHERE r.import_id = $1 AND r.source_key = shared.source_key AND r.row_number > shared.first_row AND r.state = 'pending'
            RETURNING r.row_number, r.line_number, r.source_url, shared.first_row
        )
        INSERT INTO importer.finding (import_id, row_number, line_number, column_name, code, severity, value, other_row)
        SELECT $1, row_number, line_number, $2, 'duplicate_url', 'error', {Masked("source_url")}, first_row FROM moved
        """;

    /// <summary>Pending to duplicate, within the parse: what an earlier import of the account has (temporary table known_source). The finding is written with it.</summary>
    private static readonly string MarkKnown = $"""
        WITH moved AS (
            UPDATE importer.import_record r
            SET state = 'duplicate', error_code = 'already_imported', finished_at = now(),
                error_message = format(CASE WHEN k.imported THEN 'Row %s of import %s has imported this address.' ELSE 'Row %s of import %s has this address in progress.' END, k.row_number, k.import_id)
            FROM known_source k
            WHERE r.import_id = $1 AND r.source_key = k.source_key AND r.state = 'pending'
            RETURNING r.row_number, r.line_number, r.source_url, k.import_id AS other_import, k.row_number AS other_row
        )
        INSERT INTO importer.finding (import_id, row_number, line_number, column_name, code, severity, value, other_row, other_import)
        SELECT $1, row_number, line_number, $2, 'already_imported', 'error', {Masked("source_url")}, other_row, other_import FROM moved
        """;

    /// <summary>Pending to submitting: begins an attempt for each row that is due, if the lease is live, import and account still run and the import may send at this hour. The commit is the permission to send.</summary>
    private const string CommitIntents = """
        WITH gate AS (
            SELECT 1 FROM importer.import_chunk c
            JOIN importer.import i ON i.id = c.import_id AND i.state = 'running' AND importer.opens_at(i.start_at, i.window_from, i.window_until, i.window_zone) IS NULL
            JOIN importer.account a ON a.id = i.account_id AND a.state = 'active'
            JOIN importer.call_budget b ON b.account_id = a.id AND b.kind = 'submit' AND (b.blocked_until IS NULL OR b.blocked_until <= now())
            WHERE c.import_id = $1 AND c.number = $2 AND c.lease_token = $3 AND c.lease_until > now()
        ), moved AS (
            UPDATE importer.import_record r
            SET state = 'submitting', attempt_count = r.attempt_count + 1, attempts_left = r.attempts_left - 1, next_attempt_at = NULL
            FROM gate, unnest($4::int[]) AS due(row_number)
            WHERE r.import_id = $1 AND r.row_number = due.row_number AND r.state = 'pending'
            RETURNING r.row_number, r.attempt_count
        )
        INSERT INTO importer.attempt (import_id, row_number, number, started_at, worker)
        SELECT $1, row_number, attempt_count, now(), $5 FROM moved
        RETURNING row_number, number
        """;

    // The attempts of a new import are not in the statistics: named as $1, the import would seem to have one attempt, and the planner would
    // read all of them each time. As a column of a materialized table it leaves only the look-up by the whole key.
    private const string OpenIntents = """
        WITH begun AS MATERIALIZED (SELECT $1::int AS import_id, row_number FROM unnest($2::int[]) AS b(row_number))
        SELECT r.row_number, r.attempt_count
        FROM begun b
        JOIN importer.import_record r USING (import_id, row_number)
        JOIN importer.attempt t ON t.import_id = b.import_id AND t.row_number = b.row_number AND t.number = r.attempt_count
        WHERE r.state IN ('submitting', 'unknown') AND t.worker = $3
        """;

    /// <summary>Submitting (or unknown, when the rescue came before the late answer) to what the answer says.</summary>
    // The attempts that a record counts are there, so the insert is an update that always takes the key. A plain UPDATE is planned by statistics,
    // which know nothing of the attempts of a new installation; such a plan, once cached, reads the whole table for each batch.
    private const string WriteAnswers = $"""
        WITH answer AS (
            SELECT * FROM unnest($2::int[], $3::smallint[], $4::text[], $5::text[], $6::text[], $7::smallint[], $8::text[], $9::interval[], $10::smallint[], $14::text[])
                AS a(row_number, attempt, state, status_id, code, http_status, message, retry_after, give_back, rid)
        ), moved AS (
            UPDATE importer.import_record r
            SET state = CASE WHEN a.state = 'pending' AND r.attempts_left + a.give_back <= 0 THEN 'failed' ELSE a.state END,
                status_id = a.status_id,
                rid = a.rid,
                error_code = a.code,
                error_message = CASE WHEN a.code IS NOT NULL THEN a.message END,
                attempts_left = r.attempts_left + a.give_back,
                next_attempt_at = CASE WHEN a.state = 'pending' AND r.attempts_left + a.give_back > 0 THEN now() + a.retry_after END,
                submitted_at = CASE WHEN a.state IN ('submitted', 'imported') THEN now() END,
                finished_at = CASE WHEN a.state = 'submitted' OR (a.state = 'pending' AND r.attempts_left + a.give_back > 0) THEN NULL ELSE now() END
            FROM answer a
            WHERE r.import_id = $1 AND r.row_number = a.row_number AND r.attempt_count = a.attempt AND r.state IN ('submitting', 'unknown')
            RETURNING r.import_id, r.row_number, r.state, r.status_id, r.attempt_count, r.rid, r.caption, r.reference_id, r.is_push
        ), finishing AS (
            {BeginFinishing}
        ), uploaded AS (
            DELETE FROM importer.push_upload u USING moved m WHERE m.state = 'imported' AND u.import_id = m.import_id AND u.row_number = m.row_number
        ), closed AS (
            INSERT INTO importer.attempt AS t (import_id, row_number, number, started_at, worker, status_id, http_status, message, outcome, finished_at)
            SELECT $1, a.row_number, a.attempt, now(), $13, a.status_id, a.http_status, a.message, coalesce(a.code, CASE a.state WHEN 'imported' THEN 'imported' ELSE 'accepted' END),
                CASE WHEN a.code IS NOT NULL OR a.state = 'imported' THEN now() END
            FROM answer a JOIN importer.import_record r ON r.import_id = $1 AND r.row_number = a.row_number AND a.attempt BETWEEN 1 AND r.attempt_count
            ON CONFLICT (import_id, row_number, number) DO UPDATE SET status_id = excluded.status_id, http_status = excluded.http_status,
                message = excluded.message, outcome = excluded.outcome, finished_at = excluded.finished_at
            WHERE t.outcome IS NULL OR t.outcome = 'worker_lost'
        ), followed AS (
            INSERT INTO importer.status_poll (import_id, row_number, attempt, account_id, status_id, submitted_at, next_poll_at, moved_at, poll_count)
            SELECT $1, row_number, attempt_count, $11, status_id, now(), now() + $12, now(), 0 FROM moved WHERE state = 'submitted'
            ON CONFLICT (import_id, row_number) DO UPDATE SET status_id = excluded.status_id, attempt = excluded.attempt, submitted_at = excluded.submitted_at,
                next_poll_at = excluded.next_poll_at, moved_at = excluded.moved_at, poll_count = 0, not_found_since = NULL,
                next_abort_at = NULL, abort_answered_at = NULL, progress_percent = NULL, progress_bytes = NULL, total_bytes = NULL
        )
        SELECT row_number FROM moved
        """;

    /// <summary>
    /// An accepted answer whose record has moved on: the source was imported twice, and the operator must be able to see it.
    /// A record that already holds this status_id only had its commit acknowledged late.
    /// </summary>
    private const string MarkPossiblyDuplicated = """
        UPDATE importer.import_record r SET possibly_duplicated = true
        FROM unnest($2::int[], $3::text[]) AS late(row_number, status_id)
        WHERE r.import_id = $1 AND r.row_number = late.row_number AND r.status_id IS DISTINCT FROM late.status_id
        RETURNING r.row_number
        """;

    /// <summary>
    /// Of the records that <c>moved</c> to imported, those that have something to be finished. Everything that makes a record imported
    /// says so in the same statement, so none is forgotten.
    /// </summary>
    private const string BeginFinishing = """
        INSERT INTO importer.record_finish (import_id, row_number, account_id, rid, state, next_at, failed_count)
            SELECT m.import_id, m.row_number, i.account_id, m.rid, 'pending', now(), 0
            FROM moved m JOIN importer.import i ON i.id = m.import_id
            LEFT JOIN importer.record_meta x ON x.import_id = m.import_id AND x.row_number = m.row_number
            WHERE m.state = 'imported' AND (m.caption IS NOT NULL OR m.reference_id IS NOT NULL OR m.is_push
                OR coalesce(x.description, x.long_description, x.tags, x.related_link_text, x.related_link_url, x.gallery) IS NOT NULL)
            ON CONFLICT (import_id, row_number) DO NOTHING
        """;

    /// <summary>The same for a pushed file whose asset is not the record's.</summary>
    private const string MarkPushedTwice = """
        UPDATE importer.import_record r SET possibly_duplicated = true
        FROM unnest($2::int[], $3::text[]) AS late(row_number, rid)
        WHERE r.import_id = $1 AND r.row_number = late.row_number AND r.rid IS DISTINCT FROM late.rid
        RETURNING r.row_number
        """;

    /// <summary>Submitted to what the status call says; the status_id is the guard, so the end of an older attempt changes nothing.</summary>
    private const string WriteConclusions = $"""
        WITH conclusion AS (
            SELECT * FROM unnest($1::int[], $2::int[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::interval[], $9::smallint[])
                AS c(import_id, row_number, status_id, state, rid, code, message, retry_after, give_back)
        ), moved AS (
            UPDATE importer.import_record r
            SET state = CASE WHEN c.state = 'pending' AND r.attempts_left + c.give_back <= 0 THEN 'failed' ELSE c.state END,
                rid = c.rid,
                error_code = c.code,
                error_message = c.message,
                attempts_left = r.attempts_left + c.give_back,
                next_attempt_at = CASE WHEN c.state = 'pending' AND r.attempts_left + c.give_back > 0 THEN now() + c.retry_after END,
                finished_at = CASE WHEN c.state = 'pending' AND r.attempts_left + c.give_back > 0 THEN NULL ELSE now() END
            FROM conclusion c
            WHERE r.import_id = c.import_id AND r.row_number = c.row_number AND r.status_id = c.status_id AND r.state = 'submitted'
            RETURNING r.import_id, r.row_number, r.attempt_count, r.state, r.rid, r.caption, r.reference_id, r.is_push
        ), finishing AS (
            {BeginFinishing}
        ), closed AS (
            UPDATE importer.attempt t
            SET finished_at = now(), outcome = coalesce(c.code, 'imported'), message = nullif(concat_ws(' ', t.message, c.message), ''),
                size_bytes = CASE WHEN c.state = 'unknown' THEN
                    (SELECT p.total_bytes FROM importer.status_poll p WHERE p.import_id = m.import_id AND p.row_number = m.row_number) END
            FROM moved m JOIN conclusion c USING (import_id, row_number)
            WHERE t.import_id = m.import_id AND t.row_number = m.row_number AND t.number = m.attempt_count
        ), unfollowed AS (
            DELETE FROM importer.status_poll p USING conclusion c
            WHERE p.import_id = c.import_id AND p.row_number = c.row_number AND p.status_id = c.status_id
        )
        SELECT count(*) FROM moved
        """;

    /// <summary>
    /// Submitting to unknown, for a chunk whose lease has run out; the chunk goes back to waiting in the same transaction. A push whose last
    /// range had not begun made no asset: it is pending again (failed when no attempt is left) and goes on where it stood.
    /// </summary>
    private const string TakeExpiredChunk = """
        UPDATE importer.import_chunk
        SET state = 'waiting', lease_owner = NULL, lease_token = NULL, lease_until = NULL, lease_window = 0, due_at = now()
        WHERE import_id = $1 AND number = $2 AND state = 'running' AND lease_until < now()
        RETURNING first_row, last_row
        """;

    private const string LoseSubmitting = """
        WITH lost AS (
            SELECT r.import_id, r.row_number, r.is_push AND NOT EXISTS (
                SELECT 1 FROM importer.push_upload u
                WHERE u.import_id = r.import_id AND u.row_number = r.row_number AND u.attempt = r.attempt_count AND u.last_begun_at IS NOT NULL) AS is_safe
            FROM importer.import_record r
            WHERE r.import_id = $1 AND r.row_number BETWEEN $2 AND $3 AND r.state = 'submitting'
        ), moved AS (
            UPDATE importer.import_record r
            SET state = CASE WHEN NOT l.is_safe THEN 'unknown' WHEN r.attempts_left > 0 THEN 'pending' ELSE 'failed' END,
                error_code = CASE WHEN l.is_safe THEN 'push_interrupted' ELSE 'worker_lost' END,
                finished_at = CASE WHEN NOT l.is_safe OR r.attempts_left <= 0 THEN now() END,
                error_message = CASE WHEN l.is_safe THEN 'The worker stopped while it sent the file; the next attempt goes on from there.'
                    ELSE 'The worker stopped between sending the call and recording its answer.' END
            FROM lost l
            WHERE r.import_id = l.import_id AND r.row_number = l.row_number AND r.state = 'submitting'
            RETURNING r.import_id, r.row_number, r.attempt_count, r.state, r.error_code
        ), closed AS (
            UPDATE importer.attempt t
            SET finished_at = now(), outcome = m.error_code
            FROM moved m
            WHERE t.import_id = m.import_id AND t.row_number = m.row_number AND t.number = m.attempt_count
        )
        SELECT count(*) FILTER (WHERE state = 'unknown')::int FROM moved
        """;

    /// <summary>Unknown to pending: a pushed file that is not there under its name, which is its row's alone, did not arrive.</summary>
    private const string PushAgain = """
        UPDATE importer.import_record r
        SET state = 'pending', next_attempt_at = NULL, finished_at = NULL
        FROM unnest($1::int[], $2::int[], $3::smallint[]) AS p(import_id, row_number, attempt)
        WHERE r.import_id = p.import_id AND r.row_number = p.row_number AND r.attempt_count = p.attempt AND r.state = 'unknown' AND r.is_push AND r.attempts_left > 0
        """;

    private const string LockChunksInDoubt = """
        SELECT 1 FROM importer.import_chunk WHERE import_id = $1 AND unknown_count > 0 ORDER BY number FOR NO KEY UPDATE
        """;

    /// <summary>
    /// Unknown to pending, by the import's own setting: after the grace time, while attempts are left, and only while the import runs. Not
    /// before the remote side was looked through for the asset, unless that cannot be done for so long; and not while candidates wait for a person.
    /// </summary>
    private const string ResubmitUnknown = """
        UPDATE importer.import_record r
        SET state = 'pending', next_attempt_at = NULL, finished_at = NULL
        FROM importer.import_chunk c JOIN importer.import i ON i.id = c.import_id AND i.state = 'running' AND i.when_unknown = 'resubmit'
        WHERE c.import_id = $1 AND c.unknown_count > 0
            AND r.import_id = $1 AND r.row_number BETWEEN c.first_row AND c.last_row
            AND r.state = 'unknown' AND r.attempts_left > 0 AND r.finished_at <= now() - $2
            AND (r.finished_at <= now() - $3 OR EXISTS (
                SELECT 1 FROM importer.attempt t
                WHERE t.import_id = r.import_id AND t.row_number = r.row_number AND t.number = r.attempt_count AND t.looked_at IS NOT NULL))
            AND NOT EXISTS (
                SELECT 1 FROM importer.reconcile_candidate k
                WHERE k.import_id = r.import_id AND k.row_number = r.row_number AND k.attempt = r.attempt_count)
        """;

    /// <summary>Adoptions of one account take turns, so that two of them cannot take the same asset.</summary>
    private const string LockAdoption = "SELECT 1 FROM pg_advisory_xact_lock(hashtext('bulkimporter.adopt'), $1)";

    private const string ReadOwners = """
        SELECT r.rid, r.import_id, r.row_number
        FROM importer.import i JOIN importer.import_record r ON r.import_id = i.id
        WHERE i.account_id = $1 AND r.rid = ANY($2)
        """;

    /// <summary>Unknown to imported: the asset was found. What the attempt had ended with is kept in its message. The asset is nobody else's candidate any more.</summary>
    private const string Adopt = $"""
        WITH adoption AS (
            SELECT * FROM unnest($2::int[], $3::int[], $4::smallint[], $5::text[], $6::text[]) AS a(import_id, row_number, attempt, rid, note)
        ), moved AS (
            UPDATE importer.import_record r
            SET state = 'imported', rid = a.rid, error_code = NULL, error_message = NULL, finished_at = now()
            FROM adoption a
            WHERE r.import_id = a.import_id AND r.row_number = a.row_number AND r.attempt_count = a.attempt AND r.state = 'unknown'
            RETURNING r.import_id, r.row_number, r.attempt_count, r.state, r.rid, r.caption, r.reference_id, r.is_push, a.note
        ), finishing AS (
            {BeginFinishing}
        ), uploaded AS (
            DELETE FROM importer.push_upload u USING moved m WHERE u.import_id = m.import_id AND u.row_number = m.row_number
        ), closed AS (
            UPDATE importer.attempt t
            SET finished_at = now(), outcome = 'reconciled', message = concat_ws(' ', t.outcome || ':', t.message, m.note)
            FROM moved m
            WHERE t.import_id = m.import_id AND t.row_number = m.row_number AND t.number = m.attempt_count
        ), settled AS (
            DELETE FROM importer.reconcile_candidate k USING moved m, importer.import i
            WHERE (k.import_id = m.import_id AND k.row_number = m.row_number AND i.id = m.import_id)
                OR (k.rid = m.rid AND i.id = k.import_id AND i.account_id = $1)
        )
        SELECT import_id, row_number FROM moved
        """;

    /// <summary>
    /// The acceptance of the very call whose asset was adopted in the meantime. The status_id is kept with the attempt and followed, so
    /// that its end can tell whether it is that asset; the record stays as it is.
    /// </summary>
    private const string FollowAdopted = """
        WITH kept AS (
            UPDATE importer.attempt t SET status_id = late.status_id
            FROM unnest($2::int[], $3::smallint[], $4::text[]) AS late(row_number, attempt, status_id), importer.import_record r
            WHERE t.import_id = $1 AND t.row_number = late.row_number AND t.number = late.attempt AND t.outcome = 'reconciled'
                AND (t.status_id IS NULL OR t.status_id = late.status_id)
                AND r.import_id = $1 AND r.row_number = late.row_number AND r.attempt_count = late.attempt AND r.state = 'imported'
            RETURNING t.row_number, t.number, t.status_id
        ), followed AS (
            INSERT INTO importer.status_poll (import_id, row_number, attempt, account_id, status_id, submitted_at, next_poll_at, moved_at, poll_count)
            SELECT $1, row_number, number, $5, status_id, now(), now() + $6, now(), 0 FROM kept
            ON CONFLICT (import_id, row_number) DO NOTHING
        )
        SELECT row_number FROM kept
        """;

    /// <summary>What became of a call whose asset had been adopted before: another asset means that the source may be there twice, a failure that the adopted asset is not this call's.</summary>
    private const string CompareAdopted = """
        WITH said AS (
            SELECT c.*, t.number FROM unnest($1::int[], $2::int[], $3::text[], $4::text[], $5::text[]) AS c(import_id, row_number, status_id, state, rid)
            JOIN importer.attempt t ON t.import_id = c.import_id AND t.row_number = c.row_number AND t.status_id = c.status_id AND t.outcome = 'reconciled'
        ), differs AS (
            UPDATE importer.import_record r SET possibly_duplicated = r.possibly_duplicated OR s.rid IS NOT NULL
            FROM said s
            WHERE r.import_id = s.import_id AND r.row_number = s.row_number AND r.attempt_count = s.number AND r.state = 'imported'
                AND (r.rid <> s.rid OR s.state IN ('pending', 'failed'))
            RETURNING r.import_id, r.row_number, s.number, coalesce('named the asset ' || s.rid, 'told that the import had failed') AS what
        )
        UPDATE importer.attempt t SET message = concat_ws(' ', t.message, 'Later Cincopa ' || d.what || '.')
        FROM differs d WHERE t.import_id = d.import_id AND t.row_number = d.row_number AND t.number = d.number
        """;

    /// <summary>The first lock of whoever changes a chunk's records or its lease.</summary>
    internal const string LockChunk = "SELECT 1 FROM importer.import_chunk WHERE import_id = $1 AND number = $2 FOR NO KEY UPDATE";

    private const string LockChunksOfRows = """
        SELECT 1 FROM importer.import_chunk c
        WHERE (c.import_id, c.number) IN (
            SELECT r.import_id, r.chunk_number FROM importer.import_record r
            JOIN unnest($1::int[], $2::int[]) AS k(import_id, row_number) USING (import_id, row_number))
        ORDER BY c.import_id, c.number
        FOR NO KEY UPDATE
        """;

    private const string LockChunksOfImport = "SELECT 1 FROM importer.import_chunk WHERE import_id = $1 ORDER BY number FOR NO KEY UPDATE";

    /// <summary>Pending to cancelled. What is being sent or followed goes on to its end.</summary>
    private const string CancelPending = """
        UPDATE importer.import_record r
        SET state = 'cancelled', next_attempt_at = NULL, finished_at = now()
        FROM importer.import_chunk c
        WHERE c.import_id = $1 AND c.pending_count > 0
            AND r.import_id = $1 AND r.row_number BETWEEN c.first_row AND c.last_row AND r.state = 'pending'
        """;

    /// <summary>Unknown to failed, by a person. What was seen last stays in the message and on the attempt.</summary>
    private const string GiveUp = """
        UPDATE importer.import_record r
        SET state = 'failed', error_code = 'given_up', finished_at = now(),
            error_message = left(concat_ws(' ', $2, 'Before: ' || r.error_code || '.', r.error_message), 500)
        WHERE r.import_id = $1 AND r.row_number = ANY($3) AND r.state = 'unknown'
        """;

    /// <summary>
    /// Failed, cancelled and (when asked for) unknown and duplicate to pending with all attempts again, and pushed from then on if that is asked
    /// for. The attempts that were made are kept.
    /// </summary>
    // Of a duplicate that a result file called imported, the address is stored as it is shown: where that hides something, it cannot be sent.
    private const string MakePendingAgain = """
        UPDATE importer.import_record r
        SET state = 'pending', attempts_left = i.max_attempts, next_attempt_at = NULL, status_id = NULL, rid = NULL,
            error_code = NULL, error_message = NULL, submitted_at = NULL, finished_at = NULL, is_push = r.is_push OR $3
        FROM importer.import i
        WHERE i.id = $1 AND r.import_id = $1 AND r.row_number = ANY($5) AND r.state = ANY($2) AND ($4 OR r.error_code IS DISTINCT FROM 'given_up')
            AND (r.state <> 'duplicate' OR r.source_url !~ '//\*\*\*@|…$')
        """;

    /// <summary>
    /// Invalid to pending, pushed from then on: rows of which nothing was found but that Cincopa cannot fetch them. Their addresses are stored whole
    /// (<c>RowBatch</c>; older rows have them masked), and a source that another row has, or had first, is left out.
    /// </summary>
    private const string PushInvalid = """
        UPDATE importer.import_record r
        SET state = 'pending', attempts_left = i.max_attempts, next_attempt_at = NULL, error_code = NULL, error_message = NULL, finished_at = NULL, is_push = true
        FROM importer.import i
        WHERE i.id = $1 AND r.import_id = $1 AND r.row_number = ANY($2) AND r.state = 'invalid' AND r.error_code IN ('url_host_private', 'url_too_long')
            AND r.source_url NOT LIKE '%…%'
            AND NOT EXISTS (SELECT 1 FROM importer.finding f WHERE f.import_id = $1 AND f.row_number = r.row_number AND f.severity = 'error'
                AND f.code NOT IN ('url_host_private', 'url_too_long'))
            AND NOT EXISTS (SELECT 1 FROM importer.import_record o WHERE o.import_id = $1 AND o.source_url = r.source_url AND o.row_number <> r.row_number
                AND (o.state <> 'invalid' OR o.row_number < r.row_number))
        """;

    /// <summary>
    /// An address or a reference id that was not blocked as a finding shows it (<c>FindingMask</c> in SQL): without its query, at most 120
    /// characters. For findings that only the database can make.
    /// </summary>
    internal static string Masked(string value) =>
        $"(SELECT CASE WHEN length(m) <= 120 THEN m ELSE left(m, 119) || '…' END FROM regexp_replace({value}, '(//[^?#]*[?#]).+', '\\1…') AS m)";

    /// <summary>
    /// Failed, invalid and duplicate to pending with all attempts again, with other values; what was replaced is kept. The record must have a
    /// source afterwards that was not masked and is its own: an invalid or duplicate one takes part only with a new address.
    /// </summary>
    private const string Correct = """
        WITH correction AS (
            SELECT * FROM unnest($2::int[], $3::text[], $4::uuid[], $5::text[], $6::text[], $8::bool[]) AS c(row_number, url, source_key, caption, reference_id, is_push)
        ), before AS (
            SELECT r.row_number, r.source_url, r.caption, r.reference_id, r.is_push
            FROM importer.import_record r JOIN correction c USING (row_number)
            WHERE r.import_id = $1 AND (r.state = 'failed' OR (r.state IN ('invalid', 'duplicate') AND c.url IS NOT NULL)) FOR NO KEY UPDATE OF r
        ), moved AS (
            UPDATE importer.import_record r
            SET state = 'pending', attempts_left = i.max_attempts, next_attempt_at = NULL, status_id = NULL, rid = NULL,
                error_code = NULL, error_message = NULL, submitted_at = NULL, finished_at = NULL,
                source_url = coalesce(c.url, r.source_url), source_key = CASE WHEN c.url IS NULL THEN r.source_key ELSE c.source_key END,
                caption = coalesce(c.caption, r.caption), reference_id = coalesce(c.reference_id, r.reference_id),
                is_push = coalesce(c.is_push, r.is_push)
            FROM correction c JOIN before b USING (row_number), importer.import i
            WHERE i.id = $1 AND r.import_id = $1 AND r.row_number = c.row_number AND r.state IN ('failed', 'invalid', 'duplicate')
            RETURNING r.row_number
        ), uploaded AS (
            -- What had been sent of a file is of no use to another.
            DELETE FROM importer.push_upload u USING moved m WHERE u.import_id = $1 AND u.row_number = m.row_number
        ), noted AS (
            INSERT INTO importer.correction (import_id, row_number, at, actor, field, old_value, new_value)
            SELECT $1, m.row_number, now(), $7, v.field, v.old_value, v.new_value
            FROM moved m JOIN before b USING (row_number) JOIN correction c USING (row_number)
            CROSS JOIN LATERAL (VALUES ('url', b.source_url, c.url), ('caption', b.caption, c.caption), ('reference_id', b.reference_id, c.reference_id),
                ('transfer', CASE WHEN b.is_push THEN 'push' ELSE 'pull' END, CASE WHEN c.is_push THEN 'push' WHEN NOT c.is_push THEN 'pull' END)) v(field, old_value, new_value)
            WHERE v.new_value IS NOT NULL
            ORDER BY m.row_number
        )
        SELECT row_number FROM moved
        """;

    /// <summary>Marks the duplicates of an import that is being parsed, in the parse's transaction. Answers how many.</summary>
    public Task<int> DuplicateAsync(NpgsqlConnection connection, int importId, string? urlColumn, CancellationToken cancellationToken) =>
        connection.ExecuteLongAsync(MarkDuplicates, cancellationToken, importId, urlColumn);

    /// <summary>
    /// Marks the rows of an import that is being parsed whose source is in the temporary table <c>known_source</c> (source_key, import_id,
    /// row_number, imported), in the parse's transaction. Answers how many.
    /// </summary>
    public Task<int> KnownEarlierAsync(NpgsqlConnection connection, int importId, string? urlColumn, CancellationToken cancellationToken) =>
        connection.ExecuteLongAsync(MarkKnown, cancellationToken, importId, urlColumn);

    /// <summary>
    /// Begins an attempt for each of <paramref name="rows"/> that is still pending. Nothing is sent for a row that is not in the answer:
    /// the lease is lost, the import paused or the account suspended.
    /// </summary>
    public async Task<IReadOnlyList<Intent>> SubmittingAsync(Lease lease, int[] rows, CancellationToken cancellationToken) =>
        (await AnsweredAndSubmittingAsync(lease, [], rows, TimeSpan.Zero, cancellationToken)).Begun;

    /// <summary>The intents among <paramref name="rows"/> that were committed under this lease and that nobody has answered; also those that the rescue took for sent.</summary>
    public async Task<IReadOnlyList<Intent>> OpenIntentsAsync(Lease lease, int[] rows, CancellationToken cancellationToken) =>
        await database.QueryAsync(OpenIntents, r => new Intent(r.GetInt32(0), r.GetInt16(1)), cancellationToken, lease.ImportId, rows, lease.Signature);

    /// <summary>
    /// Writes what was answered. Takes the lease to know the chunk, not to check it: the attempt number fences each row, and a late
    /// answer of a worker that lost its lease is the best news that a record in doubt can get.
    /// Returns the accepted answers that no longer count for their record, which is then marked as possibly duplicated.
    /// </summary>
    public async Task<IReadOnlyList<Answer>> AnsweredAsync(Lease lease, IReadOnlyList<Answer> answers, TimeSpan firstPoll, CancellationToken cancellationToken) =>
        (await AnsweredAndSubmittingAsync(lease, answers, [], firstPoll, cancellationToken)).Late;

    /// <summary>
    /// <see cref="AnsweredAsync"/> and <see cref="SubmittingAsync"/> in one transaction: one lock of the chunk and one commit for what was
    /// answered and for what begins in its place. The answers are written also when nothing may begin.
    /// </summary>
    public async Task<(IReadOnlyList<Answer> Late, IReadOnlyList<Intent> Begun)> AnsweredAndSubmittingAsync(
        Lease lease, IReadOnlyList<Answer> answers, int[] rows, TimeSpan firstPoll, CancellationToken cancellationToken)
    {
        var (moved, begun) = await Sql.UndisturbedAsync(() => WriteAndBeginAsync(lease, answers, rows, firstPoll, cancellationToken));
        return (await MarkLateAsync(lease, answers, moved, firstPoll, cancellationToken), begun);
    }

    private async Task<(HashSet<int> Moved, List<Intent> Begun)> WriteAndBeginAsync(
        Lease lease, IReadOnlyList<Answer> answers, int[] rows, TimeSpan firstPoll, CancellationToken cancellationToken)
    {
        await using var batch = database.CreateBatch();
        batch.BatchCommands.Add(Sql.BatchCommand(LockChunk, lease.ImportId, lease.ChunkNumber));
        if (answers.Count > 0)
        {
            batch.BatchCommands.Add(Sql.BatchCommand(WriteAnswers,
                lease.ImportId,
                answers.Select(a => a.RowNumber).ToArray(),
                answers.Select(a => a.Attempt).ToArray(),
                answers.Select(a => EnumText<RecordState>.Of(a.To)).ToArray(),
                answers.Select(a => a.StatusId).ToArray(),
                answers.Select(a => CodeText(a.Code)).ToArray(),
                answers.Select(a => a.HttpStatus).ToArray(),
                answers.Select(a => a.Message).ToArray(),
                answers.Select(a => a.RetryAfter).ToArray(),
                answers.Select(a => (short)(a.GiveBack ? 1 : 0)).ToArray(),
                lease.AccountId,
                firstPoll,
                lease.Signature,
                answers.Select(a => a.Rid).ToArray()));
        }
        if (rows.Length > 0) batch.BatchCommands.Add(Sql.BatchCommand(CommitIntents, lease.ImportId, lease.ChunkNumber, lease.Token, rows, lease.Signature));

        var moved = new HashSet<int>(answers.Count);
        var begun = new List<Intent>(rows.Length);
        await using (var reader = await batch.ExecuteReaderAsync(cancellationToken))
        {
            if (answers.Count > 0)
            {
                await reader.NextResultAsync(cancellationToken);
                while (await reader.ReadAsync(cancellationToken)) moved.Add(reader.GetInt32(0));
            }
            if (rows.Length > 0)
            {
                await reader.NextResultAsync(cancellationToken);
                while (await reader.ReadAsync(cancellationToken)) begun.Add(new Intent(reader.GetInt32(0), reader.GetInt16(1)));
            }
        }
        return (moved, begun);
    }

    /// <summary>Answers the accepted ones that no longer count for their record, after marking it.</summary>
    private async Task<IReadOnlyList<Answer>> MarkLateAsync(
        Lease lease, IReadOnlyList<Answer> answers, HashSet<int> moved, TimeSpan firstPoll, CancellationToken cancellationToken)
    {
        var pushed = answers.Where(a => a.To == RecordState.Imported && !moved.Contains(a.RowNumber)).ToList();
        if (pushed.Count > 0)
        {
            var twice = await database.QueryAsync(MarkPushedTwice, r => r.GetInt32(0), cancellationToken,
                lease.ImportId, pushed.Select(a => a.RowNumber).ToArray(), pushed.Select(a => a.Rid).ToArray());
            pushed.RemoveAll(a => !twice.Contains(a.RowNumber));
        }
        var late = answers.Where(a => a.To == RecordState.Submitted && !moved.Contains(a.RowNumber)).ToList();
        if (late.Count == 0) return pushed;
        var adopted = await database.QueryAsync(FollowAdopted, r => r.GetInt32(0), cancellationToken,
            lease.ImportId, late.Select(a => a.RowNumber).ToArray(), late.Select(a => a.Attempt).ToArray(), late.Select(a => a.StatusId).ToArray(),
            lease.AccountId, firstPoll);
        late.RemoveAll(a => adopted.Contains(a.RowNumber));
        var marked = await database.QueryAsync(MarkPossiblyDuplicated, r => r.GetInt32(0), cancellationToken,
            lease.ImportId, late.Select(a => a.RowNumber).ToArray(), late.Select(a => a.StatusId).ToArray());
        return [.. late.FindAll(a => marked.Contains(a.RowNumber)), .. pushed];
    }

    /// <summary>Writes what the status call said of submitted records. Answers how many moved; the rest had moved on before.</summary>
    public async Task<long> ConcludedAsync(IReadOnlyList<Conclusion> conclusions, CancellationToken cancellationToken)
    {
        var moved = await Sql.UndisturbedAsync(() => ConcludeAsync(conclusions, cancellationToken));
        if (moved < conclusions.Count) await CompareAdoptedAsync(conclusions, cancellationToken);
        return moved;
    }

    private async Task<long> ConcludeAsync(IReadOnlyList<Conclusion> conclusions, CancellationToken cancellationToken)
    {
        var imports = conclusions.Select(c => c.ImportId).ToArray();
        var rows = conclusions.Select(c => c.RowNumber).ToArray();
        await using var batch = database.CreateBatch();
        batch.BatchCommands.Add(Sql.BatchCommand(LockChunksOfRows, imports, rows));
        batch.BatchCommands.Add(Sql.BatchCommand(WriteConclusions,
            imports,
            rows,
            conclusions.Select(c => c.StatusId).ToArray(),
            conclusions.Select(c => EnumText<RecordState>.Of(c.To)).ToArray(),
            conclusions.Select(c => c.Rid).ToArray(),
            conclusions.Select(c => CodeText(c.Code)).ToArray(),
            conclusions.Select(c => c.Message).ToArray(),
            conclusions.Select(c => c.RetryAfter).ToArray(),
            conclusions.Select(c => (short)(c.GiveBack ? 1 : 0)).ToArray()));
        await using var reader = await batch.ExecuteReaderAsync(cancellationToken);
        await reader.NextResultAsync(cancellationToken);
        await reader.ReadAsync(cancellationToken);
        return reader.GetInt64(0);
    }

    /// <summary>
    /// Takes a chunk back whose lease has run out: what was being submitted becomes unknown, the rest is due again.
    /// Answers the number of records in doubt, or null when the lease was renewed or released after all.
    /// </summary>
    public Task<int?> RescuedAsync(int importId, int chunkNumber, CancellationToken cancellationToken) => database.TransactionAsync<int?>(async connection =>
    {
        int first, last;
        await using (var take = connection.Command(TakeExpiredChunk, importId, chunkNumber))
        await using (var reader = await take.ExecuteReaderAsync(cancellationToken))
        {
            if (!await reader.ReadAsync(cancellationToken)) return null;
            (first, last) = (reader.GetInt32(0), reader.GetInt32(1));
        }
        return (await connection.QueryAsync(LoseSubmitting, r => r.GetInt32(0), cancellationToken, importId, first, last)).Single();
    }, cancellationToken);

    /// <summary>Cancels what was not sent, in the caller's transaction. Answers how many records that were.</summary>
    public async Task<int> CancelledAsync(NpgsqlConnection connection, int importId, CancellationToken cancellationToken)
    {
        await connection.ExecuteAsync(LockChunksOfImport, cancellationToken, importId);
        return await connection.ExecuteLongAsync(CancelPending, cancellationToken, importId);
    }

    /// <summary>Gives the selected records in doubt up, in the caller's transaction. Answers how many: those that are not in doubt any more are left alone.</summary>
    /// <param name="sentence">Who did it, for people; the beginning of the records' message.</param>
    public async Task<int> GaveUpAsync(NpgsqlConnection connection, int importId, RecordFilter filter, string sentence, CancellationToken cancellationToken)
    {
        await connection.ExecuteAsync(LockChunksInDoubt, cancellationToken, importId);
        var givenUp = 0;
        await foreach (var rows in filter.RowsAsync(connection, importId, r => r.State == RecordState.Unknown, cancellationToken))
            givenUp += await connection.ExecuteLongAsync(GiveUp, cancellationToken, importId, sentence, rows);
        return givenUp;
    }

    /// <summary>
    /// Makes the selected records pending again, in the caller's transaction. Answers how many, and how many of the selection were left
    /// as they are in each state. What was given up counts as in doubt here.
    /// </summary>
    /// <param name="named">What of unknown and duplicate the person has named, and so takes part.</param>
    public async Task<(int Moved, IReadOnlyDictionary<RecordState, int> Left)> PendingAgainAsync(
        NpgsqlConnection connection, int importId, RecordFilter filter, IReadOnlyCollection<RecordState> named, bool push, CancellationToken cancellationToken)
    {
        RecordState[] eligible = [RecordState.Failed, RecordState.Cancelled, .. named];
        var unknownToo = named.Contains(RecordState.Unknown);
        await connection.ExecuteAsync(LockChunksOfImport, cancellationToken, importId);
        await using var db = Contexts.On(connection);
        var selected = await ReadRecords.CountByStateAsync(db, importId, filter, cancellationToken);

        var states = eligible.Select(EnumText<RecordState>.Of).ToArray();
        var moved = 0;
        await foreach (var rows in filter.RowsAsync(connection, importId, r => eligible.Contains(r.State), cancellationToken))
            moved += await connection.ExecuteLongAsync(MakePendingAgain, cancellationToken, importId, states, push, unknownToo, rows);
        var left = selected.Where(s => !eligible.Contains(s.Key)).ToDictionary();
        // The chunks are locked, so what is eligible and did not move are those that were given up or, where duplicates take part, those of them
        // without an address that can be sent.
        var stayed = selected.Where(s => eligible.Contains(s.Key)).Sum(s => s.Value) - moved;
        if (stayed > 0) left[named.Contains(RecordState.Duplicate) ? RecordState.Duplicate : RecordState.Failed] = stayed;
        var pushed = 0;
        if (push)
        {
            // Whoever selects what failed means these too: neither was sent, and for the same reason.
            var its = filter.State == RecordState.Failed ? filter with { State = RecordState.Invalid } : filter;
            await foreach (var rows in its.RowsAsync(connection, importId, r => r.State == RecordState.Invalid, cancellationToken))
                pushed += await connection.ExecuteLongAsync(PushInvalid, cancellationToken, importId, rows);
            if (left.TryGetValue(RecordState.Invalid, out var invalid) && (left[RecordState.Invalid] = invalid - pushed) == 0) left.Remove(RecordState.Invalid);
        }
        return (moved + pushed, left);
    }

    /// <summary>Replaces values of failed, invalid and duplicate records and makes them pending again, in the caller's transaction. Answers the rows that were.</summary>
    public async Task<IReadOnlySet<int>> CorrectedAsync(
        NpgsqlConnection connection, int importId, IReadOnlyList<RecordCorrection> corrections, string actor, CancellationToken cancellationToken)
    {
        await connection.ExecuteAsync(LockChunksOfImport, cancellationToken, importId);
        var moved = await connection.QueryAsync(Correct, r => r.GetInt32(0), cancellationToken, importId,
            corrections.Select(c => c.RowNumber).ToArray(), corrections.Select(c => c.Url).ToArray(), corrections.Select(c => c.SourceKey).ToArray(),
            corrections.Select(c => c.Caption).ToArray(), corrections.Select(c => c.ReferenceId).ToArray(), actor,
            corrections.Select(c => c.IsPush).ToArray());
        return moved.ToHashSet();
    }

    /// <summary>
    /// Makes the unknown records of an import pending again that have been in doubt for <paramref name="grace"/>, if the import's setting
    /// prefers a duplicate to a gap. Answers how many.
    /// </summary>
    /// <param name="unlookedGrace">The same for those that nobody could look for, because the account cannot be listed.</param>
    public Task<int> ResubmittedAsync(int importId, TimeSpan grace, TimeSpan unlookedGrace, CancellationToken cancellationToken) => database.TransactionAsync(async connection =>
    {
        await connection.ExecuteAsync(LockChunksInDoubt, cancellationToken, importId);
        return await connection.ExecuteAsync(ResubmitUnknown, cancellationToken, importId, grace, unlookedGrace);
    }, cancellationToken);

    /// <summary>Makes pushes in doubt pending again whose files were looked for and are not there. Answers how many.</summary>
    public async Task<int> PushedAgainAsync(IReadOnlyList<(int ImportId, int RowNumber, short Attempt)> pushes, CancellationToken cancellationToken)
    {
        var imports = pushes.Select(p => p.ImportId).ToArray();
        var rows = pushes.Select(p => p.RowNumber).ToArray();
        return await database.TransactionAsync(async connection =>
        {
            await connection.ExecuteAsync(LockChunksOfRows, cancellationToken, imports, rows);
            return await connection.ExecuteAsync(PushAgain, cancellationToken, imports, rows, pushes.Select(p => p.Attempt).ToArray());
        }, cancellationToken);
    }

    /// <summary>
    /// Takes assets for records in doubt, in the caller's transaction. Answers the adoptions that were made, and the records of the account
    /// that have one of the assets already: such an asset is nobody else's. The rest had moved on before.
    /// </summary>
    /// <param name="adoptions">Each with another asset.</param>
    public async Task<(IReadOnlyList<Adoption> Made, IReadOnlyList<AssetOwner> Owners)> AdoptedAsync(
        NpgsqlConnection connection, int accountId, IReadOnlyList<Adoption> adoptions, CancellationToken cancellationToken)
    {
        await connection.ExecuteAsync(LockAdoption, cancellationToken, accountId);
        var owners = await connection.QueryLongAsync(ReadOwners, ReadOwner, cancellationToken, accountId, adoptions.Select(a => a.Rid).ToArray());
        var free = adoptions.Where(a => owners.TrueForAll(o => o.Rid != a.Rid)).ToList();
        var imports = free.Select(a => a.ImportId).ToArray();
        var rows = free.Select(a => a.RowNumber).ToArray();
        await connection.ExecuteAsync(LockChunksOfRows, cancellationToken, imports, rows);
        var moved = await connection.QueryAsync(Adopt, r => (r.GetInt32(0), r.GetInt32(1)), cancellationToken,
            accountId, imports, rows, free.Select(a => a.Attempt).ToArray(), free.Select(a => a.Rid).ToArray(), free.Select(a => a.Note).ToArray());
        var made = moved.ToHashSet();
        return (free.FindAll(a => made.Contains((a.ImportId, a.RowNumber))), owners);
    }

    /// <summary>The records of the account that have one of these assets. Looks at every record of the account.</summary>
    public async Task<IReadOnlyList<AssetOwner>> OwnersAsync(int accountId, IReadOnlyCollection<string> rids, CancellationToken cancellationToken)
    {
        if (rids.Count == 0) return [];
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        return await connection.QueryLongAsync(ReadOwners, ReadOwner, cancellationToken, accountId, rids.ToArray());
    }

    private async Task CompareAdoptedAsync(IReadOnlyList<Conclusion> conclusions, CancellationToken cancellationToken)
    {
        var imports = conclusions.Select(c => c.ImportId).ToArray();
        var rows = conclusions.Select(c => c.RowNumber).ToArray();
        await Sql.UndisturbedAsync(async () =>
        {
            await using var batch = database.CreateBatch();
            batch.BatchCommands.Add(Sql.BatchCommand(LockChunksOfRows, imports, rows));
            batch.BatchCommands.Add(Sql.BatchCommand(CompareAdopted, imports, rows,
                conclusions.Select(c => c.StatusId).ToArray(),
                conclusions.Select(c => EnumText<RecordState>.Of(c.To)).ToArray(),
                conclusions.Select(c => c.Rid).ToArray()));
            return await batch.ExecuteNonQueryAsync(cancellationToken);
        });
    }

    private static AssetOwner ReadOwner(NpgsqlDataReader reader) => new(reader.GetString(0), reader.GetInt32(1), reader.GetInt32(2));

    private static string? CodeText(FailureCode? code) => code is { } known ? EnumText<FailureCode>.Of(known) : null;
}
