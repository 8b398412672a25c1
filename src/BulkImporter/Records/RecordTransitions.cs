namespace BulkImporter.Records;

/// <summary>
/// The state machine: every change of a record's state, each one guarded statement that checks the state it comes from. A row that is
/// not in the result was "no longer ours", and the caller says what that means. The counters of <c>import_chunk</c> follow in the same
/// statement by the trigger <c>count_record_states</c>, which also makes the chunk due when a record becomes pending.
/// <para>
/// Locks: whoever changes records locks their chunks first, in order; so no two of these can wait for each other. What comes of calls is
/// written one import at a time: a rerun may hold the chunks of its import for long, and who waits for these must hold no others, whose
/// leases would run out meanwhile.
/// </para>
/// <para>
/// The fence is the attempt's number. Intents are only committed under a live lease and each takes the number after the record's, which the
/// record gets when the attempt is over, however it ends. So an answer with the number after the record's, or with the record's own while
/// that is in doubt, is the answer to the last call that was sent, however late it comes and whoever holds the lease.
/// </para>
/// </summary>
public sealed partial class RecordTransitions(NpgsqlDataSource database)
{
    /// <summary>The first lock of whoever changes a chunk's records or its lease.</summary>
    internal const string LockChunk = "SELECT 1 FROM importer.import_chunk WHERE import_id = $1 AND number = $2 FOR NO KEY UPDATE";

    private static readonly string LockChunksOfRows = LockChunksOf("unnest($1::importer.outcome[])");

    /// <summary>The first lock of whoever changes records of several chunks, or what is known of their assets.</summary>
    /// <param name="rows">Have <c>import_id</c> and <c>row_number</c>.</param>
    internal static string LockChunksOf(string rows) => $"""
        WITH touched AS MATERIALIZED (
            SELECT DISTINCT r.import_id, r.chunk_number FROM {rows} k JOIN importer.import_record r USING (import_id, row_number)
        )
        SELECT 1 FROM touched t JOIN importer.import_chunk c ON c.import_id = t.import_id AND c.number = t.chunk_number
        ORDER BY c.import_id, c.number
        FOR NO KEY UPDATE OF c
        """;

    /// <summary>
    /// Runs a statement over rows ($1) in one transaction with what goes along with it, after the lock of their chunks. Returns the count
    /// that it answers with.
    /// </summary>
    private Task<long> CountAsync(
        string sql, OutcomeRow[] rows, IEnumerable<NpgsqlBatchCommand> along, CancellationToken cancellationToken) =>
        database.UndisturbedAsync(async () =>
    {
        await using var batch = database.CreateBatchByKey(
            [Sql.BatchCommand(LockChunksOfRows, [rows]), Sql.BatchCommand(sql, [rows]), .. along]);
        await using var reader = await batch.ExecuteReaderAsync(cancellationToken);
        await reader.NextResultAsync(cancellationToken);
        await reader.NextResultAsync(cancellationToken);
        return await Row<long>.StreamAsync(reader, cancellationToken).SingleAsync(cancellationToken);
    });

    /// <summary>
    /// Record <c>r</c> is pending and not on the wire, where its own row still says so. Whoever holds its chunk's lease knows what is on
    /// the wire and need not ask.
    /// </summary>
    private const string IsPending = """
        r.state = 'pending' AND NOT EXISTS (
                SELECT 1 FROM importer.import_chunk w
                WHERE w.import_id = r.import_id AND w.number = r.chunk_number AND r.row_number = ANY (w.on_wire))
        """;

    /// <summary>
    /// Pending with all attempts of import <c>i</c> again, and nothing is left of what was said of the record before.
    /// </summary>
    private const string Afresh = """
        state = 'pending', attempts_left = i.max_attempts, next_attempt_at = NULL, status_id = NULL, rid = NULL,
                error_code = NULL, error_message = NULL, submitted_at = NULL, finished_at = NULL
        """;

    private const string LockChunksOfImport = "SELECT 1 FROM importer.import_chunk WHERE import_id = $1 ORDER BY number FOR NO KEY UPDATE";

    private const string LockChunksInDoubt = """
        SELECT 1 FROM importer.import_chunk WHERE import_id = $1 AND unknown_count > 0 ORDER BY number FOR NO KEY UPDATE
        """;

    /// <summary>
    /// Of the records that <c>moved</c> away from their assets: what they told of the attempt goes to its row, and what was known of the
    /// asset, or still to be written to it, is forgotten.
    /// </summary>
    /// <param name="message">Said of the attempt, with <c>rid</c> in it.</param>
    private static string LeaveAsset(string message) => $"""
        over AS (
            INSERT INTO importer.attempt AS t (import_id, row_number, number, started_at, status_id, finished_at, outcome, message)
            SELECT import_id, row_number, attempt_count, coalesce(submitted_at, finished_at, now()), status_id, finished_at, 'imported',
                {message}
            FROM moved
            ON CONFLICT (import_id, row_number, number) DO UPDATE SET message = concat_ws(' ', t.message, excluded.message)
        ), unfinished AS (
            DELETE FROM importer.record_finish f USING moved m WHERE f.import_id = m.import_id AND f.row_number = m.row_number
        ), unseen AS (
            DELETE FROM importer.record_asset a USING moved m WHERE a.import_id = m.import_id AND a.row_number = m.row_number
        )
        """;

    /// <summary>
    /// Of the records that <c>moved</c> to imported, those that have something to be finished: something to be written to the asset, or to
    /// be compared with it that the status call has not confirmed (<c>size_bytes</c>). Everything that makes a record imported says so in
    /// the same statement, so none is forgotten.
    /// </summary>
    private static string BeginFinishing => $"""
        WITH coming AS (
            SELECT m.import_id, m.row_number
            FROM moved m LEFT JOIN importer.record_meta x ON x.import_id = m.import_id AND x.row_number = m.row_number
            WHERE m.state = 'imported' AND (m.caption IS NOT NULL OR m.reference_id IS NOT NULL OR m.is_push
                OR coalesce(x.description, x.long_description, x.tags, x.related_link_text, x.related_link_url, x.gallery) IS NOT NULL
                OR x.expected_seconds IS NOT NULL
                OR coalesce(x.expected_bytes, x.source_bytes) <> coalesce(m.size_bytes, 0))
        )
        {WorkBatch.Insert(BatchStep.Finish, "interval '0'")}
        """;
}
