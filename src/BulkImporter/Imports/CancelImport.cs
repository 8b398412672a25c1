using BulkImporter.Data;
using BulkImporter.Records;
using Npgsql;

namespace BulkImporter.Imports;

/// <summary>
/// Ends an import: what was not sent becomes cancelled in the same transaction, what was sent is followed to its end. Whoever asks for it also has
/// the imports aborted that still run at Cincopa, those accepted in this moment included; a cancelled import can be ordered so afterwards too.
/// </summary>
public sealed class CancelImport(NpgsqlDataSource database, RecordTransitions transitions)
{
    private const string Cancel = """
        UPDATE importer.import
        SET state = 'cancelled', reason = CASE WHEN state = 'cancelled' THEN reason ELSE $2 END, finished_at = coalesce(finished_at, now()),
            start_when_parsed = false, abort_remote = $3
        WHERE id = $1 AND (state IN ('parsing', 'review', 'running', 'paused') OR (state = 'cancelled' AND $3 AND NOT abort_remote))
        RETURNING state
        """;

    private const string Note = """
        INSERT INTO importer.audit_entry (at, actor, action, import_id, detail) VALUES (now(), $2, 'import_cancelled', $1, $3)
        """;

    /// <param name="importId">The import.</param>
    /// <param name="abortRemote">Whether Cincopa is asked to give up what it has accepted and not finished.</param>
    /// <param name="actor">Who orders it.</param>
    /// <param name="cancellationToken">Cancels the order, not the import.</param>
    public async Task<ImportChange> RunAsync(int importId, bool abortRemote, string actor, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        var change = await ImportChange.RunAsync(
            connection, Cancel, importId, "only an import that has not ended can be cancelled", cancellationToken, $"Cancelled by {actor}.", abortRemote);
        if (change is not ImportChange.Done) return change;

        var cancelled = await transitions.CancelledAsync(connection, importId, cancellationToken);
        await connection.ExecuteAsync(Note, cancellationToken, importId, actor,
            $"{cancelled} records were not sent any more{(abortRemote ? "; what Cincopa has accepted is to be aborted" : "")}");
        await transaction.CommitAsync(cancellationToken);
        return change;
    }
}
