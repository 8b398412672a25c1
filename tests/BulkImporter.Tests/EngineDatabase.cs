using BulkImporter.Data;
using BulkImporter.Imports;
using BulkImporter.Records;
using BulkImporter.Rerun;
using Cincopa.Client;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace BulkImporter.Tests;

/// <summary>
/// A database of a test class in which records live: imports of pending records that are due, leases put there by plain SQL, and the
/// questions that every test of the engine ends with.
/// </summary>
public sealed class EngineDatabase(TestServer server) : IAsyncLifetime
{
    public const string Worker = "this-worker";
    private readonly ImporterDatabase database = new(server);

    public NpgsqlDataSource Source => database.Source;

    public IDbContextFactory<ImporterDb> Contexts => database.Contexts;

    public string ConnectionString => database.ConnectionString;

    public RecordTransitions Transitions => new(Source);

    internal FollowImports Follow => new(Source, Transitions, HostsUnderTest.New(Source), NullLogger<FollowImports>.Instance);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public ValueTask InitializeAsync() => database.InitializeAsync();

    public ValueTask DisposeAsync() => database.DisposeAsync();

    public Task AddAsync(params object[] entities) => database.AddAsync(entities);

    public Task<int> SqlAsync(string sql, params object?[] parameters) => database.SqlAsync(sql, parameters);

    public Task<T> OneAsync<T>(string sql, params object?[] parameters) => database.OneAsync<T>(sql, parameters);

    public Task<string> ImportStateAsync(int importId) => database.StateAsync(importId);

    /// <summary>An account of its own without limits, so that tests of one class do not share a block or a suspension.</summary>
    public async Task<int> AccountAsync(
        int maxInFlight = 0, double submitRate = 0, double statusRate = 0, int backlog = 0, int perHost = 0)
    {
        var account = ImporterDatabase.Account($"account {Guid.NewGuid()}");
        account.Limits = new() { MaxInFlight = maxInFlight, Rate = submitRate, StatusRate = statusRate, Backlog = backlog, PerHost = perHost };
        await database.AddAsync(ImporterDatabase.Budgeted(account, backlog == 0 ? null : backlog));
        return account.Id;
    }

    /// <summary>
    /// An import of <paramref name="rows"/> pending records, all due, for an account of its own unless one is given. Nothing of them is to
    /// be finished once they are imported.
    /// </summary>
    public async Task<int> ImportAsync(
        int rows = 3, int chunkSize = 3, int? account = null, int priority = 0, int maxAttempts = 5,
        ImportState state = ImportState.Running)
    {
        var id = await database.ImportAsync(state, [.. Enumerable.Repeat(RecordState.Pending, rows)], chunkSize);
        await SqlAsync("UPDATE importer.import SET account_id = $2, priority = $3, max_attempts = $4, started_at = now() WHERE id = $1",
            id, account ?? await AccountAsync(), priority, maxAttempts);
        await SqlAsync("UPDATE importer.import_record SET attempts_left = $2, caption = NULL, reference_id = NULL WHERE import_id = $1",
            id, (short)maxAttempts);
        await SqlAsync("UPDATE importer.import_chunk SET due_at = now() WHERE import_id = $1", id);
        return id;
    }

    /// <summary>Puts a live lease on a chunk, whoever held it before.</summary>
    public async Task<Lease> LeaseAsync(int importId, int chunk = 1, int window = 32, string worker = Worker)
    {
        var token = Guid.NewGuid();
        return (await Source.QueryAsync("""
            UPDATE importer.import_chunk c
            SET state = 'running', lease_token = $3, lease_owner = $4, lease_until = now() + interval '1 hour', lease_window = $5,
                fence = c.fence + 1
            FROM importer.import i
            WHERE c.import_id = $1 AND c.number = $2 AND i.id = c.import_id
            RETURNING c.first_row, c.last_row, i.account_id, c.fence
            """, r => new Lease(importId, chunk, r.GetInt32(0), r.GetInt32(1), r.GetInt32(2), token, worker, r.GetInt64(3), window), Token,
            importId, chunk, token, worker, window)).Single();
    }

    /// <summary>Lets the lease of a chunk run out.</summary>
    public Task ExpireAsync(int importId, int chunk = 1) =>
        SqlAsync("UPDATE importer.import_chunk SET lease_until = now() - interval '1 second' WHERE import_id = $1 AND number = $2",
            importId, chunk);

