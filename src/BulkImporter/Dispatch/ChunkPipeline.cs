using System.Threading.Channels;
using BulkImporter.Accounts;
using BulkImporter.Records;
using BulkImporter.Sources;
using Cincopa.Client;

namespace BulkImporter.Dispatch;

/// <summary>
/// The bounded pipeline inside one chunk's lease. One loop writes: the answers that came, and in the same transaction the intents for the
/// places that these answers leave. <c>window</c> lanes send: each takes an intent that was committed, calls, keeps the answer for the
/// loop, and takes the next. At most <c>window</c> calls are in flight, and at most twice as many records are in doubt at any time (one
/// window being sent, one waiting for a lane or for its answer to be written), which is what a kill can cost.
/// </summary>
/// <param name="fid">The gallery that the assets join, if the row names no other.</param>
internal sealed class ChunkPipeline(Lease lease, CallLimits limits, CurrentAccess current, Fid? fid, SendingNeeds needs, ILogger log)
{
    /// <summary>How long after acceptance the status is first asked.</summary>
    private static readonly TimeSpan FirstPoll = TimeSpan.FromSeconds(1);

    /// <summary>How long an answer waits for others to be written with, and how soon a stop is noticed.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(50);

    /// <summary>
    /// Answers that are worth a write. Half a window: while they are written, the lanes still find the other half of the places filled.
    /// </summary>
    private readonly int enough = Math.Clamp(lease.Window / 2, 1, 100);

    private readonly Channel<Begun> toSend = Channel.CreateUnbounded<Begun>();
    private readonly AnswersInHand answers = new();

    /// <summary>Cincopa said nothing before: a silence that begins only now is told first, which blocks the account.</summary>
    private readonly bool wasSilent = needs.Health.IsSilent(lease.AccountId);

    /// <summary>While Cincopa says nothing, one call at a time asks whether it is back: each may leave a record in doubt.</summary>
    private int MostInDoubt => needs.Health.IsSilent(lease.AccountId) ? 1 : 2 * lease.Window;

    /// <summary>What was not sent for the sake of its host.</summary>
    public SetAside Aside { get; private set; } = new();

    /// <summary>
    /// Sends <paramref name="records"/> until all are answered or <paramref name="stopSending"/> is cancelled. Returns when every answer is
    /// committed, with their number. <paramref name="abandon"/> gives up calls in flight: their records are then in doubt, and say so.
    /// </summary>
    public async Task<int> RunAsync(List<DueRecord> records, CancellationToken stopSending, CancellationToken abandon)
    {
        var due = new DueRows(records, lease, needs.Hosts, needs.Random, needs.Clock);
        Aside = due.Aside;
        using var sending = CancellationTokenSource.CreateLinkedTokenSource(stopSending);
        var lanes = Task.WhenAll(
            Enumerable.Range(0, Math.Min(lease.Window, records.Count)).Select(_ => SendAllAsync(sending.Token, abandon)));
        try
        {
            return await WriteAllAsync(due, sending.Token, abandon);
        }
        finally
        {
            // After a failure no call may begin whose answer nobody will write.
            await sending.CancelAsync();
            toSend.Writer.Complete();
            await lanes;
        }
    }

