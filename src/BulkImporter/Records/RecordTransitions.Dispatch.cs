using BulkImporter.Data;

namespace BulkImporter.Records;

/// <summary>An intent that was committed: this attempt of this row may now be sent, once.</summary>
public readonly record struct Intent(int RowNumber, short Attempt);

/// <content>The intent, the answer, and the rescue where the answer did not come.</content>
public sealed partial class RecordTransitions
{
    /// <summary>
    /// Pending to submitting: begins an attempt for each row that is due, if the lease is live, import and account still run and the import
    /// may send
    /// at this hour. The commit is the permission to send.
    /// </summary>
    private const string CommitIntents = """
        WITH gate AS (
            SELECT 1 FROM importer.import_chunk c
            JOIN importer.import i ON i.id = c.import_id AND i.state = 'running'
                AND importer.opens_at(i.start_at, i.window_from, i.window_until, i.window_zone) IS NULL
            JOIN importer.account a ON a.id = i.account_id AND a.state = 'active'
            JOIN importer.call_budget b ON b.account_id = a.id AND b.kind = 'submit'
                AND (b.blocked_until IS NULL OR b.blocked_until <= now())
            WHERE c.import_id = $1 AND c.number = $2 AND c.lease_token = $3 AND c.lease_until > now()
        ), due AS MATERIALIZED (
            SELECT $1::int AS import_id, row_number FROM unnest($4::int[]) AS d(row_number)
        ), moved AS (
            UPDATE importer.import_record r
            SET state = 'submitting', attempt_count = r.attempt_count + 1, attempts_left = r.attempts_left - 1, next_attempt_at = NULL
            FROM gate, due
            WHERE r.import_id = due.import_id AND r.row_number = due.row_number AND r.state = 'pending'
            RETURNING r.row_number, r.attempt_count
        )
        INSERT INTO importer.attempt (import_id, row_number, number, started_at, worker)
        SELECT $1, row_number, attempt_count, now(), $5 FROM moved
        RETURNING row_number, number AS attempt
        """;

    /// <summary>
    /// Begins an attempt for each of <paramref name="rows"/> that is still pending. Nothing is sent for a row that is not in the answer:
    /// the lease is lost, the import paused or the account suspended.
    /// </summary>
    public async Task<IReadOnlyList<Intent>> SubmittingAsync(Lease lease, int[] rows, CancellationToken cancellationToken) =>
        (await AnsweredAndSubmittingAsync(lease, [], rows, TimeSpan.Zero, cancellationToken)).Begun;

    private const string OpenIntents = """
        WITH begun AS MATERIALIZED (SELECT $1::int AS import_id, row_number FROM unnest($2::int[]) AS b(row_number))
        SELECT r.row_number, r.attempt_count AS attempt
        FROM begun b
        JOIN importer.import_record r USING (import_id, row_number)
        JOIN importer.attempt t ON t.import_id = b.import_id AND t.row_number = b.row_number AND t.number = r.attempt_count
        WHERE r.state IN ('submitting', 'unknown') AND t.worker = $3
        """;

    /// <summary>
    /// The intents among <paramref name="rows"/> that were committed under this lease and that nobody has answered; also those that the
    /// rescue took for sent.
    /// </summary>
    public async Task<IReadOnlyList<Intent>> OpenIntentsAsync(Lease lease, int[] rows, CancellationToken cancellationToken) =>
        await database.QueryByKeyAsync<Intent>(OpenIntents, cancellationToken, lease.ImportId, rows, lease.Signature);

    /// <summary>Submitting (or unknown, when the rescue came before the late answer) to what the answer says.</summary>
    private const string WriteAnswers = $"""
        WITH answer AS (
            SELECT * FROM unnest($1::importer.outcome[])
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
                finished_at = CASE WHEN a.state = 'submitted' OR (a.state = 'pending' AND r.attempts_left + a.give_back > 0) THEN NULL
                    ELSE now() END
            FROM answer a
            WHERE r.import_id = a.import_id AND r.row_number = a.row_number AND r.attempt_count = a.attempt
                AND r.state IN ('submitting', 'unknown')
            RETURNING r.import_id, r.row_number, r.state, r.status_id, r.attempt_count, r.rid, r.caption, r.reference_id, r.is_push
        ), finishing AS (
            {BeginFinishing}
        ), uploaded AS (
            DELETE FROM importer.push_upload u USING moved m WHERE m.state = 'imported' AND u.import_id = m.import_id
                AND u.row_number = m.row_number
        ), closed AS (
            UPDATE importer.attempt t
            SET status_id = a.status_id, http_status = a.http_status, message = a.message,
                outcome = coalesce(a.code, CASE a.state WHEN 'imported' THEN 'imported' ELSE 'accepted' END),
                finished_at = CASE WHEN a.code IS NOT NULL OR a.state = 'imported' THEN now() END
            FROM answer a
            WHERE t.import_id = a.import_id AND t.row_number = a.row_number AND t.number = a.attempt
                AND (t.outcome IS NULL OR t.outcome = 'worker_lost')
        ), followed AS (
            INSERT INTO importer.status_poll (import_id, row_number, attempt, account_id, status_id, submitted_at, next_poll_at, moved_at)
            SELECT import_id, row_number, attempt_count, $2, status_id, now(), now() + $3, now() FROM moved WHERE state = 'submitted'
            ON CONFLICT (import_id, row_number) DO UPDATE SET status_id = excluded.status_id, attempt = excluded.attempt,
                submitted_at = excluded.submitted_at,
                next_poll_at = excluded.next_poll_at, moved_at = excluded.moved_at, not_found_since = NULL,
                next_abort_at = NULL, abort_answered_at = NULL, progress_percent = NULL, progress_bytes = NULL, total_bytes = NULL
        )
        SELECT row_number FROM moved
        """;

