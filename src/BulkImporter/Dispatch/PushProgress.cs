using BulkImporter.Records;

namespace BulkImporter.Dispatch;

/// <summary>An upload as it is stored: where a push goes on after a stop or a death.</summary>
internal sealed record Upload(
    string UrlProtected, string UniqueId, string FileName, string? SourceTag, long SentBytes, long? TotalBytes, bool LastBegun);

/// <summary>
/// Keeps how far a push is. Nothing is kept for an attempt that is no longer the record's, or without its live lease: the caller then
/// stops.
/// </summary>
public sealed class PushProgress(NpgsqlDataSource database)
{
    private const string Read = """
        SELECT url_protected, unique_id, file_name, source_tag, sent_bytes, total_bytes, last_begun_at IS NOT NULL AS last_begun
        FROM importer.push_upload WHERE import_id = $1 AND row_number = $2
        """;

    private const string Keep = """
        INSERT INTO importer.push_upload (import_id, row_number, attempt, url_protected, unique_id, file_name, source_tag, sent_bytes,
            total_bytes, last_begun_at)
        SELECT r.import_id, r.row_number, $5, $6, $7, $8, $9, $10, $11, CASE WHEN $12 THEN now() END
        FROM importer.import_chunk c
        JOIN importer.import_record r ON r.import_id = c.import_id AND r.row_number = $4 AND r.attempt_count = $5 - 1
            AND r.row_number = ANY (c.on_wire)
        WHERE c.import_id = $1 AND c.number = $2 AND c.lease_token = $3 AND c.lease_until > clock_timestamp()
        ON CONFLICT (import_id, row_number) DO UPDATE SET attempt = excluded.attempt, url_protected = excluded.url_protected,
            unique_id = excluded.unique_id,
            file_name = excluded.file_name, source_tag = excluded.source_tag, sent_bytes = excluded.sent_bytes,
            total_bytes = excluded.total_bytes,
            last_begun_at = excluded.last_begun_at
        RETURNING 1
        """;

    internal async Task<Upload?> FindAsync(int importId, int rowNumber, CancellationToken cancellationToken) =>
        (await database.QueryAsync<Upload>(Read, cancellationToken, importId, rowNumber)).SingleOrDefault();

    /// <summary>
    /// False when the record or the lease is no longer ours. With <see cref="Upload.LastBegun"/> the commit is the permission to send the
    /// last range.
    /// </summary>
    internal Task<bool> KeepAsync(Lease lease, Intent intent, Upload upload, CancellationToken cancellationToken) =>
        database.UndisturbedAsync(async () =>
    {
        // The rescue holds this lock when it decides what may be sent again, by what stands here.
        await using var batch = database.CreateBatch();
        batch.BatchCommands.Add(Sql.BatchCommand(RecordTransitions.LockChunk, lease.ImportId, lease.ChunkNumber));
        batch.BatchCommands.Add(Sql.BatchCommand(Keep, lease.ImportId, lease.ChunkNumber, lease.Token, intent.RowNumber, intent.Attempt,
            upload.UrlProtected, upload.UniqueId, upload.FileName, upload.SourceTag, upload.SentBytes, upload.TotalBytes,
            upload.LastBegun));
        await using var reader = await batch.ExecuteReaderAsync(cancellationToken);
        await reader.NextResultAsync(cancellationToken);
        return await reader.ReadAsync(cancellationToken);
    });
}
