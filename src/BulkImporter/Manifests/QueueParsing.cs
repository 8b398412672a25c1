using BulkImporter.Data;
using Hangfire;
using Microsoft.Extensions.Options;
using Npgsql;

namespace BulkImporter.Manifests;

/// <summary>Enqueues the parse job of each import that waits for one. The import row is the outbox: a job that was lost, or that died, is enqueued again.</summary>
public sealed class QueueParsing(NpgsqlDataSource database, IBackgroundJobClient jobs, IOptions<ManifestOptions> options)
{
    private const string MarkQueued = """
        UPDATE importer.import SET parse_queued_at = now()
        WHERE state = 'parsing' AND (parse_queued_at IS NULL OR parse_queued_at < now() - $1)
        RETURNING id, name
        """;

    /// <summary>One round. Answers the number of jobs enqueued.</summary>
    public async Task<int> RunAsync(CancellationToken cancellationToken)
    {
        var waiting = await database.QueryAsync(MarkQueued, r => (Id: r.GetInt32(0), Name: r.GetString(1)), cancellationToken, options.Value.ParseAgainAfter);
        foreach (var (id, name) in waiting)
            jobs.Enqueue<ParseManifest>(p => p.RunAsync(id, $"{name}, reading the manifest", CancellationToken.None));
        return waiting.Count;
    }
}