    private async Task<int> WriteAllAsync(DueRows due, CancellationToken stopSending, CancellationToken abandon)
    {
        var (inDoubt, written) = (0, 0);
        Wave? wave = null;
        var beginning = due.AnyLeft;
        // Whatever is left waits for a place of its host, which an answer leaves.
        var findsNoPlace = false;
        while (inDoubt > 0 || beginning)
        {
            // 1. Answers gather, unless there is room for more calls at once.
            if (!beginning || wave is not null || findsNoPlace || inDoubt >= MostInDoubt) await GatherAsync(inDoubt, wave);
            if (stopSending.IsCancellationRequested)
            {
                (beginning, wave) = (false, null);
                ReturnUnsent();
            }

            // 2. Their places are the next wave's, which needs permits first and may have to wait for their time.
            var room = MostInDoubt - inDoubt + answers.Count;
            if (beginning && wave is null && room > 0)
            {
                (wave, findsNoPlace) = await NextWaveAsync(due, room, stopSending);
                // None: nothing is left, the backlog is full or everyone was asked to wait. The feeder knows when to come again.
                beginning = wave is not null || (findsNoPlace && inDoubt > 0);
                if (findsNoPlace && !beginning) due.SetRestAside();
            }

            // 3. One write. An answer that speaks against the account is written first and alone: it may forbid what comes next.
            var batch = answers.Take();
            var begin = beginning && wave is { Ready.IsCompletedSuccessfully: true }
                && !batch.Exists(a => a.AccountError is not null) ? wave : null;
            var intents = await WriteAsync(batch, begin, abandon);
            inDoubt += intents.Count - batch.Count;
            written += batch.Count;
            batch.ForEach(a => due.Answered(a.Answer.RowNumber));
            await NoteHostsAsync(batch);

            // 4. What was begun is sent.
            if (begin is null) continue;
            due.Began(begin.Records, intents);
            Send(begin, intents);
            wave = null;
            // No intent: the import was paused, the account suspended or blocked, or the lease lost; or other chunks have the hosts'
            // places, which the next look tells.
            beginning = (intents.Count > 0 || lease.PerHost > 0) && due.AnyLeft && !needs.Health.IsOutdated(lease.AccountId, current);
        }
        return written;
    }

    /// <summary>
    /// Returns when enough is answered to be written (or all that is on its way), when the wave may begin, and after a while in any case.
    /// </summary>
    private Task GatherAsync(int inDoubt, Wave? wave)
    {
        var answered = answers.WhenAsync(Math.Clamp(inDoubt, 1, enough));
        if (answered.IsCompleted) return answered;
        var patience = Task.Delay(Patience, needs.Clock, CancellationToken.None);
        return wave is null ? Task.WhenAny(answered, patience) : Task.WhenAny(answered, patience, wave.Ready);
    }

    /// <summary>
    /// The next wave, at most a window of it, with its permits. Null when none are to be had now, or nothing may be sent: then it also says
    /// whether what is left only waits for a place of its host.
    /// </summary>
    private async Task<(Wave? Wave, bool FindsNoPlace)> NextWaveAsync(DueRows due, int room, CancellationToken stopSending)
    {
        try
        {
            var (rows, asking) = await due.NextAsync(Math.Min(room, lease.Window), stopSending);
            if (rows.Count == 0) return (null, due.AnyLeft);
            var permits = await PermitsAsync(rows.Count, stopSending);
            if (permits.Count == 0) return (null, false);
            var records = await due.TakeAsync(rows.GetRange(0, permits.Count), asking, stopSending);
            if (records.Count == 0) return (null, due.AnyLeft);
            return (new Wave(records, permits, needs.Governor.WaitAsync(permits, stopSending),
                wasSilent && needs.Health.IsSilent(lease.AccountId)), false);
        }
        catch (OperationCanceledException) when (stopSending.IsCancellationRequested)
        {
            return (null, false);
        }
        catch (Exception e) when (e.IsOfTheDatabase())
        {
            Log.PermitsFailed(log, lease.ImportId, lease.ChunkNumber, e.Message);
            return (null, false);
        }
    }

    /// <summary>What the answers say of the hosts.</summary>
    private Task NoteHostsAsync(List<Answered> batch)
    {
        var ends = batch.Where(a => a.Answer.To != RecordState.Submitted && a.Url is not null)
            .Select(a => (SourceHost.Of(a.Url!), a.Answer.Code)).ToList();
        return ends.Count == 0 ? Task.CompletedTask : needs.Hosts.NoteAsync(lease.AccountId, ends, CancellationToken.None);
    }

