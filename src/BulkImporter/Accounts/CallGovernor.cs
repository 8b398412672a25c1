using System.Collections.Concurrent;
using BulkImporter.Telemetry;

namespace BulkImporter.Accounts;

/// <summary>
/// Permission for <paramref name="Count"/> calls, the first at <paramref name="FirstAt"/> and one each <paramref name="Spacing"/> after it.
/// </summary>
/// <param name="FirstAt">A timestamp of the governor's TimeProvider, never earlier than the database meant.</param>
/// <param name="Spacing">Zero when the account has no rate: the calls may then start at any time from FirstAt on.</param>
public readonly record struct Permits(int Count, long FirstAt, TimeSpan Spacing)
{
    /// <summary>What a caller holds who needs to ask nobody.</summary>
    public static Permits Unlimited(int count) => new(count, 0, TimeSpan.Zero);
}

/// <summary>
/// The account's limits over all workers together: calls per second, the backlog, and the times in which the remote side wants to be left
/// alone. One row per account and kind holds them; one UPDATE hands out the start times of a whole wave of calls by the database's clock,
/// so that worker clocks do not matter.
/// </summary>
public sealed class CallGovernor(NpgsqlDataSource database, TimeProvider clock, Func<double> random)
{
    /// <summary>
    /// How late a call may be at the remote side, counted from the start time that the database meant. Start times stand a little further
    /// apart than the rate says, by this over a second, so that calls which are late by less than it still never exceed the rate in any
    /// one-second window. A half of it is for the caller that wakes late, a quarter for the database's answer, a quarter for the way to
    /// the remote side.
    /// </summary>
    public static readonly TimeSpan Tolerance = TimeSpan.FromMilliseconds(100);

    /// <summary>
    /// The same for status calls. A submit waits for its start time with the connection in hand; a read has no such moment, so its
    /// connecting comes on top.
    /// </summary>
    private static readonly TimeSpan StatusTolerance = TimeSpan.FromMilliseconds(250);

    /// <summary>
    /// How far ahead status calls are given start times. Whoever asks for one later gives up after a while, and what was given to him
    /// passes unused: with more askers than the rate serves in their patience, all start times would be those of askers that are gone.
    /// </summary>
    private static readonly TimeSpan StatusAhead = TimeSpan.FromSeconds(2);

    /// <summary>
    /// The longest time for which one reply keeps a whole account waiting. To ask once an hour is gentle enough, and a header with a date
    /// in the year 9999 must not stop a migration until a person looks.
    /// </summary>
    private static readonly TimeSpan LongestBlock = TimeSpan.FromHours(1);

    /// <summary>How long the database's answer may take without a word to anyone.</summary>
    private static readonly TimeSpan PromptAnswer = Tolerance / 4;

    /// <summary>
    /// The longest answer that is expected of the next question after a slow one. What is said beforehand keeps the whole account waiting,
    /// and a database that paused for ten seconds does not pause again; only who has met two late answers in a row says how late they
    /// really were.
    /// </summary>
    private static readonly TimeSpan LongestExpected = TimeSpan.FromSeconds(1);

    // Start times are used as late as the answer with them comes. Those of a worker far from the database would then run into those of a
    // near one, so it says beforehand how long an answer may take ($5, beyond what the tolerance covers), and the next ones begin that much
    // later.
    private const string HandOut = """
        WITH budget AS (
            SELECT b.account_id, b.kind,
                CASE WHEN b.next_at > clock_timestamp() + $6 THEN 0 ELSE LEAST($3, coalesce(b.backlog_room, $3)) END AS count,
                GREATEST(b.next_at, clock_timestamp()) AS first_at,
                coalesce((interval '1 second' + $4) / nullif(CASE b.kind WHEN 'submit' THEN a.submit_rate ELSE a.status_rate END, 0),
                    interval '0') AS spacing
            FROM importer.call_budget b JOIN importer.account a ON a.id = b.account_id
            WHERE b.account_id = $1 AND b.kind = $2 AND coalesce(b.backlog_room, 1) > 0
                AND (b.blocked_until IS NULL OR b.blocked_until <= clock_timestamp())
            FOR UPDATE OF b
        )
        UPDATE importer.call_budget b
        SET next_at = CASE WHEN budget.count = 0 THEN b.next_at
                ELSE budget.first_at + budget.spacing * budget.count +
                    CASE WHEN budget.spacing > interval '0' THEN $5 ELSE interval '0' END END,
            backlog_room = b.backlog_room - budget.count
        FROM budget
        WHERE b.account_id = budget.account_id AND b.kind = budget.kind
        RETURNING budget.count, budget.first_at - clock_timestamp() AS starts_in, budget.spacing,
            clock_timestamp() - statement_timestamp() AS queued
        """;

    private const string BlockEveryone = """
        UPDATE importer.call_budget
        SET blocked_until = GREATEST(blocked_until, clock_timestamp()
                + coalesce($3::interval, importer.backoff(interval '1 second', interval '60 seconds', blocks_in_a_row) * (0.5 + $4 / 2))),
            blocks_in_a_row = blocks_in_a_row + CASE WHEN blocked_until > clock_timestamp() THEN 0 ELSE 1 END,
            blocked_reason = $5
        WHERE account_id = $1 AND kind = $2
        """;

    private const string Unblock = """
        UPDATE importer.call_budget SET blocks_in_a_row = 0, blocked_reason = NULL WHERE account_id = $1 AND kind = $2
            AND blocks_in_a_row > 0
        """;

