using BulkImporter.Access;
using BulkImporter.Records;

namespace BulkImporter.Finish;

/// <summary>
/// Orders that a selection's failed finishing is tried again. The records stay imported; nothing is sent but texts and placement.
/// </summary>
public sealed class FinishAgain(NpgsqlDataSource database)
{
    private const string MakePending = """
        WITH selected AS MATERIALIZED (
            SELECT $1::int AS import_id, row_number, 'failed' AS before FROM unnest($2::int[]) AS s(row_number)
        )
        UPDATE importer.record_finish f SET state = 'pending', next_at = now(), failed_count = 0
        FROM selected s
        WHERE f.import_id = s.import_id AND f.row_number = s.row_number AND f.state = s.before
        """;

    /// <summary>
    /// Returns how many records of the selection are due again; those that had not failed are left alone. Null when there is no such
    /// import.
    /// </summary>
    public Task<int?> RunAsync(
        int importId, RecordFilter filter, string actor, CancellationToken cancellationToken) =>
        database.TransactionAsync<int?>(async connection =>
    {
        if (await connection.QueryAsync<int>("SELECT 1 FROM importer.import WHERE id = $1", cancellationToken, importId) is []) return null;
        var count = 0;
        if (filter.Finish is null or "failed")
        {
            await foreach (var rows in (filter with { Finish = "failed" }).RowsAsync(connection, importId, r => true, cancellationToken))
                count += await connection.ExecuteLongAsync(MakePending, cancellationToken, importId, rows);
        }
        if (count > 0) await connection.NoteAsync(actor, "records_finished_again", cancellationToken, $"{count} ({filter})", importId);
        return count;
    }, cancellationToken);
}
