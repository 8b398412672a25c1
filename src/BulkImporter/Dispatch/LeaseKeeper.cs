using BulkImporter.Data;
using BulkImporter.Records;
using Microsoft.Extensions.Options;
using Npgsql;

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

    private const string Take = """
        WITH account AS (
            SELECT a.id, a.submit_rate, a.backlog_limit, a.updated_at,
                CASE WHEN a.max_in_flight = 0 THEN $5::int ELSE LEAST($5::int, ceil(a.max_in_flight / 4.0)::int) END AS wanted,
                CASE WHEN a.max_in_flight = 0 THEN $5::int ELSE a.max_in_flight - coalesce((
                    SELECT sum(o.lease_window) FROM importer.import_chunk o JOIN importer.import oi ON oi.id = o.import_id
                    WHERE oi.account_id = a.id AND o.state = 'running' AND o.lease_until > now()
                ), 0)::int END AS free
            FROM importer.account a JOIN importer.import i ON i.account_id = a.id
            WHERE i.id = $1 AND i.state = 'running' AND a.state = 'active'
                AND importer.opens_at(i.start_at, i.window_from, i.window_until, i.window_zone) IS NULL
        )
        UPDATE importer.import_chunk c
        SET state = 'running', lease_token = $3, lease_owner = $6, lease_until = now() + $4, fence = c.fence + 1,
            lease_window = LEAST(account.wanted, account.free)
        FROM account
        WHERE c.import_id = $1 AND c.number = $2 AND c.state IN ('waiting', 'queued') AND c.due_at <= now() AND account.free > 0
        RETURNING c.first_row, c.last_row, c.lease_window, account.id AS account_id, account.submit_rate, account.backlog_limit, account.updated_at, c.fence
        """;

    private const string Return = "UPDATE importer.import_chunk SET state = 'waiting' WHERE import_id = $1 AND number = $2 AND state = 'queued'";

    /// <summary>Gives a chunk back that was enqueued and not leased, so that the feeder need not wait until it seems lost.</summary>
    public Task ReturnAsync(int importId, int chunkNumber, CancellationToken cancellationToken) =>
        database.ExecuteAsync(Return, cancellationToken, importId, chunkNumber);

    /// <summary>
    /// Null when the chunk is not due, somebody holds it, the import or the account does not run, it is not the import's time, or the
    /// account's
    /// calls in flight are used up.
    /// </summary>
    public async Task<HeldLease?> TakeAsync(int importId, int chunkNumber, CancellationToken cancellationToken)
    {
        var token = Guid.NewGuid();
        var asked = clock.GetTimestamp();
        return await database.UndisturbedAsync<HeldLease?>(async () =>
        {
            await using var batch = database.CreateBatch();
            batch.BatchCommands.Add(Sql.BatchCommand(LockAccount, importId));
            batch.BatchCommands.Add(Sql.BatchCommand(Take, importId, chunkNumber, token, options.Value.LeaseDuration, options.Value.Window, worker.Name));
            await using var reader = await batch.ExecuteReaderAsync(cancellationToken);
            await reader.NextResultAsync(cancellationToken);
            if (await Row<Granted>.StreamAsync(reader, cancellationToken).SingleOrDefaultAsync(cancellationToken) is not { } granted) return null;
            var lease = new Lease(
                importId, chunkNumber, granted.FirstRow, granted.LastRow, granted.AccountId, token, worker.Name, granted.Fence, granted.LeaseWindow);
            var limits = new CallLimits(granted.SubmitRate, granted.BacklogLimit, granted.UpdatedAt);
            return new HeldLease(database, options.Value, clock, log, lease, limits, asked);
        });
    }

    private sealed record Granted(
        int FirstRow, int LastRow, int LeaseWindow, int AccountId, double SubmitRate, int BacklogLimit, DateTimeOffset UpdatedAt, long Fence);
}