    /// <summary>Gives a chunk back as a graceful worker does, without touching its records.</summary>
    public Task ReleaseAsync(int importId, int chunk = 1) => SqlAsync("""
        UPDATE importer.import_chunk c
        SET state = 'waiting', lease_token = NULL, lease_owner = NULL, lease_until = NULL, lease_window = 0,
            due_at = (SELECT min(coalesce(next_attempt_at, now())) FROM importer.import_record r
                      WHERE r.import_id = c.import_id AND r.chunk_number = c.number AND r.state = 'pending')
        WHERE import_id = $1 AND number = $2
        """, importId, chunk);

    /// <summary>
    /// Commits the intents of rows under a lease of their chunk and answers them accepted, each with <c>st-row-attempt</c>.
    /// </summary>
    public async Task<Lease> SubmitAsync(int importId, int chunk, params int[] rows)
    {
        var lease = await LeaseAsync(importId, chunk);
        var intents = await Transitions.SubmittingAsync(lease, rows, Token);
        Assert.Equal(rows.Order(), intents.Select(i => i.RowNumber).Order());
        await AnswerAsync(lease, [.. intents.Select(Accepted)]);
        return lease;
    }

    /// <summary>
    /// Sends rows and loses the replies, <paramref name="minutesAgo"/>: their records are in doubt since then. Each goes to its own source.
    /// </summary>
    public async Task<IReadOnlyList<Intent>> DoubtAsync(int importId, double minutesAgo, params (int Row, string Url)[] sources)
    {
        foreach (var (row, url) in sources)
            await SqlAsync("UPDATE importer.import_record SET source_url = $3 WHERE import_id = $1 AND row_number = $2",
                importId, row, url);
        var lease = await LeaseAsync(importId);
        var rows = sources.Select(s => s.Row).ToArray();
        var intents = await Transitions.SubmittingAsync(lease, rows, Token);
        await AnswerAsync(lease, [.. intents.Select(i => Failed(i, RecordState.Unknown, FailureCode.ReplyLost))]);
        await AgeAsync(importId, minutesAgo, rows);
        return intents;
    }

    /// <summary>Every look through an import's account has failed for so long, and the next one is put off.</summary>
    public Task ListingFailsAsync(int importId, double minutes = 61) => SqlAsync("""
        INSERT INTO importer.reconcile_look (account_id, next_at, failing_since, problem)
        SELECT account_id, now() + interval '1 minute', now() - $2, 'It cannot be listed.' FROM importer.import WHERE id = $1
        ON CONFLICT (account_id) DO UPDATE
        SET next_at = excluded.next_at, failing_since = excluded.failing_since, problem = excluded.problem
        """, importId, TimeSpan.FromMinutes(minutes));

    /// <summary>Moves what rows went through into the past.</summary>
    public async Task AgeAsync(int importId, double minutes, params int[] rows)
    {
        await SqlAsync("UPDATE importer.import_record SET finished_at = finished_at - $3 WHERE import_id = $1 AND row_number = ANY($2)",
            importId, rows, TimeSpan.FromMinutes(minutes));
        await SqlAsync("UPDATE importer.import_record SET submitted_at = submitted_at - $3 WHERE import_id = $1 AND row_number = ANY($2)",
            importId, rows, TimeSpan.FromMinutes(minutes));
        await SqlAsync(
            "UPDATE importer.attempt SET started_at = started_at - $3, looked_at = looked_at - $3 WHERE import_id = $1 AND row_number = "
                + "ANY($2)", importId, rows, TimeSpan.FromMinutes(minutes));
    }

    /// <summary>The row and the number of each attempt, without its time.</summary>
    public static IEnumerable<(int Row, int Attempt)> Numbers(IEnumerable<Intent> intents) =>
        intents.Select(i => (i.RowNumber, (int)i.Attempt)).Order();

    /// <summary>What waits for its first look, or is followed, is due.</summary>
    public async Task DueAsync()
    {
        await SqlAsync("UPDATE importer.status_poll SET next_poll_at = now()");
        await SqlAsync("UPDATE importer.record_finish SET next_at = now()");
        await SqlAsync("UPDATE importer.work_batch SET next_at = now()");
    }

