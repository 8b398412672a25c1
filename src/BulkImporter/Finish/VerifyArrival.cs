using BulkImporter.Access;
using BulkImporter.Records;

namespace BulkImporter.Finish;

/// <summary>
/// Orders that Cincopa is asked again what arrived of a selection: of its imported records of which something is expected. The records
/// stay as they are, and nothing is written to their assets. <see cref="FinishRecords"/> asks.
/// </summary>
public sealed class VerifyArrival(NpgsqlDataSource database)
{
    // The lock is waited for here, so that an undo which was ordered before is seen, and one that comes now sees what was ordered.
    private const string LockImport = "SELECT 1 FROM importer.import WHERE id = $1 AND state <> 'deleting' FOR NO KEY UPDATE";

    // What is being finished, by itself or in its batch, or could not be: the look is part of that. During an undo nothing is looked at,
    // and nothing for an account that is suspended: the import could not be deleted before somebody resumes it.
    private const string Order = $"""
        INSERT INTO importer.record_finish AS f (import_id, row_number, account_id, rid, state, next_at, failed_count, only_looks)
        SELECT r.import_id, r.row_number, i.account_id, r.rid, 'pending', now(), 0, true
        FROM importer.import i
        JOIN importer.account a ON a.id = i.account_id AND a.state = 'active'
        JOIN importer.import_record r ON r.import_id = i.id AND r.row_number = ANY($2) AND r.row_number BETWEEN $3 AND $4
        LEFT JOIN importer.record_meta m ON m.import_id = r.import_id AND m.row_number = r.row_number
        WHERE i.id = $1 AND i.undo_ordered_at IS NULL AND r.state = 'imported' AND (r.is_push OR {RecordMeta.IsExpecting})
            AND NOT EXISTS (SELECT 1 FROM importer.work_batch w
                WHERE w.import_id = $1 AND w.step = 'finish' AND r.row_number = ANY (w.rows))
            -- An upsert locks also the rows that it leaves as they are, and whoever finishes one of these holds its chunk.
            AND NOT EXISTS (SELECT 1 FROM importer.record_finish o
                WHERE o.import_id = $1 AND o.row_number = r.row_number AND o.row_number BETWEEN $3 AND $4
                    AND NOT (o.only_looks AND o.state = 'failed'))
        ON CONFLICT (import_id, row_number) DO UPDATE SET state = 'pending', next_at = now(), failed_count = 0
        WHERE f.only_looks AND f.state = 'failed'
        """;

    /// <summary>
    /// Returns how many records are looked at from now on, and how many imported ones of the selection are not: nothing is expected of
    /// them, their finishing is under way or has failed, an undo is under way, or the account is suspended. Null when there is no such
    /// import.
    /// </summary>
    public Task<(int Ordered, int Left)?> RunAsync(
        int importId, RecordFilter filter, string actor, CancellationToken cancellationToken) =>
        database.TransactionAsync<(int, int)?>(async connection =>
    {
        if (await connection.QueryAsync<int>(LockImport, cancellationToken, importId) is []) return null;
        var (ordered, imported) = (0, 0);
        await foreach (var rows in filter.RowsAsync(connection, importId, r => r.State == RecordState.Imported, cancellationToken))
        {
            imported += rows.Length;
            ordered += await connection.ExecuteLongAsync(Order, cancellationToken, importId, rows, rows[0], rows[^1]);
        }
        if (ordered > 0) await connection.NoteAsync(actor, "arrival_verified_again", cancellationToken, $"{ordered} ({filter})", importId);
        return (ordered, imported - ordered);
    }, cancellationToken);
}
