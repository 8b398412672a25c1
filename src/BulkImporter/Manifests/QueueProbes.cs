using BulkImporter.Data;
using Hangfire;
using Microsoft.Extensions.Options;
using Npgsql;

namespace BulkImporter.Manifests;

/// <summary>Enqueues the job of each probe that waits for one. The probe row is the outbox: a job that was lost, or that died, is enqueued again and goes on.</summary>
public sealed class QueueProbes(NpgsqlDataSource database, IBackgroundJobClient jobs, IOptions<ProbeOptions> options)
{
    private const string MarkQueued = """
        UPDATE importer.probe p SET queued_at = now(), run = p.run + 1
        FROM importer.import i
        WHERE i.id = p.import_id AND p.state = 'running' AND (p.queued_at IS NULL OR p.queued_at < now() - $1)
        RETURNING i.id, i.name, p.run
        """;

    /// <summary>One round. Answers the number of jobs enqueued.</summary>
    public async Task<int> RunAsync(CancellationToken cancellationToken)
    {
        var waiting = await database.QueryAsync(MarkQueued, r => (Id: r.GetInt32(0), Name: r.GetString(1), Run: r.GetInt32(2)), cancellationToken, options.Value.AgainAfter);
        foreach (var (id, name, run) in waiting)
            jobs.Enqueue<ProbeSources>(p => p.RunAsync(id, run, $"{name}, probing the sources", CancellationToken.None));
        return waiting.Count;
    }
}