    /// <summary>What waited for its first look was looked at and was not over: it is followed from now on.</summary>
    public async Task LookedAsync()
    {
        await SqlAsync("""
            INSERT INTO importer.status_poll (import_id, row_number, attempt, account_id, status_id, submitted_at, next_poll_at, moved_at)
            SELECT w.import_id, r.row_number, r.attempt_count, w.account_id, r.status_id, w.since, w.next_at, w.since
            FROM importer.work_batch w CROSS JOIN LATERAL unnest(w.rows) AS n(row_number)
            JOIN importer.import_record r ON r.import_id = w.import_id AND r.row_number = n.row_number
            WHERE w.step = 'look' ON CONFLICT (import_id, row_number) DO NOTHING
            """);
        await SqlAsync("DELETE FROM importer.work_batch WHERE step = 'look'");
    }

    public Task<IReadOnlyList<Answer>> AnswerAsync(Lease lease, params Answer[] answers) =>
        Transitions.AnsweredAsync(lease, answers, TimeSpan.FromSeconds(1), Token);

    public static string StatusIdOf(Intent intent) => $"st-{intent.RowNumber}-{intent.Attempt}";

    public static Answer Accepted(Intent intent) =>
        new(intent, RecordState.Submitted, new StatusId(StatusIdOf(intent)), null, 200, null, null,
            GiveBack: false);

    public static Answer Failed(Intent intent, RecordState to, FailureCode code, TimeSpan? retryAfter = null) =>
        new(intent, to, null, code, 500, "It did not work.", to == RecordState.Pending ? retryAfter
            ?? TimeSpan.Zero : null, code.IsNotTheRows());

    public async Task<long> ConcludeAsync(
        int importId, int row, string statusId, RecordState to, FailureCode? code = null, TimeSpan? retryAfter = null)
    {
        var waitsIn = await Source.QueryAsync(
            """
            SELECT w.id FROM importer.work_batch w JOIN importer.import_record r USING (import_id)
            WHERE import_id = $1 AND w.step = 'look' AND $2 = ANY (w.rows) AND r.row_number = $2 AND r.status_id = $3
            """, r => r.GetInt64(0), Token, importId, row, statusId);
        return await Transitions.ConcludedAsync(
            [new(importId, row, new StatusId(statusId), to, to == RecordState.Imported
                ? new Rid($"rid{row}") : null, code, code?.ToString(),
            to == RecordState.Pending ? retryAfter ?? TimeSpan.Zero : null, BatchId: waitsIn is [var batch, ..] ? batch : null)], Token);
    }

    /// <summary>Takes an asset for a record in doubt. Returns how many records moved.</summary>
    public async Task<int> AdoptAsync(int importId, int row, short attempt, string rid)
    {
        var account = await OneAsync<int>("SELECT account_id FROM importer.import WHERE id = $1", importId);
        await using var connection = await Source.OpenConnectionAsync(Token);
        await using var transaction = await connection.BeginTransactionAsync(Token);
        var (made, _) = await Transitions.AdoptedAsync(connection, account, [new(importId, row, attempt, new Rid(rid), "Found.")], Token);
        await transaction.CommitAsync(Token);
        return made.Count;
    }

    public Task<ImportChange> RerunAsync(int importId, RecordFilter? filter = null, bool push = false) =>
        new RerunRecords(Source, Transitions).RunAsync(importId, filter ?? RecordFilter.All, push, "ann", Token);

    public Task<ImportChange> CancelAsync(int importId, bool abortRemote = false) =>
        new CancelImport(Source, Transitions).RunAsync(importId, abortRemote, "ann", Token);

    /// <summary>The record's state and what belongs to it, e.g. "submitted attempt 1 left 4 st-1-1".</summary>
    public async Task<string> RecordAsync(int importId, int row) => (await RecordsAsync(importId)).Single(r => r.Row == row).Text;

    public async Task<RecordState> StateAsync(int importId, int row) =>
        EnumText<RecordState>.Parse(
            await OneAsync<string>("SELECT state FROM importer.record_now WHERE import_id = $1 AND row_number = $2", importId, row));