    // Whether a block may stand in the row, so that the first call that works clears it and the others write nothing.
    private readonly ConcurrentDictionary<(int AccountId, CallKind Kind), bool> blockCleared = new();

    // Seconds that the database takes for an answer, with a margin: grows at once and shrinks slowly. Several threads may write it;
    // whichever does is right enough.
    private double answerTime;

    /// <summary>
    /// Takes permits for up to <paramref name="count"/> calls; fewer or none when the backlog is full or everyone is asked to wait. Waits
    /// while the start times of status calls are given away for <see cref="StatusAhead"/>.
    /// </summary>
    public async Task<Permits> TakeAsync(int accountId, CallKind kind, int count, CancellationToken cancellationToken)
    {
        for (var (late, lastTook) = (0, 0.0); ;)
        {
            var allowed = Math.Max(late < 2 ? answerTime : 1.5 * lastTook, PromptAnswer.TotalSeconds);
            var asked = clock.GetTimestamp();
            var handed = await database.QueryAsync<Handed>(
                HandOut, cancellationToken, accountId, EnumText<CallKind>.Of(kind), count, kind == CallKind.Submit
                    ? Tolerance : StatusTolerance,
                TimeSpan.FromSeconds(allowed) - PromptAnswer, kind == CallKind.Submit ? TimeSpan.MaxValue : StatusAhead);
            if (handed is not [var given]) return default;
            // What the question waited for its turn at the row was before the database looked at its clock.
            var took = (clock.GetElapsedTime(asked) - given.Queued).TotalSeconds;
            answerTime = Math.Max(Math.Min(1.5 * took, LongestExpected.TotalSeconds), 0.75 * answerTime);
            if (given.Count == 0)
            {
                // Not all at once again.
                await WaitUntilAsync(After(given.StartsIn - StatusAhead + StatusAhead * random()), cancellationToken);
                continue;
            }
            if (took <= allowed || given.Spacing == TimeSpan.Zero) return new Permits(given.Count, After(given.StartsIn), given.Spacing);
            // Came later than we had said: these start times are others' by now. They pass unused, and the next question says how long it
            // takes.
            (late, lastTook) = (late + 1, took);
        }
    }

    /// <summary>Waits until it is just time for one more statement before the first of <paramref name="permits"/> may be used.</summary>
    public Task WaitAsync(Permits permits, CancellationToken cancellationToken) =>
        WaitUntilAsync(permits.FirstAt - (long)(answerTime * clock.TimestampFrequency), cancellationToken);

    /// <summary>
    /// Waits until the call with the given place among <paramref name="permits"/> may start. A permit that is too late by then is replaced
    /// by a new one: used now, it would fall into the next ones' second. False when no other is to be had now.
    /// </summary>
    public async Task<bool> MayStartAsync(int accountId, CallKind kind, Permits permits, int place, CancellationToken cancellationToken)
    {
        var asked = clock.GetTimestamp();
        while (permits.Count > 0)
        {
            var startAt = permits.FirstAt + (long)(permits.Spacing.TotalSeconds * place * clock.TimestampFrequency);
            await WaitUntilAsync(startAt, cancellationToken);
            if (permits.Spacing == TimeSpan.Zero || clock.GetElapsedTime(startAt) < Tolerance / 2)
            {
                Measures.PermitWaited(EnumText<CallKind>.Of(kind), clock.GetElapsedTime(asked));
                return true;
            }
            (permits, place) = (await TakeAsync(accountId, kind, 1, cancellationToken), 0);
        }
        return false;
    }

    /// <summary>
    /// Keeps every worker from calling: for as long as the remote side asked, but for <see cref="LongestBlock"/> at most, or for a wait
    /// that doubles with each block in a row.
    /// </summary>
    public async Task BlockAsync(int accountId, CallKind kind, TimeSpan? retryAfter, string reason)
    {
        blockCleared[(accountId, kind)] = false;
        if (retryAfter > LongestBlock)
            (retryAfter, reason) = (LongestBlock, $"{reason} It asked to wait longer than an hour; it is asked again after an hour.");
        await database.ExecuteAsync(
            BlockEveryone, CancellationToken.None, accountId, EnumText<CallKind>.Of(kind), retryAfter, random(), reason);
    }

    /// <summary>A call worked: the next block starts from the shortest wait again.</summary>
    public async Task CallWorkedAsync(int accountId, CallKind kind)
    {
        if (blockCleared.GetValueOrDefault((accountId, kind))) return;
        await database.ExecuteAsync(Unblock, CancellationToken.None, accountId, EnumText<CallKind>.Of(kind));
        blockCleared[(accountId, kind)] = true;
    }

    private async Task WaitUntilAsync(long timestamp, CancellationToken cancellationToken)
    {
        // Timers count whole milliseconds of a clock of their own, and may end one too early.
        while (clock.GetElapsedTime(clock.GetTimestamp(), timestamp) is var wait && wait > TimeSpan.Zero)
            await Task.Delay(TimeSpan.FromMilliseconds(Math.Ceiling(wait.TotalMilliseconds)), clock, cancellationToken);
    }

    private long After(TimeSpan delay) =>
        clock.GetTimestamp() + (long)(Math.Max(0, delay.TotalSeconds) * clock.TimestampFrequency);

    /// <param name="Queued">How long the question waited for its turn at the row.</param>
    private sealed record Handed(int Count, TimeSpan StartsIn, TimeSpan Spacing, TimeSpan Queued);
}
