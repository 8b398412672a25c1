namespace BulkImporter.Records;

/// <content>An import that starts brings fresh links for records of earlier imports.</content>
public sealed partial class RecordTransitions
{
    /// <summary>The rows of import $1 that are records of earlier imports, with what they say of them.</summary>
    private const string Brought = """
        brought AS MATERIALIZED (
            SELECT DISTINCT ON (f.other_import, f.other_row) f.other_import AS import_id, f.other_row AS row_number,
                n.source_url AS url, n.source_key, f.code = 'new_address' AS is_other_source
            FROM importer.finding f
            JOIN importer.import_record n ON n.import_id = f.import_id AND n.row_number = f.row_number
            WHERE f.import_id = $1 AND f.other_import IS NOT NULL AND f.code IN ('already_imported', 'new_address')
                AND n.state = 'duplicate'
            ORDER BY f.other_import, f.other_row, f.row_number DESC
        )
        """;

    private const string LockChunksOfBrought = $"""
        WITH {Brought}, touched AS MATERIALIZED (
            SELECT DISTINCT r.import_id, r.chunk_number FROM brought b JOIN importer.import_record r USING (import_id, row_number)
            WHERE r.state IN ('pending', 'failed') AND r.source_url IS DISTINCT FROM b.url
        )
        SELECT 1 FROM touched t JOIN importer.import_chunk c ON c.import_id = t.import_id AND c.number = t.chunk_number
        ORDER BY c.import_id, c.number
        FOR NO KEY UPDATE OF c
        """;

    /// <summary>
    /// A pending record takes the new link, unless it is on the wire; so does a failed one whose address has changed, and stays failed for
    /// a person to rerun. Another source goes to no record whose chunk is being sent: the worker has read its rows.
    /// </summary>
    private static readonly string Renew = $"""
        WITH {Brought}, before AS (
            SELECT b.*, r.source_url AS old_url, r.source_key AS old_key, NULL::text AS caption, NULL::text AS old_caption,
                NULL::text AS reference_id, NULL::text AS old_reference_id, NULL::boolean AS is_push, r.is_push AS was_push
            FROM brought b JOIN importer.import_record r USING (import_id, row_number)
            WHERE r.source_url IS DISTINCT FROM b.url
        ), moved AS (
            UPDATE importer.import_record r SET source_url = b.url, source_key = b.source_key
            FROM before b
            WHERE r.import_id = b.import_id AND r.row_number = b.row_number
                AND ((r.state = 'failed' AND b.is_other_source) OR ({IsPending}))
                AND NOT (b.is_other_source AND EXISTS (SELECT 1 FROM importer.import_chunk c
                    WHERE c.import_id = r.import_id AND c.number = r.chunk_number AND c.lease_token IS NOT NULL))
            RETURNING b.*
        ), uploaded AS (
            -- What had been sent of a file is of no use to another.
            DELETE FROM importer.push_upload u USING moved m
            WHERE u.import_id = m.import_id AND u.row_number = m.row_number AND m.source_key IS DISTINCT FROM m.old_key
        ), expected AS (
            {RecordMeta.ForgetExpected} AND m.source_key IS DISTINCT FROM m.old_key
        ), noted AS (
            {Correction.Insert("$2")}
        )
        SELECT row_number FROM moved
        """;

    /// <summary>
    /// Gives records of earlier imports the links that an import brings for them, in the transaction in which it starts. Returns how many.
    /// </summary>
    public async Task<int> RenewedAsync(NpgsqlConnection connection, int importId, CancellationToken cancellationToken)
    {
        await connection.ExecuteLongAsync(LockChunksOfBrought, cancellationToken, importId);
        return (await connection.QueryLongAsync<int>(Renew, cancellationToken, importId,
            string.Create(CultureInfo.InvariantCulture, $"import {importId}"))).Count;
    }
}
