using BulkImporter.Data;
using Npgsql;

namespace BulkImporter.Notify;

/// <summary>A notification and what became of it.</summary>
/// <param name="Kind">The fact, e.g. <c>import_finished</c>.</param>
/// <param name="Deliveries">One for each target.</param>
public sealed record NotificationView(long Id, string Kind, DateTimeOffset At, int? ImportId, string Account, string? Reason, IReadOnlyList<DeliveryView> Deliveries);

/// <param name="Target">The target's name.</param>
/// <param name="State"><c>waiting</c>, <c>delivered</c> or <c>given_up</c>.</param>
/// <param name="Problem">Why the last try did not work; null when it did.</param>
public sealed record DeliveryView(string Target, string State, int Tries, DateTimeOffset? NextAt, DateTimeOffset? DeliveredAt, string? Problem);

public sealed class ReadNotifications(NpgsqlDataSource database)
{
    private const string Targets = "SELECT name, url, created_at FROM importer.notification_target ORDER BY name";

    private const string List = """
        SELECT n.id, n.kind, n.at, n.import_id, a.name, n.reason,
            d.targets, d.states, d.tries, d.next, d.delivered, d.problems
        FROM importer.notification n
        JOIN importer.account a ON a.id = n.account_id
        LEFT JOIN LATERAL (
            SELECT array_agg(t.name ORDER BY t.name) AS targets,
                array_agg(CASE WHEN d.delivered_at IS NOT NULL THEN 'delivered' WHEN d.next_at IS NULL THEN 'given_up' ELSE 'waiting' END ORDER BY t.name) AS states,
                array_agg(d.try_count ORDER BY t.name) AS tries, array_agg(d.next_at ORDER BY t.name) AS next,
                array_agg(d.delivered_at ORDER BY t.name) AS delivered, array_agg(d.problem ORDER BY t.name) AS problems
            FROM importer.notification_delivery d JOIN importer.notification_target t ON t.id = d.target_id WHERE d.notification_id = n.id) d ON true
        WHERE n.id < $1 ORDER BY n.id DESC LIMIT $2
        """;

    public async Task<IReadOnlyList<TargetView>> TargetsAsync(CancellationToken cancellationToken) =>
        await database.QueryAsync(Targets, r => new TargetView(r.GetString(0), r.GetString(1), r.GetFieldValue<DateTimeOffset>(2)), cancellationToken);

    /// <summary>The latest first.</summary>
    public async Task<Page<NotificationView>> PageAsync(int? before, int limit, CancellationToken cancellationToken)
    {
        var rows = await database.QueryAsync(List, Read, cancellationToken, (long)(before ?? int.MaxValue), limit + 1);
        return Page<NotificationView>.Of(rows, limit, n => (int)n.Id);
    }

    private static NotificationView Read(NpgsqlDataReader r)
    {
        List<DeliveryView> deliveries = [];
        if (!r.IsDBNull(6))
        {
            var targets = r.GetFieldValue<string[]>(6);
            var (states, tries) = (r.GetFieldValue<string[]>(7), r.GetFieldValue<int[]>(8));
            var (next, delivered, problems) = (r.GetFieldValue<DateTimeOffset?[]>(9), r.GetFieldValue<DateTimeOffset?[]>(10), r.GetFieldValue<string?[]>(11));
            for (var i = 0; i < targets.Length; i++) deliveries.Add(new(targets[i], states[i], tries[i], next[i], delivered[i], problems[i]));
        }
        return new(r.GetInt64(0), r.GetString(1), r.GetFieldValue<DateTimeOffset>(2), r.Number(3), r.GetString(4), r.Text(5), deliveries);
    }
}

/// <summary>Sends a notification once more to every target there is now, delivered or not, with the same id and body.</summary>
public sealed class ReplayNotification(NpgsqlDataSource database)
{
    private const string Replay = """
        WITH known AS (SELECT id FROM importer.notification WHERE id = $1 AND addressed_at IS NOT NULL),
        replayed AS (
            INSERT INTO importer.notification_delivery (notification_id, target_id, next_at, try_count)
            SELECT known.id, t.id, now(), 0 FROM known, importer.notification_target t
            ON CONFLICT (notification_id, target_id) DO UPDATE SET next_at = now(), try_count = 0, delivered_at = NULL, problem = NULL
            RETURNING 1
        ), noted AS (
            INSERT INTO importer.audit_entry (at, actor, action, detail) SELECT now(), $2, 'notification_replayed', id::text FROM known
        )
        SELECT (SELECT count(*)::int FROM replayed) FROM known
        """;

    /// <summary>The number of targets it goes to; null when there is no such notification, or when it is so new that it was not addressed yet.</summary>
    public async Task<int?> RunAsync(long notificationId, string actor, CancellationToken cancellationToken) =>
        await database.QueryAsync(Replay, r => r.GetInt32(0), cancellationToken, notificationId, actor) is [var targets] ? targets : null;
}
