using BulkImporter.Data;
using BulkImporter.Manifests;
using BulkImporter.Telemetry;
using Hangfire;
using Microsoft.Extensions.Options;
using Npgsql;

namespace BulkImporter.Parse;

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
        await EachItem.RunAsync(waiting, i => $"import {i.Id}", i =>
        {
            var (id, title) = (i.Id, $"{i.Name}, reading the manifest");
            return Task.FromResult(jobs.Enqueue<ParseManifest>(p => p.RunAsync(id, title, CancellationToken.None)));
        }, cancellationToken);
        return waiting.Count;
    }
}
