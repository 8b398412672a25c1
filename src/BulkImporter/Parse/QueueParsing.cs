using BulkImporter.Imports;
using BulkImporter.Telemetry;
using Hangfire;

namespace BulkImporter.Parse;

/// <summary>
/// Enqueues the parse job of each import that waits for one. The import row is the outbox: a job that was lost, or that died, is enqueued
/// again.
/// </summary>
public sealed class QueueParsing(NpgsqlDataSource database, IBackgroundJobClient jobs)
{
    /// <summary>
    /// A parse job that gave no sign of life for this long is enqueued again; a living one tells of itself every few seconds.
    /// </summary>
    private static readonly TimeSpan AgainAfter = TimeSpan.FromSeconds(60);

    /// <summary>One round. Returns the number of jobs enqueued.</summary>
    public async Task<int> RunAsync(CancellationToken cancellationToken)
    {
        var waiting = await database.QueryAsync<Waiting>(ImportTransitions.ParseQueued, cancellationToken, AgainAfter);
        await EachItem.RunAsync(waiting, i => $"import {i.Id}", i =>
        {
            var (id, title) = (i.Id, $"{i.Name}, reading the manifest");
            return Task.FromResult(jobs.Enqueue<ParseManifest>(p => p.RunAsync(id, title, CancellationToken.None)));
        }, cancellationToken);
        return waiting.Count;
    }

    private sealed record Waiting(int Id, string Name);
}