    /// <summary>
    /// Writes what was answered. Takes the lease to know the chunk, not to check it: the attempt number fences each row, and a late
    /// answer of a worker that lost its lease is the best news that a record in doubt can get.
    /// Returns the accepted answers that no longer count for their record, which is then marked as possibly duplicated.
    /// </summary>
    public async Task<IReadOnlyList<Answer>> AnsweredAsync(
        Lease lease, IReadOnlyList<Answer> answers, TimeSpan firstPoll, CancellationToken cancellationToken) =>
        (await AnsweredAndSubmittingAsync(lease, answers, [], firstPoll, cancellationToken)).Late;

    /// <summary>
    /// <see cref="AnsweredAsync"/> and <see cref="SubmittingAsync"/> in one transaction: one lock of the chunk and one commit for what was
    /// answered and for what begins in its place. The answers are written also when nothing may begin.
    /// </summary>
    public async Task<(IReadOnlyList<Answer> Late, IReadOnlyList<Intent> Begun)> AnsweredAndSubmittingAsync(
        Lease lease, IReadOnlyList<Answer> answers, int[] rows, TimeSpan firstPoll, CancellationToken cancellationToken)
    {
        var (moved, begun) = await database.UndisturbedAsync(() => WriteAndBeginAsync(lease, answers, rows, firstPoll, cancellationToken));
        return (await MarkLateAsync(lease, answers, moved, firstPoll, cancellationToken), begun);
    }

    private async Task<(HashSet<int> Moved, List<Intent> Begun)> WriteAndBeginAsync(
        Lease lease, IReadOnlyList<Answer> answers, int[] rows, TimeSpan firstPoll, CancellationToken cancellationToken)
    {
        await using var batch = database.CreateBatchByKey(Sql.BatchCommand(LockChunk, lease.ImportId, lease.ChunkNumber));
        if (answers.Count > 0)
        {
            OutcomeRow[] outcomes = [.. answers.Select(a => OutcomeRow.Of(lease.ImportId, a))];
            batch.BatchCommands.Add(Sql.BatchCommand(WriteAnswers, outcomes, lease.AccountId, firstPoll));
        }
        if (rows.Length > 0)
            batch.BatchCommands.Add(Sql.BatchCommand(CommitIntents, lease.ImportId, lease.ChunkNumber, lease.Token, rows, lease.Signature));

        var (moved, begun) = (new HashSet<int>(), new List<Intent>());
        await using var reader = await batch.ExecuteReaderAsync(cancellationToken);
        await reader.NextResultAsync(cancellationToken);
        if (answers.Count > 0)
        {
            await reader.NextResultAsync(cancellationToken);
            moved = await Row<int>.StreamAsync(reader, cancellationToken).ToHashSetAsync(cancellationToken: cancellationToken);
        }
        if (rows.Length > 0)
        {
            await reader.NextResultAsync(cancellationToken);
            begun = await Row<Intent>.StreamAsync(reader, cancellationToken).ToListAsync(cancellationToken);
        }
        return (moved, begun);
    }

    /// <summary>
    /// A pushed file whose asset is not the record's: the source was imported twice, and the operator must be able to see it.
    /// </summary>
    private const string MarkPushedTwice = """
        UPDATE importer.import_record r SET possibly_duplicated = true
        FROM unnest($1::importer.outcome[]) late
        WHERE r.import_id = late.import_id AND r.row_number = late.row_number AND r.rid IS DISTINCT FROM late.rid
        RETURNING r.row_number
        """;

