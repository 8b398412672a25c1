using BulkImporter.Data;
using Npgsql;

namespace BulkImporter.Records;

/// <summary>An intent that was committed: this attempt of this row may now be sent, once.</summary>
public readonly record struct Intent(int RowNumber, short Attempt);

/// <summary>What the answer to an attempt makes of its record.</summary>
/// <param name="To">submitted, pending (again; failed when no attempt is left), failed or unknown.</param>
/// <param name="RetryAfter">How long the record waits when it becomes pending.</param>
/// <param name="GiveBack">The failure was not the row's: the attempt does not count against it.</param>
public sealed record Answer(
    int RowNumber, short Attempt, RecordState To, string? StatusId, FailureCode? Code, short? HttpStatus, string? Message,
    TimeSpan? RetryAfter, bool GiveBack);

/// <summary>What the status call makes of a submitted record.</summary>
/// <param name="To">imported, pending (again; failed when no attempt is left), failed or unknown.</param>
public sealed record Conclusion(
    int ImportId, int RowNumber, string StatusId, RecordState To, string? Rid, FailureCode? Code, string? Message, TimeSpan? RetryAfter);

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
    private const string MarkDuplicates = """
        WITH shared AS (
            SELECT source_key, min(row_number) AS first_row FROM importer.import_record
            WHERE import_id = $1 AND source_key IS NOT NULL
            GROUP BY source_key HAVING count(*) > 1
        ), moved AS (
            UPDATE importer.import_record r
            SET state = 'duplicate', error_code = 'duplicate_url', error_message = 'Row ' || shared.first_row || ' has the same address.', finished_at = now()
            FROM shared
            WHERE r.import_id = $1 AND r.source_key = shared.source_key AND r.row_number > shared.first_row AND r.state = 'pending'
            RETURNING r.row_number, r.line_number, r.source_url
        )
        INSERT INTO importer.finding (import_id, row_number, line_number, column_name, code, severity, value)
        SELECT $1, row_number, line_number, $2, 'duplicate_url', 'error', left(split_part(source_url, '?', 1), 120) FROM moved
        """;

    /// <summary>Pending to submitting: begins an attempt for each row that is due, if the lease is live and import and account still run. The commit is the permission to send.</summary>
    private const string CommitIntents = """
        WITH gate AS (
            SELECT 1 FROM importer.import_chunk c
            JOIN importer.import i ON i.id = c.import_id AND i.state = 'running'
            JOIN importer.account a ON a.id = i.account_id AND a.state = 'active'
            JOIN importer.call_budget b ON b.account_id = a.id AND b.kind = 'submit' AND (b.blocked_until IS NULL OR b.blocked_until <= now())
            WHERE c.import_id = $1 AND c.number = $2 AND c.lease_token = $3 AND c.lease_until > now()
            FOR NO KEY UPDATE OF c
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

    private const string OpenIntents = """
        SELECT r.row_number, r.attempt_count
        FROM importer.import_record r
        JOIN importer.attempt t ON t.import_id = r.import_id AND t.row_number = r.row_number AND t.number = r.attempt_count
        WHERE r.import_id = $1 AND r.row_number = ANY($2) AND r.state = 'submitting' AND t.worker = $3
        """;

    /// <summary>Submitting (or unknown, when the rescue came before the late answer) to what the answer says.</summary>
    // The attempts of a new import are not in the statistics: named as $1, the import would seem to have one attempt, and the planner would
    // read all of them for each batch. As a column of the answers it leaves only the look-up by the whole key.
    private const string WriteAnswers = """
        WITH answer AS (
            SELECT $1::int AS import_id, * FROM unnest($2::int[], $3::smallint[], $4::text[], $5::text[], $6::text[], $7::smallint[], $8::text[], $9::interval[], $10::smallint[])
                AS a(row_number, attempt, state, status_id, code, http_status, message, retry_after, give_back)
        ), moved AS (
            UPDATE importer.import_record r
            SET state = CASE WHEN a.state = 'pending' AND r.attempts_left + a.give_back <= 0 THEN 'failed' ELSE a.state END,
                status_id = a.status_id,
                error_code = a.code,
                error_message = a.message,
                attempts_left = r.attempts_left + a.give_back,
                next_attempt_at = CASE WHEN a.state = 'pending' AND r.attempts_left + a.give_back > 0 THEN now() + a.retry_after END,
                submitted_at = CASE WHEN a.state = 'submitted' THEN now() END,
                finished_at = CASE WHEN a.state = 'submitted' OR (a.state = 'pending' AND r.attempts_left + a.give_back > 0) THEN NULL ELSE now() END
            FROM answer a
            WHERE r.import_id = $1 AND r.row_number = a.row_number AND r.attempt_count = a.attempt AND r.state IN ('submitting', 'unknown')
            RETURNING r.row_number, r.state, r.status_id, r.attempt_count
        ), closed AS (
            UPDATE importer.attempt t
            SET status_id = a.status_id, http_status = a.http_status, message = a.message,
                outcome = coalesce(a.code, 'accepted'),
                finished_at = CASE WHEN a.code IS NOT NULL THEN now() END
            FROM answer a
            WHERE t.import_id = a.import_id AND t.row_number = a.row_number AND t.number = a.attempt AND (t.outcome IS NULL OR t.outcome = 'worker_lost')
        ), followed AS (
            INSERT INTO importer.status_poll (import_id, row_number, attempt, account_id, status_id, submitted_at, next_poll_at, moved_at, poll_count)
            SELECT $1, row_number, attempt_count, $11, status_id, now(), now() + $12, now(), 0 FROM moved WHERE state = 'submitted'
            ON CONFLICT (import_id, row_number) DO UPDATE SET status_id = excluded.status_id, attempt = excluded.attempt, submitted_at = excluded.submitted_at,
                next_poll_at = excluded.next_poll_at, moved_at = excluded.moved_at, poll_count = 0, not_found_since = NULL,
                progress_percent = NULL, progress_bytes = NULL, total_bytes = NULL
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

    /// <summary>Submitted to what the status call says; the status_id is the guard, so the end of an older attempt changes nothing.</summary>
    private const string WriteConclusions = """
        WITH conclusion AS (
            SELECT * FROM unnest($1::int[], $2::int[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::interval[])
                AS c(import_id, row_number, status_id, state, rid, code, message, retry_after)
        ), moved AS (
            UPDATE importer.import_record r
            SET state = CASE WHEN c.state = 'pending' AND r.attempts_left <= 0 THEN 'failed' ELSE c.state END,
                rid = c.rid,
                error_code = c.code,
                error_message = c.message,
                next_attempt_at = CASE WHEN c.state = 'pending' AND r.attempts_left > 0 THEN now() + c.retry_after END,
                finished_at = CASE WHEN c.state = 'pending' AND r.attempts_left > 0 THEN NULL ELSE now() END
            FROM conclusion c
            WHERE r.import_id = c.import_id AND r.row_number = c.row_number AND r.status_id = c.status_id AND r.state = 'submitted'
            RETURNING r.import_id, r.row_number, r.attempt_count
        ), closed AS (
            UPDATE importer.attempt t
            SET finished_at = now(), outcome = coalesce(c.code, 'imported'), message = c.message
            FROM moved m JOIN conclusion c USING (import_id, row_number)
            WHERE t.import_id = m.import_id AND t.row_number = m.row_number AND t.number = m.attempt_count
        ), unfollowed AS (
            DELETE FROM importer.status_poll p USING conclusion c
            WHERE p.import_id = c.import_id AND p.row_number = c.row_number AND p.status_id = c.status_id
        )
        SELECT count(*) FROM moved
        """;

    /// <summary>Submitting to unknown, for a chunk whose lease has run out; the chunk goes back to waiting in the same transaction.</summary>
    private const string TakeExpiredChunk = """
        UPDATE importer.import_chunk
        SET state = 'waiting', lease_owner = NULL, lease_token = NULL, lease_until = NULL, lease_window = 0, due_at = now()
        WHERE import_id = $1 AND number = $2 AND state = 'running' AND lease_until < now()
        RETURNING first_row, last_row
        """;

    private const string LoseSubmitting = """
        WITH moved AS (
            UPDATE importer.import_record r
            SET state = 'unknown', error_code = 'worker_lost', finished_at = now(),
                error_message = 'The worker stopped between sending the call and recording its answer.'
            WHERE r.import_id = $1 AND r.row_number BETWEEN $2 AND $3 AND r.state = 'submitting'
            RETURNING r.row_number, r.attempt_count
        )
        UPDATE importer.attempt t
        SET finished_at = now(), outcome = 'worker_lost'
        FROM moved m
        WHERE t.import_id = $1 AND t.row_number = m.row_number AND t.number = m.attempt_count
        """;

    private const string LockChunksInDoubt = """
        SELECT 1 FROM importer.import_chunk WHERE import_id = $1 AND unknown_count > 0 ORDER BY number FOR NO KEY UPDATE
        """;

    /// <summary>Unknown to pending, by the import's own setting: after the grace time, while attempts are left, and only while the import runs.</summary>
    private const string ResubmitUnknown = """
        UPDATE importer.import_record r
        SET state = 'pending', next_attempt_at = NULL, finished_at = NULL
        FROM importer.import_chunk c JOIN importer.import i ON i.id = c.import_id AND i.state = 'running' AND i.when_unknown = 'resubmit'
        WHERE c.import_id = $1 AND c.unknown_count > 0
            AND r.import_id = $1 AND r.row_number BETWEEN c.first_row AND c.last_row
            AND r.state = 'unknown' AND r.attempts_left > 0 AND r.finished_at <= now() - $2
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

    /// <summary>Failed, cancelled and (when asked for) unknown to pending with all attempts again. The attempts that were made are kept. The selection's condition is appended.</summary>
    private const string MakePendingAgain = """
        UPDATE importer.import_record r
        SET state = 'pending', attempts_left = i.max_attempts, next_attempt_at = NULL, status_id = NULL, rid = NULL,
            error_code = NULL, error_message = NULL, submitted_at = NULL, finished_at = NULL
        FROM importer.import i
        WHERE i.id = $1 AND r.import_id = $1 AND r.state = ANY($2)
        """;

    /// <summary>Marks the duplicates of an import that is being parsed, in the parse's transaction. Answers how many.</summary>
    public Task<int> DuplicateAsync(NpgsqlConnection connection, int importId, string? urlColumn, CancellationToken cancellationToken) =>
        connection.ExecuteLongAsync(MarkDuplicates, cancellationToken, importId, urlColumn);

    /// <summary>
    /// Begins an attempt for each of <paramref name="rows"/> that is still pending. Nothing is sent for a row that is not in the answer:
    /// the lease is lost, the import paused or the account suspended.
    /// </summary>
    public async Task<IReadOnlyList<Intent>> SubmittingAsync(Lease lease, int[] rows, CancellationToken cancellationToken) =>
        await database.QueryAsync(CommitIntents, r => new Intent(r.GetInt32(0), r.GetInt16(1)), cancellationToken,
            lease.ImportId, lease.ChunkNumber, lease.Token, rows, lease.Worker);

    /// <summary>The intents among <paramref name="rows"/> that this worker committed and nobody has answered.</summary>
    public async Task<IReadOnlyList<Intent>> OpenIntentsAsync(Lease lease, int[] rows, CancellationToken cancellationToken) =>
        await database.QueryAsync(OpenIntents, r => new Intent(r.GetInt32(0), r.GetInt16(1)), cancellationToken, lease.ImportId, rows, lease.Worker);

    /// <summary>
    /// Writes what was answered. Takes the lease to know the chunk, not to check it: the attempt number fences each row, and a late
    /// answer of a worker that lost its lease is the best news that a record in doubt can get.
    /// Returns the accepted answers that no longer count for their record, which is then marked as possibly duplicated.
    /// </summary>
    public async Task<IReadOnlyList<Answer>> AnsweredAsync(Lease lease, IReadOnlyList<Answer> answers, TimeSpan firstPoll, CancellationToken cancellationToken)
    {
        await using var batch = database.CreateBatch();
        batch.BatchCommands.Add(Sql.BatchCommand(LockChunk, lease.ImportId, lease.ChunkNumber));
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
            firstPoll));
        var moved = new HashSet<int>(answers.Count);
        await using (var reader = await batch.ExecuteReaderAsync(cancellationToken))
        {
            await reader.NextResultAsync(cancellationToken);
            while (await reader.ReadAsync(cancellationToken)) moved.Add(reader.GetInt32(0));
        }

        var late = answers.Where(a => a.To == RecordState.Submitted && !moved.Contains(a.RowNumber)).ToList();
        if (late.Count == 0) return late;
        var marked = await database.QueryAsync(MarkPossiblyDuplicated, r => r.GetInt32(0), cancellationToken,
            lease.ImportId, late.Select(a => a.RowNumber).ToArray(), late.Select(a => a.StatusId).ToArray());
        return late.FindAll(a => marked.Contains(a.RowNumber));
    }

    /// <summary>Writes what the status call said of submitted records. Answers how many moved; the rest had moved on before.</summary>
    public async Task<long> ConcludedAsync(IReadOnlyList<Conclusion> conclusions, CancellationToken cancellationToken)
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
            conclusions.Select(c => c.RetryAfter).ToArray()));
        await using var reader = await batch.ExecuteReaderAsync(cancellationToken);
        await reader.NextResultAsync(cancellationToken);
        await reader.ReadAsync(cancellationToken);
        return reader.GetInt64(0);
    }

    /// <summary>
    /// Takes a chunk back whose lease has run out: what was being submitted becomes unknown, the rest is due again.
    /// Answers the number of records in doubt, or null when the lease was renewed or released after all.
    /// </summary>
    public async Task<int?> RescuedAsync(int importId, int chunkNumber, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        int first, last;
        await using (var take = connection.Command(TakeExpiredChunk, importId, chunkNumber))
        await using (var reader = await take.ExecuteReaderAsync(cancellationToken))
        {
            if (!await reader.ReadAsync(cancellationToken)) return null;
            (first, last) = (reader.GetInt32(0), reader.GetInt32(1));
        }
        await using var lose = connection.Command(LoseSubmitting, importId, first, last);
        var inDoubt = await lose.ExecuteNonQueryAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return inDoubt;
    }

    /// <summary>Cancels what was not sent, in the caller's transaction. Answers how many records that were.</summary>
    public async Task<int> CancelledAsync(NpgsqlConnection connection, int importId, CancellationToken cancellationToken)
    {
        await connection.ExecuteAsync(LockChunksOfImport, cancellationToken, importId);
        return await connection.ExecuteLongAsync(CancelPending, cancellationToken, importId);
    }

    /// <summary>
    /// Makes the selected records pending again, in the caller's transaction. Answers how many, and how many of the selection were left
    /// as they are in each state.
    /// </summary>
    public async Task<(int Moved, IReadOnlyDictionary<RecordState, int> Left)> PendingAgainAsync(
        NpgsqlConnection connection, int importId, RecordFilter filter, bool unknownToo, CancellationToken cancellationToken)
    {
        RecordState[] eligible = unknownToo
            ? [RecordState.Failed, RecordState.Cancelled, RecordState.Unknown]
            : [RecordState.Failed, RecordState.Cancelled];
        await connection.ExecuteAsync(LockChunksOfImport, cancellationToken, importId);
        var selected = await ReadRecords.CountByStateAsync(connection, importId, filter, cancellationToken);

        var parameters = new List<object?> { importId, eligible.Select(EnumText<RecordState>.Of).ToArray() };
        var condition = filter.Condition(parameters);
        var moved = await connection.ExecuteLongAsync(MakePendingAgain + condition, cancellationToken, [.. parameters]);
        return (moved, selected.Where(s => !eligible.Contains(s.Key)).ToDictionary());
    }

    /// <summary>
    /// Makes the unknown records of an import pending again that have been in doubt for <paramref name="grace"/>, if the import's setting
    /// prefers a duplicate to a gap. Answers how many.
    /// </summary>
    public async Task<int> ResubmittedAsync(int importId, TimeSpan grace, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await connection.ExecuteAsync(LockChunksInDoubt, cancellationToken, importId);
        var resubmitted = await connection.ExecuteAsync(ResubmitUnknown, cancellationToken, importId, grace);
        await transaction.CommitAsync(cancellationToken);
        return resubmitted;
    }

    private static string? CodeText(FailureCode? code) => code is { } known ? EnumText<FailureCode>.Of(known) : null;
}
