using BulkImporter.Access;
using Npgsql;

namespace BulkImporter.Imports;

/// <summary>Paused to running. The failure breaker judges only what comes after this, or it would pause the import again at once.</summary>
public sealed class ResumeImport(NpgsqlDataSource database)
{
    private const string Resume = $"""
        WITH changed AS (
            UPDATE importer.import i
            SET state = 'running', reason = NULL, breaker_finished_base = b.finished, breaker_failed_base = b.failed
            FROM ({BreakerCounts.OfImport}) b
            WHERE i.id = $1 AND i.state = 'paused'
            RETURNING i.id, i.state
        ), noted AS (
            {Audit.Entry} SELECT now(), $2, 'import_resumed', id, NULL, NULL FROM changed
        )
        SELECT state FROM changed
        """;

    public async Task<ImportChange> RunAsync(int importId, string actor, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        return await ImportChange.RunAsync(connection, Resume, importId, "only a paused import can be resumed", cancellationToken, actor);
    }
}

/// <summary>What the failure breaker counts, at this moment: it opens on the difference to its base.</summary>
internal static class BreakerCounts
{
    /// <summary>Columns <c>finished</c> (imported or failed) and <c>failed</c> of import $1.</summary>
    public const string OfImport = """
        SELECT coalesce(sum(imported_count + failed_count), 0)::int AS finished, coalesce(sum(failed_count), 0)::int AS failed
        FROM importer.import_chunk WHERE import_id = $1
        """;
}
