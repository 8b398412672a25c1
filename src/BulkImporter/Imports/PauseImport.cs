using BulkImporter.Access;

namespace BulkImporter.Imports;

/// <summary>Running to paused: no further record is sent, what was submitted is still followed.</summary>
public sealed class PauseImport(NpgsqlDataSource database)
{
    private const string Pause = $"""
        WITH changed AS (
            UPDATE importer.import SET state = 'paused', reason = 'Paused by ' || $2 || '.' WHERE id = $1 AND state = 'running'
            RETURNING id, state
        ), noted AS (
            {Audit.Entry} SELECT now(), $2, 'import_paused', id, NULL, NULL FROM changed
        )
        SELECT state FROM changed
        """;

    public Task<ImportChange> RunAsync(int importId, string actor, CancellationToken cancellationToken) =>
        database.OnConnectionAsync(connection => ImportChange.RunAsync(
            connection, Pause, importId, "only a running import can be paused", cancellationToken, actor), cancellationToken);
}
