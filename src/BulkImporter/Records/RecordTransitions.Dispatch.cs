namespace BulkImporter.Records;

/// <summary>An intent that was committed: this attempt of this row may now be sent, once.</summary>
/// <param name="StartedAt">When it was committed.</param>
public readonly record struct Intent(int RowNumber, short Attempt, DateTimeOffset StartedAt);

/// <content>The intent, the answer, and the rescue where the answer did not come.</content>
public sealed partial class RecordTransitions
{
    /// <summary>
    /// What is on the wire of a chunk: the attempts that were answered ($5) leave, and pending to submitting, an attempt begins for each
    /// row ($4) that is pending, if the lease is live, import and account still run and the import may send at this hour. The commit is the
    /// permission to send. A record's own row is written when the attempt is over.
    /// </summary>
    private static readonly string MoveWire = BuildMoveWire("SELECT import_id, row_number FROM due");

    /// <summary>
    /// The same where an account ($6) allows only so many calls ($7) for files of one host, by all its chunks together. What is on the wire
    /// says how many there are: nothing is counted up and down, so nothing can be left behind by a worker that dies.
    /// </summary>
    private static readonly string MoveWireWithinHosts = BuildMoveWire("""
        SELECT import_id, row_number FROM (
                -- What is on the wire has its places before what is due.
                SELECT import_id, row_number, host, is_due,
                    row_number() OVER (PARTITION BY host ORDER BY is_due, row_number) AS place
                FROM (
                    SELECT s.import_id, s.row_number, importer.host_of(s.source_url) AS host, false AS is_due
                    FROM importer.import i
                    JOIN importer.import_chunk c ON c.import_id = i.id AND c.state <> 'waiting'
                    CROSS JOIN answered
                    CROSS JOIN LATERAL unnest(c.on_wire) AS w(row_number)
                    JOIN importer.import_record s ON s.import_id = c.import_id AND s.row_number = w.row_number
                    WHERE i.account_id = $6 AND NOT (c.import_id = $1 AND c.number = $2 AND w.row_number = ANY (answered.rows))
                    UNION ALL
                    SELECT due.import_id, due.row_number, importer.host_of(r.source_url), true
                    FROM due JOIN importer.import_record r ON r.import_id = due.import_id AND r.row_number = due.row_number) each) ranked
            -- What has no host has no limit.
            WHERE is_due AND (place <= $7 OR host IS NULL)
        """);

    /// <summary>One after the other, or two chunks would both take the host's last place.</summary>
    private const string LockHosts = "SELECT pg_advisory_xact_lock(hashtext('bulkimporter.hosts'), $1)";

