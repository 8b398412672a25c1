using BulkImporter.Access;
using BulkImporter.Imports;
using BulkImporter.Records;

namespace BulkImporter.Probes;

/// <summary>
/// Orders a probe of an import in review: its source URLs are asked, by this program and before anything is sent, whether they are there.
/// An earlier probe's findings go. <see cref="QueueProbes"/> sees to its job.
/// </summary>
public sealed class StartProbe(NpgsqlDataSource database)
{
    private const string LockImport = "SELECT state FROM importer.import WHERE id = $1 FOR NO KEY UPDATE";

    private const string CountPending = "SELECT count(*)::int FROM importer.import_record WHERE import_id = $1 AND state = 'pending'";

    private const string CountSample = $"""
        SELECT count(*)::int FROM importer.import_record WHERE import_id = $1 AND state = 'pending' AND {ProbeSources.IsInSample}
        """;

    private const string Start = $"""
        WITH told AS (
            {ImportTransitions.ReasonOver}
        ), forgotten AS (
            DELETE FROM importer.probe_host WHERE import_id = $1
        ), noted AS (
            {Audit.Entry} VALUES (now(), $5, 'import_probed', $1, NULL, $6)
        )
        INSERT INTO importer.probe (import_id, state, sample, step, total_count, probed_count, problem_count, last_row, run, started_at)
        VALUES ($1, 'running', $3, $2, $4, 0, 0, 0, 0, now())
        ON CONFLICT (import_id) DO UPDATE SET state = 'running', sample = $3, step = $2, total_count = $4, probed_count = 0,
            problem_count = 0,
            last_row = 0, run = importer.probe.run + 1, queued_at = NULL, started_at = now(), finished_at = NULL
        """;

    /// <param name="sample">About so many sources, spread over the file; null for all.</param>
    /// <exception cref="InvalidArgumentException"><paramref name="sample"/> is less than 1.</exception>
    public async Task<ImportChange> RunAsync(int importId, int? sample, string actor, CancellationToken cancellationToken)
    {
        if (sample < 1) throw new InvalidArgumentException("sample", "'sample' must be 1 or more. Leave it out to check all files.");
        return await database.OnConnectionAsync<ImportChange>(async connection =>
        {
            await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
            if (await connection.QueryAsync<ImportState>(LockImport, cancellationToken, importId) is not [var state])
                return new ImportChange.NotFound(importId);
            if (state != ImportState.Review)
                return new ImportChange.Refused(state,
                    $"Import {importId} is {EnumText<ImportState>.Of(state)}. The files can be checked only while it is in review.");

            await connection.ExecuteLongAsync(StoredFinding.Remove, cancellationToken, importId, ProbeSources.Codes);
            var pending = await CountAsync(connection, CountPending, cancellationToken, importId);
            var step = sample is { } wanted ? Math.Max(1, pending / wanted) : 1;
            var inSample = step == 1 ? pending : await CountAsync(connection, CountSample, cancellationToken, importId, step);
            var total = Math.Min(inSample, sample ?? inSample);
            await connection.ExecuteAsync(Start, cancellationToken, importId, step, sample, total, actor, sample is null
                ? "all sources" : $"a sample of {total} sources");
            await transaction.CommitAsync(cancellationToken);
            return new ImportChange.Done(state);
        }, cancellationToken);
    }

    private static async Task<int> CountAsync(
        NpgsqlConnection connection, string sql, CancellationToken cancellationToken, params object?[] parameters) =>
        (await connection.QueryAsync<int>(sql, cancellationToken, parameters))[0];
}
