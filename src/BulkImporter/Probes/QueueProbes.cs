using BulkImporter.Telemetry;
using Hangfire;

namespace BulkImporter.Probes;

/// <summary>
/// Enqueues the job of each probe that waits for one. The probe row is the outbox: a job that was lost, or that died, is enqueued again and
/// goes on.
/// </summary>
public sealed class QueueProbes(NpgsqlDataSource database, IBackgroundJobClient jobs)
{
    /// <summary>
    /// A probe that gave no sign of life for this long is enqueued again: longer than a batch of sources that all time out.
    /// </summary>
    private static readonly TimeSpan AgainAfter = TimeSpan.FromMinutes(3);

    private const string MarkQueued = """
        UPDATE importer.probe p SET queued_at = now(), run = p.run + 1
        FROM importer.import i
        WHERE i.id = p.import_id AND p.state = 'running' AND (p.queued_at IS NULL OR p.queued_at < now() - $1)
        RETURNING i.id, i.name, p.run
        """;

    /// <summary>One round. Returns the number of jobs enqueued.</summary>
    public async Task<int> RunAsync(CancellationToken cancellationToken)
    {
        var waiting = await database.QueryAsync<Waiting>(MarkQueued, cancellationToken, AgainAfter);
        await EachItem.RunAsync(waiting, i => $"import {i.Id}", i =>
        {
            var (id, run, title) = (i.Id, i.Run, $"{i.Name}, probing the sources");
            return Task.FromResult(jobs.Enqueue<ProbeSources>(p => p.RunAsync(id, run, title, CancellationToken.None)));
        }, cancellationToken);
        return waiting.Count;
    }

    private sealed record Waiting(int Id, string Name, int Run);
}
