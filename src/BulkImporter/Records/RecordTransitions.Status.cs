namespace BulkImporter.Records;

/// <content>What the status call tells of a submitted record.</content>
public sealed partial class RecordTransitions
{
    /// <summary>
    /// Submitted to what the status call says; the status_id is the guard, so the end of an older attempt changes nothing.
    /// </summary>
    private static readonly string WriteConclusions = $"""
        WITH conclusion AS (
            SELECT * FROM unnest($1::importer.outcome[])
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
            RETURNING r.import_id, r.row_number, r.attempt_count, r.submitted_at, r.status_id, r.state, r.rid, r.caption, r.reference_id,
                r.is_push, c.state AS told, c.code, c.message, c.size_bytes
        ), finishing AS (
            {BeginFinishing}
        ), arrived AS (
            {RecordAsset.KeepConfirmed}
        ), over AS (
            -- What the record does not go on to tell of: a failure, or what was noted on the way.
            INSERT INTO importer.attempt (import_id, row_number, number, started_at, status_id, finished_at, outcome, message, size_bytes)
            SELECT m.import_id, m.row_number, m.attempt_count, m.submitted_at, m.status_id, now(), coalesce(m.code, 'imported'),
                nullif(concat_ws(' ', p.note, m.message), ''), CASE WHEN m.told = 'unknown' THEN p.total_bytes END
            FROM moved m LEFT JOIN importer.status_poll p ON p.import_id = m.import_id AND p.row_number = m.row_number
            WHERE m.code IS NOT NULL OR p.note IS NOT NULL
            ON CONFLICT (import_id, row_number, number) DO NOTHING
        ), unfollowed AS (
            DELETE FROM importer.status_poll p USING conclusion c
            WHERE p.import_id = c.import_id AND p.row_number = c.row_number AND p.status_id = c.status_id
        )
        SELECT count(*) FROM moved
        """;

    /// <summary>
    /// What became of a call whose asset had been adopted before: another asset means that the source may be there twice, a failure that
    /// the adopted asset is not this call's.
    /// </summary>
    private const string CompareAdopted = """
        WITH said AS (
            SELECT c.*, t.number FROM unnest($1::importer.outcome[]) c
            JOIN importer.attempt t ON t.import_id = c.import_id AND t.row_number = c.row_number AND t.status_id = c.status_id
                AND t.outcome = 'reconciled'
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

    /// <summary>Writes what the status call said of submitted records. Returns how many moved; the rest had moved on before.</summary>
    public async Task<long> ConcludedAsync(IReadOnlyList<Conclusion> conclusions, CancellationToken cancellationToken)
    {
        var all = 0L;
        foreach (var its in conclusions.GroupBy(c => c.ImportId))
        {
            OutcomeRow[] rows = [.. its.Select(c => OutcomeRow.Of(c))];
            var moved = await CountAsync(
                WriteConclusions, rows, WorkBatch.Leave(its.Select(c => (c.BatchId, c.RowNumber))), cancellationToken);
            if (moved < rows.Length)
                await database.ExecuteBatchByKeyAsync(
                    () => [Sql.BatchCommand(LockChunksOfRows, [rows]), Sql.BatchCommand(CompareAdopted, [rows])], cancellationToken);
            all += moved;
        }
        return all;
    }
}
