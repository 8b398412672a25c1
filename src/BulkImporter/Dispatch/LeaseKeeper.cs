using BulkImporter.Imports;
using BulkImporter.Records;

namespace BulkImporter.Dispatch;

/// <summary>What the account allows at the time of the lease's last renewal.</summary>
public readonly record struct CallLimits(double SubmitRate, int BacklogLimit, DateTimeOffset AccountUpdatedAt)
{
    /// <summary>Permits must be asked for before each wave of calls.</summary>
    public bool NeedPermits => SubmitRate > 0 || BacklogLimit > 0;
}

/// <summary>Takes the lease of a chunk, within what the account allows.</summary>
public sealed class LeaseKeeper(
    NpgsqlDataSource database, IOptions<WorkOptions> options, WorkerIdentity worker, TimeProvider clock, ILogger<LeaseKeeper> log)
{
    // The account's row is the queue in which windows are granted. It is locked by a statement of its own, so that the next one
    // sees what was granted before it; a sum in the same statement would be as old as the wait.
    private const string LockAccount = """
        SELECT 1 FROM importer.account WHERE id = (SELECT account_id FROM importer.import WHERE id = $1) FOR NO KEY UPDATE
        """;

    /// <summary>
    /// Null when the chunk is not due, somebody holds it, the import or the account does not run, it is not the import's time, or the
    /// account's calls in flight are used up.
    /// </summary>
    public async Task<HeldLease?> TakeAsync(int importId, int chunkNumber, CancellationToken cancellationToken)
    {
        var token = Guid.NewGuid();
        var asked = clock.GetTimestamp();
        return await database.UndisturbedAsync<HeldLease?>(async () =>
        {
            await using var batch = database.CreateBatch();
            batch.BatchCommands.Add(Sql.BatchCommand(LockAccount, importId));
            batch.BatchCommands.Add(Sql.BatchCommand(ChunkLease.Take, importId, chunkNumber, token, options.Value.LeaseDuration,
                options.Value.Window, worker.Name));
            await using var reader = await batch.ExecuteReaderAsync(cancellationToken);
            await reader.NextResultAsync(cancellationToken);
            if (await Row<Granted>.StreamAsync(reader, cancellationToken).SingleOrDefaultAsync(cancellationToken) is not { } granted)
                return null;
            var lease = new Lease(
                importId, chunkNumber, granted.FirstRow, granted.LastRow, granted.AccountId, token, worker.Name, granted.Fence,
                granted.LeaseWindow, granted.PerHost);
            var limits = new CallLimits(granted.SubmitRate, granted.BacklogLimit, granted.UpdatedAt);
            return new HeldLease(database, options.Value, clock, log, lease, limits, asked);
        });
    }

    private sealed record Granted(
        int FirstRow, int LastRow, int LeaseWindow, int AccountId, double SubmitRate, int BacklogLimit,
        DateTimeOffset UpdatedAt, int PerHost, long Fence);
}