    private async Task<Permits> PermitsAsync(int count, CancellationToken cancellationToken)
    {
        if (!limits.NeedPermits) return Permits.Unlimited(count);
        // Half a second's worth at most, so that a permit is not long on its way when the limit changes or the worker dies.
        var most = limits.SubmitRate > 0 ? (int)Math.Clamp(limits.SubmitRate / 2, 1, count) : count;
        return await needs.Governor.TakeAsync(lease.AccountId, CallKind.Submit, most, cancellationToken);
    }

    /// <summary>Writes answers and begins a wave. Returns the intents that were committed.</summary>
    private async Task<IReadOnlyList<Intent>> WriteAsync(List<Answered> batch, Wave? begin, CancellationToken abandon)
    {
        if (batch.Count == 0 && begin is null) return [];
        int[] rows = begin is null ? [] : [.. begin.Records.Select(r => r.RowNumber)];
        try
        {
            return await WriteUntilDoneAsync(batch, rows, abandon);
        }
        catch (Exception e) when (e.IsAboutContent())
        {
            // One of the answers cannot be stored. The others are, each by itself, and the one says that its answer was of no use.
            Log.AnswersRefused(log, lease.ImportId, lease.ChunkNumber, batch.Count, e.Message);
        }
        var (lost, error) = await KeptResults.WriteAsync(
            batch, some => WriteUntilDoneAsync(some, [], abandon), one => one with { Answer = one.Answer.Unstorable() },
            (count, e) => Log.AnswersRefused(log, lease.ImportId, lease.ChunkNumber, count, e.Message), () =>
                Task.FromResult(true), needs.Clock, abandon);
        if (lost > 0)
            throw new InvalidOperationException(
                $"{lost} answers could not be stored in any way; their records are in doubt when the lease is over.", error);
        // What was refused may have come after the commit, and intents of which nobody heard would be in doubt when the lease is over.
        await GiveBackAsync(rows, abandon);
        if (rows.Length == 0) return [];
        try
        {
            return await WriteUntilDoneAsync([], rows, abandon);
        }
        catch (Exception e) when (e.IsAboutContent())
        {
            // It was no answer's. Calls are on their way whose answers are still to be written, so this ends the chunk's turn and nothing
            // else.
            Log.IntentsRefused(log, lease.ImportId, lease.ChunkNumber, rows.Length, e.Message);
            await GiveBackAsync(rows, abandon);
            return [];
        }
    }

    /// <summary>
    /// An answer is the only trace of what happened, so it is kept for as long as the process lives, whatever the write failed by, and
    /// writing it twice is harmless. When the database fails in the middle, nobody knows whether the intents were committed; but nothing
    /// was sent, so those that were are given back as soon as the database answers again, and none is left in doubt.
    /// </summary>
    private async Task<IReadOnlyList<Intent>> WriteUntilDoneAsync(List<Answered> batch, int[] rows, CancellationToken abandon)
    {
        try
        {
            return await WriteOnceAsync(batch, rows);
        }
        catch (Exception e) when (!e.IsAboutContent())
        {
            Log.WriteInterrupted(log, lease.ImportId, lease.ChunkNumber, batch.Count, rows.Length, e.Message);
        }
        await GiveBackAsync(rows, abandon);
        while (batch.Count > 0)
        {
            try
            {
                return await WriteOnceAsync(batch, []);
            }
            catch (Exception e) when (!abandon.IsCancellationRequested && !e.IsAboutContent())
            {
                Log.AnswersKept(log, lease.ImportId, lease.ChunkNumber, batch.Count, e.Message);
                await Task.Delay(TimeSpan.FromSeconds(1), needs.Clock, CancellationToken.None);
            }
        }
        return [];
    }

    /// <summary>
    /// Gives back what was committed of intents of which nobody heard. Whatever that fails by, it is tried again: nothing of it comes from
    /// a manifest or from Cincopa, and what is not given back is in doubt although it never left.
    /// </summary>
    private async Task GiveBackAsync(int[] rows, CancellationToken abandon)
    {
        while (rows.Length > 0)
        {
            try
            {
                var committed = await needs.Transitions.OpenIntentsAsync(lease, rows, CancellationToken.None);
                if (committed.Count > 0) await WriteOnceAsync([.. committed.Select(NotSent)], []);
                return;
            }
            catch (Exception e) when (!abandon.IsCancellationRequested)
            {
                Log.AnswersKept(log, lease.ImportId, lease.ChunkNumber, rows.Length, e.Message);
                await Task.Delay(TimeSpan.FromSeconds(1), needs.Clock, CancellationToken.None);
            }
        }
    }

