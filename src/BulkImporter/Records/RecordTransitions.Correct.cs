namespace BulkImporter.Records;

/// <summary>What a person replaces in a row; null leaves a value as it is.</summary>
/// <param name="SourceKey">The key of <paramref name="Url"/>; null when that is.</param>
[StoredAsRow("row_correction")]
public sealed record RecordCorrection(int RowNumber, string? Url, Guid? SourceKey, string? Caption, string? ReferenceId, bool? IsPush);

/// <content>A person's other values for rows.</content>
public sealed partial class RecordTransitions
{
    /// <summary>
    /// Failed, invalid and duplicate to pending with all attempts again, with other values; what was replaced is kept. The record must have
    /// a source afterwards that was not masked and is its own: an invalid or duplicate one takes part only with a new address.
    /// </summary>
    private static readonly string Correct = $"""
        WITH correction AS MATERIALIZED (
            SELECT $1::int AS import_id, c.* FROM unnest($2::importer.row_correction[]) c
        ), before AS (
            SELECT c.*, r.source_url AS old_url, r.caption AS old_caption, r.reference_id AS old_reference_id, r.is_push AS was_push
            FROM correction c JOIN importer.import_record r USING (import_id, row_number)
            WHERE r.state = 'failed' OR (r.state IN ('invalid', 'duplicate') AND c.url IS NOT NULL)
            FOR NO KEY UPDATE OF r
        ), moved AS (
            UPDATE importer.import_record r
            SET {Afresh},
                source_url = coalesce(b.url, r.source_url), source_key = CASE WHEN b.url IS NULL THEN r.source_key ELSE b.source_key END,
                caption = coalesce(b.caption, r.caption), reference_id = coalesce(b.reference_id, r.reference_id),
                is_push = coalesce(b.is_push, r.is_push)
            FROM before b, importer.import i
            WHERE i.id = $1 AND r.import_id = b.import_id AND r.row_number = b.row_number AND r.state IN ('failed', 'invalid', 'duplicate')
            RETURNING b.*
        ), uploaded AS (
            -- What had been sent of a file is of no use to another.
            DELETE FROM importer.push_upload u USING moved m WHERE u.import_id = m.import_id AND u.row_number = m.row_number
        ), expected AS (
            {RecordMeta.ForgetExpected} AND m.url <> m.old_url
        ), noted AS (
            {Correction.Insert("$3")}
        )
        SELECT row_number FROM moved
        """;

    /// <summary>
    /// Replaces values of failed, invalid and duplicate records and makes them pending again, in the caller's transaction. Returns the rows
    /// that were.
    /// </summary>
    public async Task<IReadOnlySet<int>> CorrectedAsync(
        NpgsqlConnection connection, int importId,
        IReadOnlyList<RecordCorrection> corrections, string actor, CancellationToken cancellationToken)
    {
        await connection.ExecuteAsync(LockChunksOfImport, cancellationToken, importId);
        await connection.LeaveOnlyKeysAsync(cancellationToken);
        var moved = await connection.QueryAsync<int>(Correct, cancellationToken, importId, corrections.ToArray(), actor);
        return moved.ToHashSet();
    }
}