    /// <param name="allowed">Of those that are due, the rows that may begin.</param>
    private static string BuildMoveWire(string allowed) => $$"""
        WITH chunk AS MATERIALIZED (
            SELECT c.on_wire, c.on_wire_since, c.lease_token = $3 AND c.lease_until > now() AND EXISTS (
                SELECT 1 FROM importer.import i
                JOIN importer.account a ON a.id = i.account_id AND a.state = 'active'
                JOIN importer.call_budget b ON b.account_id = a.id AND b.kind = 'submit'
                    AND (b.blocked_until IS NULL OR b.blocked_until <= now())
                WHERE i.id = c.import_id AND i.state = 'running'
                    AND importer.opens_at(i.start_at, i.window_from, i.window_until, i.window_zone) IS NULL) AS may_send
            FROM importer.import_chunk c
            WHERE c.import_id = $1 AND c.number = $2
        ), answered AS (
            SELECT coalesce(array_agg(a.row_number), '{}') AS rows
            FROM (SELECT import_id, row_number, attempt FROM unnest($5::importer.outcome[])) a
            JOIN importer.import_record r ON r.import_id = a.import_id AND r.row_number = a.row_number
            WHERE r.attempt_count = a.attempt - 1
        ), due AS MATERIALIZED (
            SELECT $1::int AS import_id, d.row_number FROM chunk, unnest($4::int[]) AS d(row_number)
            WHERE chunk.may_send AND d.row_number <> ALL (chunk.on_wire)
        ), allowed AS (
            {{allowed}}
        ), begun AS MATERIALIZED (
            SELECT a.row_number, (r.attempt_count + 1)::smallint AS attempt, now() AS started_at
            FROM allowed a JOIN importer.import_record r ON r.import_id = a.import_id AND r.row_number = a.row_number
            WHERE r.state = 'pending'
        ), wire AS (
            SELECT coalesce(array_agg(row_number), '{}') AS rows, coalesce(array_agg(started_at), '{}') AS times
            FROM (
                SELECT w.row_number, w.started_at
                FROM chunk, answered, unnest(chunk.on_wire, chunk.on_wire_since) AS w(row_number, started_at)
                WHERE w.row_number <> ALL (answered.rows)
                UNION ALL
                SELECT row_number, started_at FROM begun) each
        ), moved AS (
            UPDATE importer.import_chunk c SET on_wire = wire.rows, on_wire_since = wire.times
            FROM wire
            WHERE c.import_id = $1 AND c.number = $2
        )
        SELECT row_number, attempt, started_at FROM begun
        """;

    /// <summary>
    /// Begins an attempt for each of <paramref name="rows"/> that is still pending. Nothing is sent for a row that is not in the answer:
    /// the lease is lost, the import paused or the account suspended.
    /// </summary>
    public async Task<IReadOnlyList<Intent>> SubmittingAsync(Lease lease, int[] rows, CancellationToken cancellationToken) =>
        (await AnsweredAndSubmittingAsync(lease, [], rows, TimeSpan.Zero, cancellationToken)).Begun;

    private const string OpenIntents = """
        WITH mine AS MATERIALIZED (SELECT $1::int AS import_id, row_number FROM unnest($4::int[]) AS b(row_number)),
        wire AS MATERIALIZED (
            SELECT c.import_id, w.row_number, w.started_at
            FROM importer.import_chunk c CROSS JOIN LATERAL unnest(c.on_wire, c.on_wire_since) AS w(row_number, started_at)
            WHERE c.import_id = $1 AND c.number = $2 AND c.lease_token = $3 AND w.row_number = ANY ($4)
        )
        SELECT w.row_number, (r.attempt_count + 1)::smallint AS attempt, w.started_at
        FROM wire w JOIN importer.import_record r ON r.import_id = w.import_id AND r.row_number = w.row_number
        UNION ALL
        SELECT m.row_number, t.number, t.started_at
        FROM mine m
        JOIN importer.import_record r ON r.import_id = m.import_id AND r.row_number = m.row_number
        JOIN importer.attempt t ON t.import_id = m.import_id AND t.row_number = m.row_number AND t.number = r.attempt_count
        WHERE r.state = 'unknown' AND t.worker = $5
        """;

    /// <summary>
    /// The intents among <paramref name="rows"/> that were committed under this lease and that nobody has answered; also those that the
    /// rescue took for sent.
    /// </summary>
    public async Task<IReadOnlyList<Intent>> OpenIntentsAsync(Lease lease, int[] rows, CancellationToken cancellationToken) =>
        await database.QueryByKeyAsync<Intent>(
            OpenIntents, cancellationToken, lease.ImportId, lease.ChunkNumber, lease.Token, rows, lease.Signature);