    private async Task<IReadOnlyList<Intent>> WriteOnceAsync(List<Answered> batch, int[] rows)
    {
        if (batch.Count == 0) return await needs.Transitions.SubmittingAsync(lease, rows, CancellationToken.None);
        var (late, begun) = await needs.Transitions.AnsweredAndSubmittingAsync(
            lease, batch.ConvertAll(a => a.Answer), rows, FirstPoll, CancellationToken.None);
        foreach (var answer in late) Log.LateAcceptance(log, lease.ImportId, answer.RowNumber, answer.Attempt, answer.StatusId);
        if (batch.Exists(a => a.Answer.To == RecordState.Submitted)) await needs.Health.AcceptedAsync(lease.AccountId, current);
        if (batch.FindLast(a => a.AccountError is not null).AccountError is { } error)
            await needs.Health.FailedAsync(lease.AccountId, current.Version, CallKind.Submit, error, TimesInARow(batch, error));
        else if (batch.Exists(WasAccepted))
            await needs.Health.WorkedAsync(lease.AccountId, CallKind.Submit);
        return begun;
    }

    /// <summary>
    /// How many answers said it after the last call that worked. On a busy machine a single write holds all that were under way.
    /// </summary>
    private static int TimesInARow(List<Answered> batch, RemoteError error) =>
        Math.Max(1, batch.Skip(batch.FindLastIndex(WasAccepted) + 1).Count(a => a.AccountError?.Kind == error.Kind));

    private static bool WasAccepted(Answered answered) => answered.Answer.To is RecordState.Submitted or RecordState.Imported;

    private void Send(Wave wave, IReadOnlyList<Intent> intents)
    {
        var records = wave.Records.ToDictionary(r => r.RowNumber);
        for (var place = 0; place < intents.Count; place++)
            toSend.Writer.TryWrite(new Begun(intents[place], records[intents[place].RowNumber], wave, place));
    }

    /// <summary>Intents that no lane has taken yet are given back at once; the lanes may be busy with long calls.</summary>
    private void ReturnUnsent()
    {
        while (toSend.Reader.TryRead(out var begun)) answers.Add(NotSent(begun.Intent));
    }

    /// <summary>A lane: one call after another.</summary>
    private async Task SendAllAsync(CancellationToken stopSending, CancellationToken abandon)
    {
        await foreach (var begun in toSend.Reader.ReadAllAsync(CancellationToken.None)) answers.Add(
            await SendAsync(begun, stopSending, abandon));
    }

