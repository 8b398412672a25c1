namespace BulkImporter.Records;

/// <summary>What the records of a batch wait for.</summary>
[StoredAsText]
public enum BatchStep
{
    /// <summary>The first look at what became of them at Cincopa.</summary>
    Look,

    /// <summary>Their assets' texts, reference ids and galleries.</summary>
    Finish,
}

/// <summary>
/// Records of one import that came to a step together and wait for it together: one row is written, claimed and removed in place of one for
/// each record. A record leaves the batch when it had its turn. When that did not end the step for it (Cincopa still fetches the file, a
/// text was refused), the step's own table has a row for it from then on (<c>status_poll</c>, <c>record_finish</c>).
/// </summary>
public sealed class WorkBatch
{
    /// <summary>The most records of a batch. For an account with a rate, what it lets through in <see cref="Seconds"/>.</summary>
    private const int MostRows = 100;

    /// <summary>A claim lasts longer than this, so that what was claimed is also asked about.</summary>
    private const int Seconds = 5;

    public long Id { get; init; }
    public required int AccountId { get; init; }
    public required int ImportId { get; init; }
    public required BatchStep Step { get; init; }

    /// <summary>Row numbers of the records that have not had their turn.</summary>
    public required int[] Rows { get; init; }

    /// <summary>When they came to the step.</summary>
    public required DateTimeOffset Since { get; init; }

    /// <summary>When they are due. Whoever claims the batch moves this ahead first, so that a dead worker's claim runs out.</summary>
    public required DateTimeOffset NextAt { get; init; }

    /// <summary>How often it was claimed.</summary>
    public short Tries { get; init; }

    /// <summary>
    /// Makes batches of "coming" (import_id, row_number), which stands before it in the statement; they are due after
    /// <paramref name="wait"/>.
    /// </summary>
    internal static string Insert(BatchStep step, string wait) => $"""
        INSERT INTO importer.work_batch (account_id, import_id, step, rows, since, next_at, tries)
            SELECT i.account_id, c.import_id, '{EnumText<BatchStep>.Of(step)}', c.rows[first:first + most - 1], now(), now() + {wait}, 0
            FROM (SELECT import_id, array_agg(row_number ORDER BY row_number) AS rows FROM coming GROUP BY import_id) c
            JOIN importer.import i ON i.id = c.import_id
            JOIN importer.account a ON a.id = i.account_id
            CROSS JOIN LATERAL (
                SELECT CASE WHEN a.status_rate > 0 THEN ceil(LEAST({MostRows}, a.status_rate * {Seconds}))::int ELSE {MostRows} END) m(most)
            CROSS JOIN LATERAL generate_series(1, cardinality(c.rows), most) AS first
        """;

    /// <summary>
    /// Claims the batches that are due, account by account, as "claimed" (batch_id, account_id, import_id, row_number, since, tries), a row
    /// for each record. Accounts take part with the same number of records each, so that one with a million outstanding does not keep the
    /// others waiting. $1 is that number for an account with limits, $2 how long the claim lasts, $3 the number of seconds' worth that an
    /// account with a rate gets, $4 the number of records for an account without limits.
    /// </summary>
    internal static string Claim(BatchStep step) => $"""
        due AS MATERIALIZED (
            SELECT w.id
            FROM importer.account a
            {WithOpenBudget}
            CROSS JOIN LATERAL (SELECT {MostClaimed} AS most) l
            CROSS JOIN LATERAL (
                SELECT id FROM (
                    SELECT id, size, sum(size) OVER (ORDER BY next_at, id) - size AS before
                    FROM (
                        SELECT id, next_at, cardinality(rows) AS size FROM importer.work_batch
                        WHERE account_id = a.id AND step = '{EnumText<BatchStep>.Of(step)}' AND next_at <= now()
                        ORDER BY next_at LIMIT l.most) first) counted
                WHERE before = 0 OR before + size <= l.most) chosen
            JOIN importer.work_batch w ON w.id = chosen.id AND w.next_at <= now()
            WHERE a.state = 'active'
            FOR UPDATE OF w SKIP LOCKED
        ), taken AS (
            UPDATE importer.work_batch w SET next_at = now() + $2, tries = w.tries + 1
            FROM due WHERE w.id = due.id
            RETURNING w.id, w.account_id, w.import_id, w.rows, w.since, w.tries
        ), claimed AS MATERIALIZED (
            SELECT t.id AS batch_id, t.account_id, t.import_id, n.row_number, t.since, t.tries
            FROM taken t CROSS JOIN LATERAL unnest(t.rows) AS n(row_number)
        )
        """;

