using BulkImporter.Data;
using BulkImporter.Records;
using Npgsql;

namespace BulkImporter.Imports;

/// <summary>Ends an import: what was not sent becomes cancelled in the same transaction, what was sent is followed to its end.</summary>
public sealed class CancelImport(NpgsqlDataSource database, RecordTransitions transitions)
{
    private const string Cancel = """
        UPDATE importer.import
        SET state = 'cancelled', reason = $2, finished_at = now(), start_when_parsed = false
        WHERE id = $1 AND state IN ('parsing', 'review', 'running', 'paused')
        RETURNING state
        """;

    private const string Note = """
        INSERT INTO importer.audit_entry (at, actor, action, import_id, detail) VALUES (now(), $2, 'import_cancelled', $1, $3)
        """;

    public async Task<ImportChange> RunAsync(int importId, string actor, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        var change = await ImportChange.RunAsync(
            connection, Cancel, importId, "only an import that has not ended can be cancelled", cancellationToken, $"Cancelled by {actor}.");
        if (change is not ImportChange.Done) return change;

        var cancelled = await transitions.CancelledAsync(connection, importId, cancellationToken);
        await connection.ExecuteAsync(Note, cancellationToken, importId, actor, $"{cancelled} records were not sent any more");
        await transaction.CommitAsync(cancellationToken);
        return change;
    }
}