    /// <summary>One call for one committed intent. Always ends in an answer.</summary>
    private async Task<Answered> SendAsync(Begun begun, CancellationToken stopSending, CancellationToken abandon)
    {
        var intent = begun.Intent;
        var mayHaveLeft = false;
        try
        {
            if (stopSending.IsCancellationRequested || needs.Health.IsOutdated(lease.AccountId, current)) return NotSent(intent);
            if (!begun.Wave.WhileSilent && needs.Health.IsSilent(lease.AccountId)) return NotSent(intent);
            var gallery = begun.Record.Fid ?? fid;
            if (begun.Record.IsPush)
            {
                if (!await needs.Governor.MayStartAsync(lease.AccountId, CallKind.Submit, begun.Wave.Permits, begun.Place, stopSending))
                    return NotSent(intent);
                mayHaveLeft = true;
                var pushed = await needs.Push.RunAsync(lease, intent, begun.Record, gallery, current.Access, stopSending, abandon);
                return new(pushed.Answer, pushed.ForHealth is { } said ? needs.Health.Noted(lease.AccountId, said) : null,
                    begun.Record.SourceUrl);
            }
            var result = await needs.Cincopa.UploadFromUrlAsync(current.Access, begun.Record.SourceUrl, gallery, MayLeaveAsync, abandon);
            var answered = new Answered(
                Verdict.Of(intent, result, needs.Schedule), needs.Health.Noted(lease.AccountId, result), begun.Record.SourceUrl);
            var trouble = await needs.Health.OfPageAsync(needs.Cincopa, current.Access, result, abandon)
                ?? needs.Health.OfFirstCalls(lease.AccountId, current, result);
            return trouble is null ? answered : new(answered.Answer with { GiveBack = answered.Answer.To == RecordState.Pending }, trouble);
        }
        catch (OperationCanceledException)
        {
            // The client throws this only when nothing was sent.
            return NotSent(intent);
        }
        catch (Exception e) when (!mayHaveLeft && e.IsOfTheDatabase())
        {
            // No permit is to be had from a database that does not answer.
            Log.PermitFailed(log, lease.ImportId, intent.RowNumber, intent.Attempt, e.Message);
            return NotSent(intent);
        }
        catch (Exception e)
        {
            // The client's results cover what is known to happen; anything else leaves the record in doubt rather than the program.
            Log.UnexpectedDispatchError(log, lease.ImportId, intent.RowNumber, intent.Attempt, e);
            var unknown = new SubmitResult.Unknown(new RemoteError(RemoteErrorKind.ConnectionLost, null,
                "The call broke off because of an unexpected error. The log has the details.", null));
            return new(Verdict.Of(intent, unknown, needs.Schedule), needs.Health.Noted(lease.AccountId, unknown));
        }

        // With the connection in hand: a handshake would make the call later than its permit says.
        async Task<bool> MayLeaveAsync(CancellationToken cancellationToken) =>
            mayHaveLeft = await needs.Governor.MayStartAsync(lease.AccountId, CallKind.Submit, begun.Wave.Permits,
                begun.Place, stopSending);
    }

    private static Answered NotSent(Intent intent) => new(Verdict.NotSent(intent), null);

    /// <summary>Records whose permits are in hand and whose intents are not committed.</summary>
    /// <param name="Ready">Ends when it is time to commit them.</param>
    /// <param name="WhileSilent">Its call asks whether Cincopa is back. Others, begun before it fell silent, are not made any more.</param>
    private sealed record Wave(List<DueRecord> Records, Permits Permits, Task Ready, bool WhileSilent);

    /// <summary>A committed intent on its way to a lane, with its place among the wave's permits.</summary>
    private readonly record struct Begun(Intent Intent, DueRecord Record, Wave Wave, int Place);

    /// <param name="AccountError">What the answer says against the account, or null.</param>
    /// <param name="Url">The source; null when nothing was sent.</param>
    private readonly record struct Answered(Answer Answer, RemoteError? AccountError, string? Url = null);

    /// <summary>The answers that came and are not being written yet.</summary>
    private sealed class AnswersInHand
    {
        private readonly Lock gate = new();
        private List<Answered> waiting = [];
        private (int Count, TaskCompletionSource Reached)? wanted;

        public int Count
        {
            get { lock (gate) return waiting.Count; }
        }

        public void Add(Answered answer)
        {
            lock (gate)
            {
                waiting.Add(answer);
                if (wanted is { } w && waiting.Count >= w.Count) w.Reached.TrySetResult();
            }
        }

        public List<Answered> Take()
        {
            lock (gate)
            {
                var taken = waiting;
                waiting = [];
                return taken;
            }
        }

        /// <summary>
        /// Ends when so many wait. Only the last one who asked is told: waking the loop for each single answer would cost more than the
        /// answer.
        /// </summary>
        public Task WhenAsync(int count)
        {
            lock (gate)
            {
                if (waiting.Count >= count) return Task.CompletedTask;
                var reached = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                wanted = (count, reached);
                return reached.Task;
            }
        }
    }
}