    /// <summary>
    /// Submitting (or unknown, when the rescue came before the late answer) to what the answer says. The record gets the attempt's number;
    /// the attempt gets a row of its own where the record does not go on to tell of it.
    /// </summary>
    private static readonly string WriteAnswers = $"""
        WITH answer AS (
            SELECT * FROM unnest($1::importer.outcome[])
        ), moved AS (
            UPDATE importer.import_record r
            SET state = CASE WHEN a.state = 'pending' AND {AttemptsLeft} <= 0 THEN 'failed' ELSE a.state END,
                status_id = a.status_id,
                rid = a.rid,
                error_code = a.code,
                error_message = CASE WHEN a.code IS NOT NULL THEN a.message END,
                attempt_count = a.attempt,
                attempts_left = {AttemptsLeft},
                next_attempt_at = CASE WHEN a.state = 'pending' AND {AttemptsLeft} > 0 THEN now() + a.retry_after END,
                submitted_at = CASE WHEN a.state IN ('submitted', 'imported') THEN a.started_at END,
                finished_at = CASE WHEN a.state = 'submitted' OR (a.state = 'pending' AND {AttemptsLeft} > 0) THEN NULL ELSE now() END
            FROM answer a
            WHERE r.import_id = a.import_id AND r.row_number = a.row_number
                AND (r.attempt_count, r.state) IN ((a.attempt - 1, 'pending'), (a.attempt, 'unknown'))
            RETURNING r.import_id, r.row_number, r.state, r.rid, r.caption, r.reference_id, r.is_push,
                a.attempt, a.started_at, a.code, a.http_status, a.message, a.size_bytes, a.sha256, a.md5
        ), finishing AS (
            {BeginFinishing}
        ), sent AS (
            {RecordAsset.KeepSent}
        ), uploaded AS (
            DELETE FROM importer.push_upload u USING moved m WHERE m.state = 'imported' AND u.import_id = m.import_id
                AND u.row_number = m.row_number
        ), over AS (
            INSERT INTO importer.attempt AS t
                (import_id, row_number, number, started_at, worker, finished_at, outcome, http_status, message)
            SELECT import_id, row_number, attempt, started_at, $3, now(), code, http_status, message FROM moved WHERE code IS NOT NULL
            ON CONFLICT (import_id, row_number, number) DO UPDATE
            SET finished_at = excluded.finished_at, outcome = excluded.outcome, http_status = excluded.http_status,
                message = excluded.message
        ), told AS (
            DELETE FROM importer.attempt t USING moved m
            WHERE m.code IS NULL AND t.import_id = m.import_id AND t.row_number = m.row_number AND t.number = m.attempt
        ), followed AS (
            WITH coming AS (SELECT import_id, row_number FROM moved WHERE state = 'submitted')
            {WorkBatch.Insert(BatchStep.Look, "$2")}
        )
        SELECT row_number FROM moved
        """;

    /// <summary>The attempts that record <c>r</c> has left after answer <c>a</c>: one in doubt was counted when it came into
    /// doubt.</summary>
    private const string AttemptsLeft = "(r.attempts_left - (a.attempt - r.attempt_count) + a.give_back)";

    /// <summary>
    /// Writes what was answered. Takes the lease to know the chunk, not to check it: the attempt number fences each row, and a late answer
    /// of a worker that lost its lease is the best news that a record in doubt can get. Returns the accepted answers that no longer count
    /// for their record, which is then marked as possibly duplicated.
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
        var outcomes = Rows(lease, answers);
        await using var batch = database.CreateBatchByKey(
            [Sql.BatchCommand(LockChunk, lease.ImportId, lease.ChunkNumber), .. MoveWireCommands(lease, rows, outcomes)]);
        if (answers.Count > 0)
            batch.BatchCommands.Add(Sql.BatchCommand(WriteAnswers, outcomes, firstPoll, lease.Signature));