    public async Task<List<(int Row, string Text)>> RecordsAsync(int importId) => await Source.QueryAsync("""
        SELECT row_number, concat_ws(' ', state, 'attempt', attempt_count, 'left', attempts_left, status_id, rid, error_code, CASE
            WHEN possibly_duplicated THEN 'twice' END)
        FROM importer.record_now WHERE import_id = $1 ORDER BY row_number
        """, r => (r.GetInt32(0), r.GetString(1)), Token, importId);

    /// <summary>The attempts of a record, e.g. "1 accepted st-1-1".</summary>
    public async Task<string[]> AttemptsAsync(int importId, int row) => [.. await Source.QueryAsync("""
        SELECT concat_ws(' ', number, coalesce(outcome, 'open'), status_id) FROM importer.attempt_now WHERE import_id = $1 AND row_number = $2
            ORDER BY number
        """, r => r.GetString(0), Token, importId, row)];

    /// <summary>Records by state as the counters have it, after making sure that everything about the import fits together.</summary>
    public async Task<string> SoundCountsAsync(int importId)
    {
        await AssertSoundAsync(importId);
        return await database.CountsAsync(importId);
    }

    /// <summary>
    /// The invariants that hold at every commit: counters equal a grouped count and sum to the rows, attempts are numbered without a gap,
    /// only what is being submitted has an open attempt, what is submitted is followed and nothing else but an adopted call whose ticket
    /// came late, no record has adopted the asset of another, and no pending record is forgotten.
    /// </summary>
    public async Task AssertSoundAsync(int importId)
    {
        var wrong = await Source.QueryAsync("""
            WITH record AS (SELECT * FROM importer.record_now WHERE import_id = $1),
            try AS (SELECT * FROM importer.attempt_now WHERE import_id = $1),
            followed AS (
                SELECT row_number, attempt, status_id FROM importer.status_poll WHERE import_id = $1
                UNION ALL
                SELECT r.row_number, r.attempt_count, r.status_id FROM importer.work_batch w CROSS JOIN LATERAL unnest(w.rows) AS n(row_number)
                JOIN record r ON r.row_number = n.row_number WHERE w.import_id = $1 AND w.step = 'look'),
            counted AS (
                SELECT chunk_number, count(*) AS rows, min(row_number) AS first_row, max(row_number) AS last_row,
                    count(*) FILTER (WHERE state = 'pending') AS pending, count(*) FILTER (WHERE state = 'submitting') AS submitting,
                    count(*) FILTER (WHERE state = 'submitted') AS submitted, count(*) FILTER (WHERE state = 'imported') AS imported,
                    count(*) FILTER (WHERE state = 'failed') AS failed, count(*) FILTER (WHERE state = 'unknown') AS unknown,
                    count(*) FILTER (WHERE state = 'cancelled') AS cancelled, count(*) FILTER (WHERE state = 'invalid') AS invalid,
                    count(*) FILTER (WHERE state = 'duplicate') AS duplicate, count(*) FILTER (WHERE state = 'deleted') AS deleted
                FROM record GROUP BY chunk_number)
            SELECT 'chunk ' || c.number || ' does not count its records' FROM importer.import_chunk c FULL JOIN counted n
                ON n.chunk_number = c.number
            WHERE c.import_id = $1 AND (c.pending_count, c.submitting_count, c.submitted_count, c.imported_count, c.failed_count,
                c.unknown_count, c.cancelled_count, c.invalid_count, c.duplicate_count, c.deleted_count)
                IS DISTINCT FROM (n.pending, n.submitting, n.submitted, n.imported, n.failed, n.unknown, n.cancelled, n.invalid,
                    n.duplicate, n.deleted)
            UNION ALL
            SELECT 'chunk ' || c.number || ' does not count what arrived' FROM importer.import_chunk c
            CROSS JOIN LATERAL (
                SELECT count(*) FILTER (WHERE a.arrival = 'verified') AS verified,
                    count(*) FILTER (WHERE a.arrival = 'size_differs') AS size,
                    count(*) FILTER (WHERE a.arrival = 'duration_differs') AS duration, count(*) FILTER (WHERE a.arrival = 'md5_differs') AS md5
                FROM importer.record_asset a
                WHERE a.import_id = c.import_id AND a.row_number BETWEEN c.first_row AND c.last_row) n
            WHERE c.import_id = $1 AND (c.verified_count, c.size_differs_count, c.duration_differs_count, c.md5_differs_count)
                <> (n.verified, n.size, n.duration, n.md5)
            UNION ALL
            SELECT 'chunk ' || chunk_number || ' counts ' || coalesce(f.count, 0) || ' ' || code || ' and has ' || coalesce(n.count, 0)
            FROM (SELECT * FROM importer.chunk_failure WHERE import_id = $1 AND count <> 0) f
            FULL JOIN (SELECT chunk_number, error_code AS code, count(*) AS count FROM record
                WHERE state IN ('failed', 'unknown') GROUP BY chunk_number, error_code) n USING (chunk_number, code)
            WHERE f.count IS DISTINCT FROM n.count
            UNION ALL
            SELECT 'chunk ' || chunk_number || ' counts ' || coalesce(h.count, 0) || ' ' || code || ' of ' || host || ' and has '
                || coalesce(n.count, 0)
            FROM (SELECT * FROM importer.chunk_host WHERE import_id = $1 AND count <> 0) h
            FULL JOIN (SELECT chunk_number, importer.host_of(source_url) AS host, date_trunc('hour', finished_at, 'UTC') AS hour,
                CASE WHEN state = 'imported' THEN '' ELSE error_code END AS code, count(*) AS count FROM record
                WHERE state IN ('imported', 'failed', 'unknown') AND importer.host_of(source_url) IS NOT NULL GROUP BY 1, 2, 3, 4) n
                USING (chunk_number, host, hour, code)
            WHERE h.count IS DISTINCT FROM n.count
            UNION ALL
            SELECT 'the chunks hold ' || sum(c.last_row - c.first_row + 1) || ' rows of ' || max(i.row_count)
            FROM importer.import_chunk c JOIN importer.import i ON i.id = c.import_id
            WHERE i.id = $1 HAVING sum(c.last_row - c.first_row + 1) <> max(i.row_count)
            UNION ALL
            SELECT 'row ' || r.row_number || ' has attempts ' || coalesce(string_agg(t.number::text, ',' ORDER BY t.number),
                'none') || ' and counts ' || r.attempt_count
            FROM record r LEFT JOIN try t ON t.row_number = r.row_number
            GROUP BY r.row_number, r.attempt_count
            HAVING count(t.number) <> r.attempt_count OR coalesce(max(t.number), 0) <> r.attempt_count
            UNION ALL
            SELECT 'row ' || r.row_number || ' is ' || r.state || ' and its attempt ' || t.number || ' is ' || coalesce(t.outcome, 'open')
            FROM record r JOIN try t ON t.row_number = r.row_number
            WHERE (t.outcome IS NULL) <> (r.state = 'submitting' AND t.number = r.attempt_count)
            UNION ALL
            SELECT 'row ' || r.row_number || ' is ' || r.state || ' and followed as ' || coalesce(p.status_id, 'nothing')
            FROM record r LEFT JOIN followed p ON p.row_number = r.row_number
            LEFT JOIN try t ON t.row_number = r.row_number AND t.number = r.attempt_count
            WHERE p.attempt <> r.attempt_count OR CASE WHEN r.state = 'imported' AND t.outcome = 'reconciled'
                THEN p.status_id <> t.status_id
                ELSE (r.state = 'submitted') <> (p.status_id IS NOT NULL) OR p.status_id <> r.status_id END
            UNION ALL
            SELECT 'row ' || r.row_number || ' has adopted the asset ' || r.rid || ' of row ' || other.row_number
            FROM record r JOIN try t ON t.row_number = r.row_number AND t.outcome = 'reconciled'
            JOIN record other ON other.rid = r.rid AND other.row_number <> r.row_number
            UNION ALL
            SELECT 'row ' || r.row_number || ' is pending and its chunk is due at ' || coalesce(c.due_at::text, 'no time')
            FROM record r JOIN importer.import_chunk c ON c.import_id = r.import_id AND c.number = r.chunk_number
            JOIN importer.import i ON i.id = r.import_id
            -- What is behind a trial waits for a person, and what was set aside for its host waits for that.
            WHERE r.state = 'pending' AND NOT coalesce(importer.host_of(r.source_url) = ANY (c.waits_for), false)
                AND r.row_number <= coalesce(i.trial_through, r.row_number) AND (c.due_at IS NULL OR c.due_at > GREATEST(r.next_attempt_at, now()))
            """, r => r.GetString(0), Token, importId);
        Assert.Empty(wrong);
    }
}
