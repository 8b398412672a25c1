using BulkImporter.Access;
using BulkImporter.Data;
using Npgsql;

namespace BulkImporter.Imports;

/// <summary>Running to paused: no further record is sent, what was submitted is still followed.</summary>
public sealed class PauseImport(NpgsqlDataSource database)
{
    private const string Pause = $"""
        WITH changed AS (
            UPDATE importer.import SET state = 'paused', reason = $3 WHERE id = $1 AND state = 'running' RETURNING id, state
        ), noted AS (
            {Audit.Entry} SELECT now(), $2, 'import_paused', id, NULL, nullif($3, 'Paused by ' || $2 || '.') FROM changed
        )
        SELECT state FROM changed
        """;

    /// <param name="reason">Stands at the top of every page that shows the import.</param>
    public Task<ImportChange> RunAsync(int importId, string actor, string reason, CancellationToken cancellationToken) =>
        database.OnConnectionAsync(connection => ImportChange.RunAsync(
            connection, Pause, importId, "only a running import can be paused", cancellationToken, actor, reason), cancellationToken);

    public Task<ImportChange> RunAsync(int importId, string actor, CancellationToken cancellationToken) =>
        RunAsync(importId, actor, $"Paused by {actor}.", cancellationToken);
}
