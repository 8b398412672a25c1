using System.Collections.Concurrent;
using BulkImporter.Data;
using Npgsql;

namespace BulkImporter.Accounts;

/// <summary>Permission for <paramref name="Count"/> calls, the first at <paramref name="FirstAt"/> and one each <paramref name="Spacing"/> after it.</summary>
/// <param name="FirstAt">A timestamp of the governor's TimeProvider, never earlier than the database meant.</param>
public readonly record struct Permits(int Count, long FirstAt, TimeSpan Spacing);

/// <summary>
/// The account's limits over all workers together: calls per second, the backlog, and the times in which the remote side wants to be left
/// alone. One row per account and kind holds them; one UPDATE hands out the start times of a whole block of calls by the database's clock,
/// so that worker clocks do not matter.
/// </summary>
public sealed class CallGovernor(NpgsqlDataSource database, TimeProvider clock, Func<double> random)
{
    /// <summary>
    /// How late a permit may be used. Start times stand a little further apart than the rate says, by this over a second, so that calls
    /// which are late by less than it still never exceed the rate in any one-second window.
    /// </summary>
    public static readonly TimeSpan Tolerance = TimeSpan.FromMilliseconds(100);

    private const string TakeBlock = """
        WITH budget AS (
            SELECT b.account_id, b.kind,
                LEAST($3, coalesce(b.backlog_room, $3)) AS count,
                GREATEST(b.next_at, clock_timestamp()) AS first_at,
                coalesce((interval '1 second' + $4) / nullif(CASE b.kind WHEN 'submit' THEN a.submit_rate ELSE a.status_rate END, 0), interval '0') AS spacing
            FROM importer.call_budget b JOIN importer.account a ON a.id = b.account_id
            WHERE b.account_id = $1 AND b.kind = $2 AND coalesce(b.backlog_room, 1) > 0
                AND (b.blocked_until IS NULL OR b.blocked_until <= clock_timestamp())
            FOR UPDATE OF b
        )
        UPDATE importer.call_budget b
        SET next_at = budget.first_at + budget.spacing * budget.count, backlog_room = b.backlog_room - budget.count
        FROM budget
        WHERE b.account_id = budget.account_id AND b.kind = budget.kind
        RETURNING budget.count, budget.first_at - clock_timestamp(), budget.spacing
        """;

    private const string BlockEveryone = """
        UPDATE importer.call_budget
        SET blocked_until = GREATEST(blocked_until, clock_timestamp() + coalesce($3::interval, LEAST(interval '60 seconds', interval '1 second' * power(2, LEAST(blocks_in_a_row, 10))) * (0.5 + $4 / 2))),
            blocks_in_a_row = blocks_in_a_row + CASE WHEN blocked_until > clock_timestamp() THEN 0 ELSE 1 END,
            blocked_reason = $5
        WHERE account_id = $1 AND kind = $2
        """;

    private const string Unblock = """
        UPDATE importer.call_budget SET blocks_in_a_row = 0, blocked_reason = NULL WHERE account_id = $1 AND kind = $2 AND blocks_in_a_row > 0
        """;

    // Whether a block may stand in the row, so that the first call that works clears it and the others write nothing.
    private readonly ConcurrentDictionary<(int AccountId, CallKind Kind), bool> blockCleared = new();

    /// <summary>Takes permits for up to <paramref name="count"/> calls; fewer or none when the backlog is full or everyone is asked to wait.</summary>
    public async Task<Permits> TakeAsync(int accountId, CallKind kind, int count, CancellationToken cancellationToken)
    {
        var blocks = await database.QueryAsync(TakeBlock,
            r => new Permits(r.GetInt32(0), After(r.GetTimeSpan(1)), r.GetTimeSpan(2)),
            cancellationToken, accountId, EnumText<CallKind>.Of(kind), count, Tolerance);
        return blocks.Count == 0 ? default : blocks[0];
    }

    /// <summary>Keeps every worker from calling: for as long as the remote side asked, or for a wait that doubles with each block in a row.</summary>
    public async Task BlockAsync(int accountId, CallKind kind, TimeSpan? retryAfter, string reason, CancellationToken cancellationToken)
    {
        blockCleared[(accountId, kind)] = false;
        await database.ExecuteAsync(BlockEveryone, cancellationToken, accountId, EnumText<CallKind>.Of(kind), retryAfter ?? (object)DBNull.Value, random(), reason);
    }

    /// <summary>A call worked: the next block starts from the shortest wait again.</summary>
    public async Task CallWorkedAsync(int accountId, CallKind kind, CancellationToken cancellationToken)
    {
        if (blockCleared.GetValueOrDefault((accountId, kind))) return;
        await database.ExecuteAsync(Unblock, cancellationToken, accountId, EnumText<CallKind>.Of(kind));
        blockCleared[(accountId, kind)] = true;
    }

    private long After(TimeSpan delay) =>
        clock.GetTimestamp() + (long)(Math.Max(0, delay.TotalSeconds) * clock.TimestampFrequency);
}
