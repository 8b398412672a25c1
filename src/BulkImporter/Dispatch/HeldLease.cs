using BulkImporter.Imports;
using BulkImporter.Records;
using BulkImporter.Telemetry;

namespace BulkImporter.Dispatch;

/// <summary>A lease in hand: renews itself until it is released. <see cref="StopSending"/> says when no further call may begin.</summary>
public sealed class HeldLease : IAsyncDisposable
{
    /// <summary>How long a chunk keeps its turn when another import of the account waits for one.</summary>
    private static readonly TimeSpan Turn = TimeSpan.FromSeconds(10);

    private readonly NpgsqlDataSource database;
    private readonly WorkOptions settings;
    private readonly TimeProvider clock;
    private readonly ILogger log;
    private readonly long takenAt;
    private readonly CancellationTokenSource stopSending;
    private readonly CancellationTokenSource ended = new();
    private readonly Task renewal;

    /// <param name="takenAt">Timestamp of <paramref name="clock"/> from before the lease was asked for, so that it never seems to last
    /// longer here than it does there.</param>
    internal HeldLease(
        NpgsqlDataSource database, WorkOptions settings, TimeProvider clock, ILogger log, Lease lease, CallLimits limits, long takenAt)
    {
        (this.database, this.settings, this.clock, this.log) = (database, settings, clock, log);
        (Lease, Limits, this.takenAt) = (lease, limits, takenAt);
        stopSending = new CancellationTokenSource(Timeout.InfiniteTimeSpan, clock);
        StopUnlessRenewed(takenAt);
        renewal = RenewAsync();
    }

    public Lease Lease { get; }

    public CallLimits Limits { get; }

    /// <summary>
    /// Cancelled when the lease is lost or about to run out, when the account or the import changed, or when it is another import's turn.
    /// </summary>
    public CancellationToken StopSending => stopSending.Token;

    /// <summary>Gives the chunk back, due when its next record is. Only for a holder whose answers are all written.</summary>
    /// <param name="aside">Rows that were not sent for the sake of their host.</param>
    internal async Task ReleaseAsync(SetAside aside)
    {
        await StopRenewingAsync();
        await database.UndisturbedAsync(async () =>
        {
            await using var batch = database.CreateBatch();
            batch.BatchCommands.Add(Sql.BatchCommand(RecordTransitions.LockChunk, Lease.ImportId, Lease.ChunkNumber));
            batch.BatchCommands.Add(Sql.BatchCommand(ChunkLease.Release, Lease.ImportId, Lease.ChunkNumber, Lease.Token,
                aside.Rows.ToArray(), aside.Hosts.Keys.ToArray(), aside.Hosts.Values.ToArray(), aside.FoundNoPlace));
            return await batch.ExecuteNonQueryAsync(CancellationToken.None);
        });
    }

    public async ValueTask DisposeAsync()
    {
        await StopRenewingAsync();
        stopSending.Dispose();
        ended.Dispose();
    }

    private async Task RenewAsync()
    {
        var renewedAt = takenAt;
        while (!ended.IsCancellationRequested)
        {
            try
            {
                await Task.Delay(settings.LeaseRenewal, clock, ended.Token);
                var asked = clock.GetTimestamp();
                using var inTime = CancellationTokenSource.CreateLinkedTokenSource(ended.Token);
                inTime.CancelAfter(settings.LeaseRenewal);
                if (!await RenewOnceAsync(inTime.Token)) return;
                renewedAt = asked;
                StopUnlessRenewed(asked);
            }
            catch (OperationCanceledException) when (ended.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e) when (e is NpgsqlException or OperationCanceledException or TimeoutException)
            {
                Log.LeaseRenewalFailed(log, Lease.ImportId, Lease.ChunkNumber, e.Message);
                if (clock.GetElapsedTime(renewedAt) + settings.LeaseRenewal * 2 < Safe) continue;
                await LoseAsync();
                return;
            }
        }
    }

    /// <summary>No call may begin so late that it would still be on its way out when the lease ends.</summary>
    private TimeSpan Safe => settings.LeaseDuration * (5.0 / 6);

    /// <summary>A timer of its own: a renewal on a dead connection may not even fail before the lease has run out.</summary>
    private void StopUnlessRenewed(long since)
    {
        var left = Safe - clock.GetElapsedTime(since);
        stopSending.CancelAfter(left > TimeSpan.Zero ? left : TimeSpan.Zero);
    }

    /// <summary>False when there is nothing left to renew.</summary>
    private async Task<bool> RenewOnceAsync(CancellationToken cancellationToken)
    {
        var renewed = (await database.QueryAsync<Renewed>(ChunkLease.Renew, cancellationToken, Lease.ImportId, Lease.ChunkNumber,
            Lease.Token, settings.LeaseDuration)).SingleOrDefault();
        if (renewed is null)
        {
            await LoseAsync();
            return false;
        }
        var unchanged = renewed.AccountUpdatedAt == Limits.AccountUpdatedAt;
        var anotherWaits = renewed.AnotherWaits && clock.GetElapsedTime(takenAt) > Turn;
        if (!unchanged || anotherWaits) await stopSending.CancelAsync();
        return true;
    }

    /// <param name="AccountUpdatedAt">Null when the import or the account no longer runs. The lease is renewed all the same: answers are on
    /// their way.</param>
    private sealed record Renewed(DateTimeOffset? AccountUpdatedAt, bool AnotherWaits);

    private async Task LoseAsync()
    {
        Log.LeaseLost(log, Lease.ImportId, Lease.ChunkNumber);
        Measures.LeaseLost();
        await stopSending.CancelAsync();
    }

    private async Task StopRenewingAsync()
    {
        await ended.CancelAsync();
        await renewal;
    }
}
