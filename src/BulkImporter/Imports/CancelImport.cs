using BulkImporter.Access;
using BulkImporter.Accounts;
using BulkImporter.Records;

namespace BulkImporter.Imports;

/// <summary>
/// Ends an import: what was not sent becomes cancelled in the same transaction, what was sent is followed to its end. Whoever asks for it
/// also has the imports aborted that still run at Cincopa, those accepted in this moment included; a cancelled import can be ordered so
/// afterwards too.
/// </summary>
public sealed class CancelImport(NpgsqlDataSource database, RecordTransitions transitions)
{
    private const string Cancel = $"""
        WITH before AS (SELECT id, state FROM importer.import WHERE id = $1 FOR NO KEY UPDATE),
        changed AS (
            UPDATE importer.import i
            SET state = 'cancelled', reason = CASE WHEN i.state = 'cancelled' THEN i.reason
                ELSE $2 END, finished_at = coalesce(i.finished_at, now()),
                start_when_parsed = false, abort_remote = $3
            FROM before
            WHERE i.id = before.id AND (i.state IN ('parsing', 'review', 'running', 'paused')
                OR (i.state = 'cancelled' AND $3 AND NOT i.abort_remote))
            RETURNING i.id, i.account_id, i.state, i.reason
        ), told AS (
            {Facts.Insert}
            SELECT 'import_cancelled', now(), c.id, c.account_id, c.reason FROM changed c JOIN before USING (id)
                WHERE before.state IN ('running', 'paused')
        )
        SELECT state FROM changed
        """;

    /// <param name="abortRemote">Whether Cincopa is asked to give up what it has accepted and not finished.</param>
    /// <param name="cancellationToken">Cancels the order, not the import.</param>
    public Task<ImportChange> RunAsync(
        int importId, bool abortRemote, string actor, CancellationToken cancellationToken) =>
        database.TransactionAsync(async connection =>
    {
        var change = await ImportChange.RunAsync(
            connection, Cancel, importId, "only an import that has not ended can be cancelled", cancellationToken,
            $"Cancelled by {actor}.", abortRemote);
        if (change is not ImportChange.Done) return change;

        var cancelled = await transitions.CancelledAsync(connection, importId, cancellationToken);
        var detail = $"{cancelled} records will not be sent{(abortRemote ? "; what Cincopa has accepted is to be aborted" : "")}";
        await connection.NoteAsync(actor, "import_cancelled", cancellationToken, detail, importId);
        return change;
    }, cancellationToken);
}