    /// <summary>Joins the budget of account <c>a</c>, if its status calls are not blocked now.</summary>
    internal const string WithOpenBudget = """
        JOIN importer.call_budget b ON b.account_id = a.id AND b.kind = 'status' AND (b.blocked_until IS NULL OR b.blocked_until <= now())
        """;

    /// <summary>Records of account <c>a</c> that one claim takes; the parameters are those of <see cref="Claim"/>.</summary>
    private const string MostClaimed = """
        CASE WHEN a.status_rate > 0 THEN ceil(LEAST($1, a.status_rate * $3))::int WHEN a.max_in_flight > 0 THEN $1 ELSE $4 END
        """;

    /// <summary>
    /// The rows of a step's own table that are due, as <c>due</c>: account by account, and locked. Parameters as for <see cref="Claim"/>.
    /// </summary>
    /// <param name="table">With import_id, row_number and account_id.</param>
    /// <param name="columns">Besides the key.</param>
    /// <param name="isWaiting">The condition under which a row of it is due some time.</param>
    /// <param name="dueAt">The column that says when.</param>
    internal static string Due(string table, string dueAt = "next_at", string isWaiting = "state = 'pending'", string columns = "") => $"""
        due AS (
            SELECT w.*
            FROM importer.account a
            {WithOpenBudget}
            CROSS JOIN LATERAL (
                SELECT import_id, row_number{columns} FROM {table}
                WHERE account_id = a.id AND {isWaiting} AND {dueAt} <= now()
                ORDER BY {dueAt} LIMIT {MostClaimed}
                FOR UPDATE SKIP LOCKED
            ) w
            WHERE a.state = 'active'
        )
        """;

    private const string RemoveEnded = """
        DELETE FROM importer.work_batch w
        USING (SELECT id, array_agg(n) AS rows FROM unnest($1::bigint[], $2::int[]) AS e(id, n) GROUP BY id) ended
        WHERE w.id = ended.id AND w.rows <@ ended.rows
        """;

    private const string RemoveRows = """
        UPDATE importer.work_batch w SET rows = ARRAY(SELECT n FROM unnest(w.rows) AS r(n) WHERE n <> ALL(ended.rows))
        FROM (SELECT id, array_agg(n) AS rows FROM unnest($1::bigint[], $2::int[]) AS e(id, n) GROUP BY id) ended
        WHERE w.id = ended.id
        """;

    /// <summary>
    /// Takes records out of their batches, in the transaction that says what became of them. May be done twice.
    /// </summary>
    /// <param name="records">Of those without a batch nothing is to be done.</param>
    internal static IEnumerable<NpgsqlBatchCommand> Leave(IEnumerable<(long? BatchId, int RowNumber)> records)
    {
        var leaving = records.Where(r => r.BatchId is not null).ToList();
        if (leaving.Count == 0) yield break;
        var (ids, rows) = (leaving.ConvertAll(r => r.BatchId!.Value).ToArray(), leaving.ConvertAll(r => r.RowNumber).ToArray());
        yield return Sql.BatchCommand(RemoveEnded, ids, rows);
        yield return Sql.BatchCommand(RemoveRows, ids, rows);
    }

    /// <summary>The records of an import that wait in a batch for their finishing.</summary>
    internal static IQueryable<int> ToFinish(ImporterDb db, int importId) =>
        db.Set<WorkBatch>().Where(b => b.ImportId == importId && b.Step == BatchStep.Finish).SelectMany(b => b.Rows);

    public sealed class Configuration : IEntityTypeConfiguration<WorkBatch>
    {
        public void Configure(EntityTypeBuilder<WorkBatch> entity)
        {
            entity.ToTable("work_batch", t => t.HasCheckConstraint("batch_step_is_known", EnumText<BatchStep>.Check("step")));
            entity.HasIndex(b => new { b.AccountId, b.Step, b.NextAt });
            entity.HasIndex(b => new { b.ImportId, b.Step });
            entity.HasStorageParameter("fillfactor", 60);
            entity.HasStorageParameter("autovacuum_vacuum_scale_factor", 0.02);
            entity.HasStorageParameter("autovacuum_vacuum_cost_delay", 0);
        }
    }
}
