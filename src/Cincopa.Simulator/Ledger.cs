using System.Runtime.InteropServices;

namespace Cincopa.Simulator;

/// <summary>How a call was answered. In JSON in snake case.</summary>
public enum CallOutcome
{
    /// <summary>Not answered yet.</summary>
    Open,
    /// <summary>The proper answer.</summary>
    Ok,
    /// <summary>A refusal with a message.</summary>
    Refused,
    TokenRejected,
    PermissionMissing,
    QuotaExceeded,
    QueryTooLong,
    /// <summary>405: this verb is not taken.</summary>
    MethodNotAllowed,
    NotFound,
    RateLimited,
    Unavailable,
    BadGateway,
    EmptyReply,
    InvalidJson,
    NoStatusId,
    /// <summary>Took effect; connection reset before a byte of the answer.</summary>
    ReplyLost,
    /// <summary>Took effect; connection reset after half of the answer.</summary>
    ReplyCut,
    /// <summary>Connection reset after the request was read.</summary>
    Reset,
    /// <summary>No answer until the client gave up.</summary>
    Hung,
    /// <summary>The client went away before the answer was due, or inside its own request.</summary>
    ClientGone,
    /// <summary>Connection closed before the request was read.</summary>
    ClosedUnread,
}

/// <summary>How a call ended. <paramref name="Import"/> is the number of the import it made or asked about, -1 without one.</summary>
internal readonly record struct Answer(CallOutcome Outcome, int HttpStatus, bool Accepted = false, int Import = -1);

/// <summary>One call as the ledger shows it. It never holds a token.</summary>
/// <param name="Seq">From 1, in order of arrival.</param>
/// <param name="At">When the request was read, UTC.</param>
/// <param name="AtMs">The same in ms since the ledger began, from a monotonic clock.</param>
/// <param name="Op">What was asked.</param>
/// <param name="Method">The HTTP verb.</param>
/// <param name="Input">The source URL of the call or of its import.</param>
/// <param name="StatusId">The status_id given or asked about.</param>
/// <param name="Outcome">How it was answered.</param>
/// <param name="Accepted">Whether it took effect: a submit made an import, a push kept its chunk.</param>
/// <param name="Http">The HTTP status; 0 when no answer was sent.</param>
/// <param name="InFlight">Calls of the same operation under way, this one included, when it arrived.</param>
/// <param name="DurationMs">From arrival to answer.</param>
public sealed record LedgerLine(
    long Seq, DateTimeOffset At, double AtMs, Operation Op, string Method, string? Input, string? StatusId, CallOutcome Outcome,
    bool Accepted, int Http, int InFlight, double DurationMs);

/// <summary>An input that arrived more than once.</summary>
public sealed record RepeatedInput(string Input, int Received, int Accepted);

/// <summary>The ledger in numbers.</summary>
/// <param name="SubmitsReceived">Submit calls that were read.</param>
/// <param name="SubmitsAccepted">Those that made an import, whatever their client was told.</param>
/// <param name="DistinctInputs">Different source URLs among the received.</param>
/// <param name="DistinctInputsAccepted">Different source URLs among the accepted.</param>
/// <param name="InputsReceivedMoreThanOnce">Source URLs with several submit calls.</param>
/// <param name="InputsAcceptedMoreThanOnce">Source URLs with several imports: duplicates made.</param>
/// <param name="Repeated">The inputs received more than once, those with most imports first; at most 1,000 of them.</param>
/// <param name="MaxSubmitsPerSecond">Most submits that arrived in any window [t, t + 1 s).</param>
/// <param name="MaxStatusPerSecond">The same of status calls.</param>
/// <param name="MaxSubmitsInFlight">Most submits under way at once.</param>
/// <param name="MaxStatusInFlight">The same of status calls.</param>
/// <param name="Operations">Calls by operation; operations never asked for are left out.</param>
/// <param name="Outcomes">Submit calls by outcome.</param>
public sealed record LedgerSummary(
    long SubmitsReceived,
    long SubmitsAccepted,
    long DistinctInputs,
    long DistinctInputsAccepted,
    long InputsReceivedMoreThanOnce,
    long InputsAcceptedMoreThanOnce,
    IReadOnlyList<RepeatedInput> Repeated,
    int MaxSubmitsPerSecond,
    int MaxStatusPerSecond,
    int MaxSubmitsInFlight,
    int MaxStatusInFlight,
    IReadOnlyDictionary<Operation, long> Operations,
    IReadOnlyDictionary<CallOutcome, long> Outcomes);