        await using var reader = await batch.ExecuteReaderAsync(cancellationToken);
        await reader.NextResultAsync(cancellationToken);
        await reader.NextResultAsync(cancellationToken);
        if (lease.PerHost > 0 && rows.Length > 0) await reader.NextResultAsync(cancellationToken);
        var begun = await Row<Intent>.StreamAsync(reader, cancellationToken).ToListAsync(cancellationToken);
        if (answers.Count == 0) return ([], begun);
        await reader.NextResultAsync(cancellationToken);
        return (await Row<int>.StreamAsync(reader, cancellationToken).ToHashSetAsync(cancellationToken: cancellationToken), begun);
    }

    private static IEnumerable<NpgsqlBatchCommand> MoveWireCommands(Lease lease, int[] rows, OutcomeRow[] outcomes)
    {
        if (lease.PerHost == 0 || rows.Length == 0)
            return [Sql.BatchCommand(MoveWire, lease.ImportId, lease.ChunkNumber, lease.Token, rows, outcomes)];
        return
        [
            Sql.BatchCommand(LockHosts, lease.AccountId),
            Sql.BatchCommand(MoveWireWithinHosts, lease.ImportId, lease.ChunkNumber, lease.Token, rows, outcomes, lease.AccountId,
                lease.PerHost),
        ];
    }

    private static OutcomeRow[] Rows(Lease lease, IEnumerable<Answer> answers) =>
        [.. answers.Select(a => OutcomeRow.Of(lease.ImportId, a))];

    /// <summary>What a call that was taken for lost did become; the record has moved on since.</summary>
    private const string KeepLate = """
        UPDATE importer.attempt t
        SET status_id = late.status_id, http_status = late.http_status, message = late.message,
            outcome = coalesce(late.code, CASE late.state WHEN 'imported' THEN 'imported' ELSE 'accepted' END),
            finished_at = CASE WHEN late.code IS NOT NULL OR late.state = 'imported' THEN now() END
        FROM unnest($1::importer.outcome[]) late
        WHERE t.import_id = late.import_id AND t.row_number = late.row_number AND t.number = late.attempt AND t.outcome = 'worker_lost'
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
    /// An accepted answer whose record has moved on: the source was imported twice, and the operator must be able to see it. A record that
    /// already holds what the answer gave only had its commit acknowledged late.
    /// </summary>
    /// <param name="given">The asset of a pushed file, or the ticket of another.</param>
    private static string MarkTwice(string given) => $"""
        UPDATE importer.import_record r SET possibly_duplicated = true
        FROM unnest($1::importer.outcome[]) late
        WHERE r.import_id = late.import_id AND r.row_number = late.row_number AND r.{given} IS DISTINCT FROM late.{given}
        RETURNING r.row_number
        """;

    /// <summary>Returns the accepted ones that no longer count for their record, after marking it.</summary>
    private async Task<IReadOnlyList<Answer>> MarkLateAsync(
        Lease lease, IReadOnlyList<Answer> answers, HashSet<int> moved, TimeSpan firstPoll, CancellationToken cancellationToken)
    {
        var unmoved = answers.Where(a => !moved.Contains(a.RowNumber)).ToList();
        if (unmoved.Count == 0) return [];
        await database.ExecuteByKeyAsync(KeepLate, cancellationToken, [Rows(lease, unmoved)]);
        var pushed = unmoved.FindAll(a => a.To == RecordState.Imported);
        if (pushed.Count > 0)
        {
            var twice = await database.QueryByKeyAsync<int>(MarkTwice("rid"), cancellationToken, [Rows(lease, pushed)]);
            pushed.RemoveAll(a => !twice.Contains(a.RowNumber));
        }
        var late = unmoved.FindAll(a => a.To == RecordState.Submitted);
        if (late.Count == 0) return pushed;
        var adopted = await database.QueryByKeyAsync<int>(FollowAdopted, cancellationToken, Rows(lease, late), lease.AccountId, firstPoll);
        late.RemoveAll(a => adopted.Contains(a.RowNumber));
        var marked = await database.QueryByKeyAsync<int>(MarkTwice("status_id"), cancellationToken, [Rows(lease, late)]);
        return [.. late.FindAll(a => marked.Contains(a.RowNumber)), .. pushed];
    }

    private sealed record TakenChunk(int[] OnWire, DateTimeOffset[] OnWireSince, string Worker);

    private const string LockExpiredChunk = """
        SELECT on_wire, on_wire_since, lease_owner || ':' || fence AS worker FROM importer.import_chunk
        WHERE import_id = $1 AND number = $2 AND state = 'running' AND lease_until < now()
        FOR NO KEY UPDATE
        """;

    private const string TakeChunkBack = """
        UPDATE importer.import_chunk
        SET state = 'waiting', lease_owner = NULL, lease_token = NULL, lease_until = NULL, lease_window = 0, due_at = now(),
            on_wire = '{}', on_wire_since = '{}'
        WHERE import_id = $1 AND number = $2
        """;

    /// <summary>
    /// Submitting to unknown, for what was on the wire of a chunk whose lease has run out. A push whose last range had not begun made no
    /// asset: it is pending again (failed when no attempt is left) and goes on where it stood.
    /// </summary>
    private const string LoseSubmitting = """
        WITH wire AS MATERIALIZED (
            SELECT $1::int AS import_id, row_number, started_at FROM unnest($2::int[], $3::timestamptz[]) AS w(row_number, started_at)
        ), lost AS MATERIALIZED (
            SELECT w.*, r.is_push AND NOT EXISTS (
                SELECT 1 FROM importer.push_upload u
                WHERE u.import_id = w.import_id AND u.row_number = w.row_number AND u.attempt = r.attempt_count + 1
                    AND u.last_begun_at IS NOT NULL) AS is_safe
            FROM wire w JOIN importer.import_record r ON r.import_id = w.import_id AND r.row_number = w.row_number
        ), moved AS (
            UPDATE importer.import_record r
            SET state = CASE WHEN NOT l.is_safe THEN 'unknown' WHEN r.attempts_left > 1 THEN 'pending' ELSE 'failed' END,
                attempt_count = r.attempt_count + 1, attempts_left = r.attempts_left - 1, next_attempt_at = NULL,
                error_code = CASE WHEN l.is_safe THEN 'push_interrupted' ELSE 'worker_lost' END,
                finished_at = CASE WHEN NOT l.is_safe OR r.attempts_left <= 1 THEN now() END,
                error_message = CASE WHEN l.is_safe THEN 'The worker stopped while it sent the file; the next attempt goes on from there.'
                    ELSE 'The worker stopped between sending the call and recording its answer.' END
            FROM lost l
            WHERE r.import_id = l.import_id AND r.row_number = l.row_number AND r.state = 'pending'
            RETURNING r.import_id, r.row_number, r.attempt_count, r.state, r.error_code, l.started_at
        ), over AS (
            INSERT INTO importer.attempt (import_id, row_number, number, started_at, worker, finished_at, outcome)
            SELECT import_id, row_number, attempt_count, started_at, $4, now(), error_code FROM moved
        )
        SELECT count(*) FILTER (WHERE state = 'unknown')::int FROM moved
        """;

    /// <summary>
    /// Takes a chunk back whose lease has run out: what was being submitted becomes unknown, the rest is due again. Returns the number of
    /// records in doubt, or null when the lease was renewed or released after all.
    /// </summary>
    public Task<int?> RescuedAsync(int importId, int chunkNumber, CancellationToken cancellationToken) =>
        database.TransactionAsync<int?>(async connection =>
    {
        if (await connection.QueryAsync<TakenChunk>(LockExpiredChunk, cancellationToken, importId, chunkNumber) is not [var taken])
            return null;
        await connection.ExecuteAsync(TakeChunkBack, cancellationToken, importId, chunkNumber);
        await connection.LeaveOnlyKeysAsync(cancellationToken);
        return (await connection.QueryAsync<int>(
            LoseSubmitting, cancellationToken, importId, taken.OnWire, taken.OnWireSince, taken.Worker)).Single();
    }, cancellationToken);
}
