using Npgsql;

namespace BulkImporter.Imports;

/// <summary>Review to running. While the manifest is still being parsed it is noted, and the import starts as soon as its records are there.</summary>
public sealed class StartImport(NpgsqlDataSource database)
{
    private const string Start = """
        WITH changed AS (
            UPDATE importer.import
            SET state = CASE state WHEN 'review' THEN 'running' ELSE state END,
                started_at = CASE state WHEN 'review' THEN coalesce(started_at, now()) ELSE started_at END,
                start_when_parsed = true
            WHERE id = $1 AND state IN ('review', 'parsing')
            RETURNING id, state
        ), noted AS (
            INSERT INTO importer.audit_entry (at, actor, action, import_id) SELECT now(), $2, 'import_started', id FROM changed
        )
        SELECT state FROM changed
        """;

    public async Task<ImportChange> RunAsync(int importId, string actor, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        return await ImportChange.RunAsync(connection, Start, importId, "only an import in review can be started", cancellationToken, actor);
    }
}
