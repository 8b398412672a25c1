namespace BulkImporter.Records;

/// <content>A person ends the import.</content>
public sealed partial class RecordTransitions
{
    /// <summary>Pending to cancelled. What is being sent or followed goes on to its end.</summary>
    private const string CancelPending = $"""
        UPDATE importer.import_record r
        SET state = 'cancelled', next_attempt_at = NULL, finished_at = now()
        FROM importer.import_chunk c
        WHERE c.import_id = $1 AND c.pending_count > 0
            AND r.import_id = $1 AND r.row_number BETWEEN c.first_row AND c.last_row AND {IsPending}
        """;

    /// <summary>Cancels what was not sent, in the caller's transaction. Returns how many records that were.</summary>
    public async Task<int> CancelledAsync(NpgsqlConnection connection, int importId, CancellationToken cancellationToken)
    {
        await connection.ExecuteAsync(LockChunksOfImport, cancellationToken, importId);
        return await connection.ExecuteLongAsync(CancelPending, cancellationToken, importId);
    }
}