/// <summary>Every call that arrived, in order: 56 bytes each, in blocks that never move.</summary>
public sealed class Ledger
{
    private const int BlockSize = 1 << 14;
    private const int MostRepeatedShown = 1000;

    private readonly TimeProvider clock;
    private readonly Lock gate = new();
    private readonly int[] inFlight = new int[(int)Operation.Connection + 1];
    private readonly int[] maxInFlight = new int[(int)Operation.Connection + 1];
    private readonly long[] received = new long[(int)Operation.Connection + 1];
    private List<Entry[]> blocks = [];
    private Dictionary<string, Tally> byInput = new(StringComparer.Ordinal);
    private long count;
    private int life;
    private long beganAt;
    private DateTimeOffset beganAtUtc;

    internal Ledger(TimeProvider clock)
    {
        this.clock = clock;
        Reset();
    }

    internal void Reset()
    {
        lock (gate)
        {
            // A call that arrived before the reset and ends after it must not write into the new entries.
            life++;
            blocks = [];
            byInput = new(StringComparer.Ordinal);
            count = 0;
            Array.Clear(inFlight);
            Array.Clear(maxInFlight);
            Array.Clear(received);
            beganAt = clock.GetTimestamp();
            beganAtUtc = clock.GetUtcNow();
        }
    }

    /// <summary>
    /// Writes down a call as it arrives. <paramref name="ordinal"/>: the how-manieth of this operation it is, or of this input for a
    /// submit.
    /// </summary>
    internal EntryKey Open(Operation operation, string method, string? input, out long ordinal)
    {
        lock (gate)
        {
            var index = count++;
            if (index % BlockSize == 0)
                blocks.Add(new Entry[BlockSize]);
            var op = (int)operation;
            ordinal = ++received[op];
            if (operation == Operation.Submit && input is not null)
                ordinal = ++CollectionsMarshal.GetValueRefOrAddDefault(byInput, input, out _).Received;
            var inFlight = ++this.inFlight[op];
            maxInFlight[op] = Math.Max(maxInFlight[op], inFlight);
            At(index) = new Entry
            {
                At = clock.GetTimestamp() - beganAt,
                Method = method,
                Input = input,
                Operation = operation,
                Import = -1,
                InFlight = inFlight
            };
            return new EntryKey(index, life);
        }
    }

    /// <summary>Completes the entry, before the client sees the answer.</summary>
    internal void Close(EntryKey key, in Answer answer)
    {
        lock (gate)
        {
            if (key.Life != life)
                return;
            ref var entry = ref At(key.Index);
            entry.Took = clock.GetTimestamp() - beganAt - entry.At;
            entry.Outcome = answer.Outcome;
            entry.HttpStatus = (short)answer.HttpStatus;
            entry.Accepted = answer.Accepted;
            entry.Import = answer.Import;
            inFlight[(int)entry.Operation]--;
            if (answer.Accepted && entry is { Operation: Operation.Submit, Input: not null })
                CollectionsMarshal.GetValueRefOrAddDefault(byInput, entry.Input, out _).Accepted++;
        }
    }

