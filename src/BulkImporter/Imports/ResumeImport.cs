using BulkImporter.Access;

namespace BulkImporter.Imports;

/// <summary>
/// Paused to running. After a trial, or while one runs, the rest is sent too. The failure breaker judges only what comes after this, or it
/// would pause the import again at once.
/// </summary>
public sealed class ResumeImport(NpgsqlDataSource database)
{
    private static readonly string Resume = $"""
        WITH before AS (
            -- A pause in the middle of a trial ends; the trial goes on.
            SELECT id, trial_count, state = 'paused' AND trial_through IS NOT NULL AS goes_on FROM importer.import
            WHERE id = $1 AND (state = 'paused' OR (state = 'running' AND trial_through IS NOT NULL)) FOR NO KEY UPDATE
        ), changed AS (
            UPDATE importer.import i
            SET state = 'running', reason = NULL, breaker_finished_base = b.finished, breaker_failed_base = b.failed,
                breaker_compared_base = b.compared, breaker_differed_base = b.differed,
                trial_count = CASE WHEN goes_on THEN i.trial_count END, trial_through = CASE WHEN goes_on THEN i.trial_through END
            FROM ({BreakerCounts.OfImport}) b, before
            WHERE i.id = before.id
            RETURNING i.id, i.state, before.trial_count IS NOT NULL AND NOT goes_on AS sends_rest
        ), due AS (
            {ImportTransitions.RestIsDue("(SELECT id FROM changed WHERE sends_rest)")}
        ), noted AS (
            {Audit.Entry} SELECT now(), $2, 'import_resumed', id, NULL, CASE WHEN sends_rest THEN 'sends the rest' END FROM changed
        )
        SELECT state FROM changed
        """;

    public Task<ImportChange> RunAsync(int importId, string actor, CancellationToken cancellationToken) =>
        database.OnConnectionAsync(connection => ImportChange.RunAsync(
            connection, Resume, importId, "only a paused import can be resumed", cancellationToken, actor), cancellationToken);
}

/// <summary>What the breakers count, at this moment: each opens on the difference to its base.</summary>
internal static class BreakerCounts
{
    /// <summary>Columns <c>finished</c> (imported or failed; an undo takes nothing from them) and <c>failed</c>, <c>compared</c> (assets
    /// with what was expected) and <c>differed</c> of import $1.</summary>
    public const string OfImport = $"""
        SELECT coalesce(sum({Finished}), 0)::int AS finished, coalesce(sum({Failed}), 0)::int AS failed,
            coalesce(sum({Compared}), 0)::int AS compared, coalesce(sum({Differed}), 0)::int AS differed
        FROM importer.import_chunk WHERE import_id = $1
        """;

    // Of a chunk.
    public const string Finished = "imported_count + failed_count + deleted_count";
    public const string Failed = "failed_count";
    public const string Compared = $"verified_count + {Differed}";
    public const string Differed = "size_differs_count + duration_differs_count + md5_differs_count";
}