    /// <summary>
    /// The acceptance of the very call whose asset was adopted in the meantime. The status_id is kept with the attempt and followed, so
    /// that its end can tell whether it is that asset; the record stays as it is.
    /// </summary>
    private const string FollowAdopted = """
        WITH kept AS (
            UPDATE importer.attempt t SET status_id = late.status_id
            FROM unnest($1::importer.outcome[]) late, importer.import_record r
            WHERE t.import_id = late.import_id AND t.row_number = late.row_number AND t.number = late.attempt AND t.outcome = 'reconciled'
                AND (t.status_id IS NULL OR t.status_id = late.status_id)
                AND r.import_id = late.import_id AND r.row_number = late.row_number AND r.attempt_count = late.attempt
                AND r.state = 'imported'
            RETURNING t.import_id, t.row_number, t.number, t.status_id
        ), followed AS (
            INSERT INTO importer.status_poll (import_id, row_number, attempt, account_id, status_id, submitted_at, next_poll_at, moved_at)
            SELECT import_id, row_number, number, $2, status_id, now(), now() + $3, now() FROM kept
            ON CONFLICT (import_id, row_number) DO NOTHING
        )
        SELECT row_number FROM kept
        """;

    /// <summary>
    /// An accepted answer whose record has moved on: the source was imported twice here too.
    /// A record that already holds this status_id only had its commit acknowledged late.
    /// </summary>
    private const string MarkPossiblyDuplicated = """
        UPDATE importer.import_record r SET possibly_duplicated = true
        FROM unnest($1::importer.outcome[]) late
        WHERE r.import_id = late.import_id AND r.row_number = late.row_number AND r.status_id IS DISTINCT FROM late.status_id
        RETURNING r.row_number
        """;

    /// <summary>Returns the accepted ones that no longer count for their record, after marking it.</summary>
    private async Task<IReadOnlyList<Answer>> MarkLateAsync(
        Lease lease, IReadOnlyList<Answer> answers, HashSet<int> moved, TimeSpan firstPoll, CancellationToken cancellationToken)
    {
        var pushed = answers.Where(a => a.To == RecordState.Imported && !moved.Contains(a.RowNumber)).ToList();
        if (pushed.Count > 0)
        {
            var twice = await database.QueryByKeyAsync<int>(MarkPushedTwice, cancellationToken, [Rows(pushed)]);
            pushed.RemoveAll(a => !twice.Contains(a.RowNumber));
        }
        var late = answers.Where(a => a.To == RecordState.Submitted && !moved.Contains(a.RowNumber)).ToList();
        if (late.Count == 0) return pushed;
        var adopted = await database.QueryByKeyAsync<int>(FollowAdopted, cancellationToken, Rows(late), lease.AccountId, firstPoll);
        late.RemoveAll(a => adopted.Contains(a.RowNumber));
        var marked = await database.QueryByKeyAsync<int>(MarkPossiblyDuplicated, cancellationToken, [Rows(late)]);
        return [.. late.FindAll(a => marked.Contains(a.RowNumber)), .. pushed];

        OutcomeRow[] Rows(IEnumerable<Answer> some) => [.. some.Select(a => OutcomeRow.Of(lease.ImportId, a))];
    }

    private sealed record TakenChunk(int FirstRow, int LastRow);

    private const string TakeExpiredChunk = """
        UPDATE importer.import_chunk
        SET state = 'waiting', lease_owner = NULL, lease_token = NULL, lease_until = NULL, lease_window = 0, due_at = now()
        WHERE import_id = $1 AND number = $2 AND state = 'running' AND lease_until < now()
        RETURNING first_row, last_row
        """;

    /// <summary>
    /// Submitting to unknown, for a chunk whose lease has run out; the chunk goes back to waiting in the same transaction. A push whose
    /// last
    /// range had not begun made no asset: it is pending again (failed when no attempt is left) and goes on where it stood.
    /// </summary>
    private const string LoseSubmitting = """
        WITH lost AS MATERIALIZED (
            SELECT r.import_id, r.row_number, r.is_push AND NOT EXISTS (
                SELECT 1 FROM importer.push_upload u
                WHERE u.import_id = r.import_id AND u.row_number = r.row_number AND u.attempt = r.attempt_count
                    AND u.last_begun_at IS NOT NULL) AS is_safe
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

    /// <summary>
    /// Takes a chunk back whose lease has run out: what was being submitted becomes unknown, the rest is due again.
    /// Returns the number of records in doubt, or null when the lease was renewed or released after all.
    /// </summary>
    public Task<int?> RescuedAsync(int importId, int chunkNumber, CancellationToken cancellationToken) =>
        database.TransactionAsync<int?>(async connection =>
    {
        if (await connection.QueryAsync<TakenChunk>(TakeExpiredChunk, cancellationToken, importId, chunkNumber) is not [var taken])
            return null;
        await connection.LeaveOnlyKeysAsync(cancellationToken);
        return (await connection.QueryAsync<int>(LoseSubmitting, cancellationToken, importId, taken.FirstRow, taken.LastRow)).Single();
    }, cancellationToken);
}