    /// <summary>Calls in order of arrival, of one operation or source URL if that is asked for, and how many fit in all.</summary>
    internal (IReadOnlyList<LedgerLine> Lines, long Count) Read(Operation? operation, string? input, long skip, int take,
        Func<int, string> statusIdOf)
    {
        lock (gate)
        {
            var lines = new List<LedgerLine>();
            var fitting = 0L;
            for (var i = 0L; i < count; i++)
            {
                ref var e = ref At(i);
                if ((operation is { } op && e.Operation != op) || (input is not null && e.Input != input))
                    continue;
                if (fitting++ < skip || lines.Count >= take)
                    continue;
                lines.Add(new LedgerLine(
                    i + 1, beganAtUtc + Span(e.At), Span(e.At).TotalMilliseconds, e.Operation, e.Method, e.Input,
                    e.Import < 0 ? null : statusIdOf(e.Import), e.Outcome, e.Accepted, e.HttpStatus, e.InFlight,
                    Span(e.Took).TotalMilliseconds));
            }

            return (lines, fitting);
        }
    }

    /// <summary>The numbers of all entries.</summary>
    public LedgerSummary Summarise()
    {
        lock (gate)
        {
            var outcomes = new Dictionary<CallOutcome, long>();
            var accepted = 0L;
            for (var i = 0L; i < count; i++)
            {
                ref var entry = ref At(i);
                if (entry.Operation != Operation.Submit)
                    continue;
                accepted += entry.Accepted ? 1 : 0;
                CollectionsMarshal.GetValueRefOrAddDefault(outcomes, entry.Outcome, out _)++;
            }

            var repeated = byInput.Where(pair => pair.Value.Received > 1).ToList();
            return new LedgerSummary(
                SubmitsReceived: received[(int)Operation.Submit],
                SubmitsAccepted: accepted,
                DistinctInputs: byInput.Count,
                DistinctInputsAccepted: byInput.Values.LongCount(tally => tally.Accepted > 0),
                InputsReceivedMoreThanOnce: repeated.Count,
                InputsAcceptedMoreThanOnce: repeated.LongCount(pair => pair.Value.Accepted > 1),
                Repeated:
                [
                    .. repeated
                        .OrderByDescending(pair => pair.Value.Accepted).ThenByDescending(pair => pair.Value.Received)
                            .ThenBy(pair => pair.Key, StringComparer.Ordinal)
                        .Take(MostRepeatedShown)
                        .Select(pair => new RepeatedInput(pair.Key, pair.Value.Received, pair.Value.Accepted)),
                ],
                MaxSubmitsPerSecond: MostInOneSecond(Operation.Submit),
                MaxStatusPerSecond: MostInOneSecond(Operation.Status),
                MaxSubmitsInFlight: maxInFlight[(int)Operation.Submit],
                MaxStatusInFlight: maxInFlight[(int)Operation.Status],
                Operations: Enum.GetValues<Operation>().Where(op => received[(int)op] > 0).ToDictionary(op => op, op => received[(int)op]),
                Outcomes: outcomes);
        }
    }

    /// <summary>Two marks run over the arrivals; what lies between them is never a second or longer.</summary>
    private int MostInOneSecond(Operation operation)
    {
        var (most, inside, tail) = (0, 0, 0L);
        for (var head = 0L; head < count; head++)
        {
            if (At(head).Operation != operation)
                continue;
            inside++;
            for (; At(head).At - At(tail).At >= clock.TimestampFrequency; tail++)
            {
                if (At(tail).Operation == operation)
                    inside--;
            }

            most = Math.Max(most, inside);
        }

        return most;
    }

    private ref Entry At(long index) => ref blocks[(int)(index / BlockSize)][index % BlockSize];

    private TimeSpan Span(long ticks) => clock.GetElapsedTime(0, ticks);

    internal readonly record struct EntryKey(long Index, int Life);

    private struct Entry
    {
        public long At;
        public long Took;
        public string Method;
        public string? Input;
        public int Import;
        public int InFlight;
        public short HttpStatus;
        public Operation Operation;
        public CallOutcome Outcome;
        public bool Accepted;
    }

    private struct Tally
    {
        public int Received;
        public int Accepted;
    }
}
