using System.Threading.Channels;
using BulkImporter.Accounts;
using BulkImporter.Records;
using Cincopa.Client;
using Npgsql;

namespace BulkImporter.Dispatch;

/// <summary>
/// The bounded pipeline inside one chunk's lease: permits, intents in micro-batches, calls, answers in batches. At most
/// <c>window</c> calls are in flight, and at most twice as many records are in doubt at any time (one window being sent, one whose
/// intents or answers are being committed meanwhile), which is what a kill can cost.
/// </summary>
internal sealed class ChunkPipeline(
    Lease lease, CallLimits limits, CurrentAccess current, Fid? fid, RecordTransitions transitions, CallGovernor governor,
    AccountHealth health, ICincopaClient cincopa, RetrySchedule schedule, TimeProvider clock, ILogger log) : IDisposable
{
    private const int AnswersPerWrite = 100;

    /// <summary>How long after acceptance the status is first asked.</summary>
    private static readonly TimeSpan FirstPoll = TimeSpan.FromSeconds(1);

    private readonly SemaphoreSlim doubt = new(2 * lease.Window);
    private readonly SemaphoreSlim calls = new(lease.Window);
    private readonly Channel<(Answer Answer, RemoteError? Error)> answers =
        Channel.CreateUnbounded<(Answer, RemoteError?)>(new() { SingleReader = true });

    public void Dispose()
    {
        doubt.Dispose();
        calls.Dispose();
    }

    /// <summary>
    /// Sends <paramref name="due"/> until all are answered or <paramref name="stopSending"/> is cancelled. Returns when every answer is
    /// committed, with their number. <paramref name="abandon"/> gives up calls in flight: their records are then in doubt, and say so.
    /// </summary>
    public async Task<int> RunAsync(List<DueRecord> due, CancellationToken stopSending, CancellationToken abandon)
    {
        var writer = WriteAnswersAsync(abandon);
        var inFlight = new List<Task>();
        try
        {
            await BeginAllAsync(due, inFlight, stopSending, abandon);
        }
        catch (OperationCanceledException) when (stopSending.IsCancellationRequested)
        {
            // Told to stop while waiting for room or for a permit: nothing was begun that is not in flight.
        }
        finally
        {
            await Task.WhenAll(inFlight);
            answers.Writer.Complete();
            await writer;
        }
        return await writer;
    }

    private async Task BeginAllAsync(List<DueRecord> due, List<Task> inFlight, CancellationToken stopSending, CancellationToken abandon)
    {
        var next = 0;
        while (next < due.Count && !stopSending.IsCancellationRequested)
        {
            var room = await WaitForRoomAsync(due.Count - next, stopSending);
            var permits = await PermitsAsync(room, stopSending);
            LeaveRoom(room - permits.Count);
            // None: the backlog is full or everyone was asked to wait. The feeder knows when to come again.
            if (permits.Count == 0) return;

            var block = due.GetRange(next, permits.Count);
            next += block.Count;
            await WaitUntilAsync(permits.FirstAt, stopSending);
            var intents = await BeginAsync(block, abandon);
            LeaveRoom(block.Count - intents.Count);
            // None: the import was paused, the account suspended or blocked, or the lease lost. Nothing of this block was sent.
            if (intents.Count == 0) return;

            var urls = block.ToDictionary(r => r.RowNumber, r => r.SourceUrl);
            inFlight.RemoveAll(t => t.IsCompletedSuccessfully);
            for (var i = 0; i < intents.Count; i++)
                inFlight.Add(SendAsync(intents[i], urls[intents[i].RowNumber], StartOf(permits, i), stopSending, abandon));
        }
    }

    /// <summary>
    /// Commits the intents of a block. When the database fails in the middle of it, nobody knows whether they were committed; but nothing
    /// was sent, so those that were are given back as soon as the database answers again, and none is left in doubt.
    /// </summary>
    private async Task<IReadOnlyList<Intent>> BeginAsync(List<DueRecord> block, CancellationToken abandon)
    {
        var rows = block.Select(r => r.RowNumber).ToArray();
        try
        {
            return await transitions.SubmittingAsync(lease, rows, CancellationToken.None);
        }
        catch (NpgsqlException e)
        {
            Log.IntentsInterrupted(log, lease.ImportId, lease.ChunkNumber, block.Count, e.Message);
            await UntilDoneAsync(async () =>
            {
                var committed = await transitions.OpenIntentsAsync(lease, rows, CancellationToken.None);
                await transitions.AnsweredAsync(lease, [.. committed.Select(Verdict.NotSent)], FirstPoll, CancellationToken.None);
            }, block.Count, abandon);
            return [];
        }
    }

    /// <summary>One call for one committed intent. Always ends in an answer.</summary>
    private async Task SendAsync(Intent intent, string sourceUrl, long? startAt, CancellationToken stopSending, CancellationToken abandon)
    {
        var answer = Verdict.NotSent(intent);
        var mayHaveLeft = false;
        RemoteError? error = null;
        try
        {
            await calls.WaitAsync(stopSending);
            try
            {
                if (startAt is { } start) await HavePermitAsync(start, stopSending);
                mayHaveLeft = true;
                var result = await cincopa.UploadFromUrlAsync(current.Access, sourceUrl, fid, abandon);
                answer = Verdict.Of(intent, result, schedule);
                error = result switch
                {
                    SubmitResult.Refused refused => refused.Error,
                    SubmitResult.NeverSent never => never.Error,
                    _ => null,
                };
            }
            finally
            {
                calls.Release();
            }
        }
        catch (OperationCanceledException)
        {
            // Before the call left: the client throws this only when nothing was sent. The answer stays "not sent".
        }
        catch (NpgsqlException e) when (!mayHaveLeft)
        {
            // No permit is to be had from a database that does not answer. The answer stays "not sent".
            Log.PermitFailed(log, lease.ImportId, intent.RowNumber, intent.Attempt, e.Message);
        }
        catch (Exception e)
        {
            // The client's results cover what is known to happen; anything else leaves the record in doubt rather than the program.
            Log.UnexpectedDispatchError(log, lease.ImportId, intent.RowNumber, intent.Attempt, e);
            answer = new(intent.RowNumber, intent.Attempt, RecordState.Unknown, null, FailureCode.ReplyLost, null, e.GetType().Name, null, GiveBack: false);
        }
        answers.Writer.TryWrite((answer, error));
    }

    /// <summary>Writes answers as they come: while one write is on its way the next batch gathers, so batches grow with the load and never wait.</summary>
    private async Task<int> WriteAnswersAsync(CancellationToken abandon)
    {
        var written = 0;
        var batch = new List<Answer>(AnswersPerWrite);
        while (await answers.Reader.WaitToReadAsync(CancellationToken.None))
        {
            RemoteError? accountError = null;
            while (batch.Count < AnswersPerWrite && answers.Reader.TryRead(out var item))
            {
                batch.Add(item.Answer);
                if (item.Answer.Code?.IsNotTheRows() == true && item.Error is not null) accountError = item.Error;
            }
            await WriteUntilDoneAsync(batch, accountError, abandon);
            written += batch.Count;
            LeaveRoom(batch.Count);
            batch.Clear();
        }
        return written;
    }

    private Task WriteUntilDoneAsync(List<Answer> batch, RemoteError? accountError, CancellationToken abandon) => UntilDoneAsync(async () =>
    {
        foreach (var late in await transitions.AnsweredAsync(lease, batch, FirstPoll, CancellationToken.None))
            Log.LateAcceptance(log, lease.ImportId, late.RowNumber, late.Attempt, late.StatusId);
        if (accountError is not null) await health.FailedAsync(lease.AccountId, current.Version, CallKind.Submit, accountError);
        else if (batch.Exists(a => a.To == RecordState.Submitted)) await health.WorkedAsync(lease.AccountId, CallKind.Submit);
    }, batch.Count, abandon);

    /// <summary>An answer is the only trace of what happened, so it is kept for as long as the process lives. Writing it twice is harmless.</summary>
    private async Task UntilDoneAsync(Func<Task> write, int count, CancellationToken abandon)
    {
        while (true)
        {
            try
            {
                await write();
                return;
            }
            catch (NpgsqlException e) when (!abandon.IsCancellationRequested)
            {
                Log.AnswersKept(log, lease.ImportId, lease.ChunkNumber, count, e.Message);
                await Task.Delay(TimeSpan.FromSeconds(1), clock, CancellationToken.None);
            }
        }
    }

    /// <summary>Takes places for as many records as may come into doubt now, at least one.</summary>
    private async Task<int> WaitForRoomAsync(int wanted, CancellationToken cancellationToken)
    {
        await doubt.WaitAsync(cancellationToken);
        var room = 1;
        while (room < Math.Min(wanted, lease.Window) && doubt.Wait(0, CancellationToken.None)) room++;
        return room;
    }

    private void LeaveRoom(int places)
    {
        if (places > 0) doubt.Release(places);
    }

    private async Task<Permits> PermitsAsync(int count, CancellationToken cancellationToken)
    {
        if (!limits.NeedPermits) return new Permits(count, 0, TimeSpan.Zero);
        // Half a second's worth at most, so that a permit is not long on its way when the limit changes or the worker dies.
        var block = limits.SubmitRate > 0 ? (int)Math.Clamp(limits.SubmitRate / 2, 1, count) : count;
        return await governor.TakeAsync(lease.AccountId, CallKind.Submit, block, cancellationToken);
    }

    private async Task HavePermitAsync(long startAt, CancellationToken cancellationToken)
    {
        while (true)
        {
            await WaitUntilAsync(startAt, cancellationToken);
            if (limits.SubmitRate <= 0 || clock.GetElapsedTime(startAt) < CallGovernor.Tolerance / 2) return;
            // Too late for this start time: used now, it would fall into the next ones' second.
            var permits = await governor.TakeAsync(lease.AccountId, CallKind.Submit, 1, cancellationToken);
            if (permits.Count == 0) throw new OperationCanceledException("No permit is to be had now.");
            startAt = permits.FirstAt;
        }
    }

    private long? StartOf(Permits permits, int index) =>
        limits.NeedPermits ? permits.FirstAt + (long)(permits.Spacing.TotalSeconds * index * clock.TimestampFrequency) : null;

    private async Task WaitUntilAsync(long timestamp, CancellationToken cancellationToken)
    {
        var wait = clock.GetElapsedTime(clock.GetTimestamp(), timestamp);
        if (wait > TimeSpan.Zero) await Task.Delay(wait, clock, cancellationToken);
    }
}
