using BulkImporter.Access;

namespace BulkImporter.Notify;

/// <summary>A notification and its deliveries.</summary>
/// <param name="Kind">The fact, e.g. <c>import_finished</c>.</param>
/// <param name="Deliveries">One for each target.</param>
public sealed record NotificationView(
    long Id, string Kind, DateTimeOffset At, int? ImportId, string Account, string? Reason, IReadOnlyList<DeliveryView> Deliveries);

/// <param name="Target">The target's name.</param>
/// <param name="State"><c>waiting</c>, <c>delivered</c> or <c>given_up</c>.</param>
/// <param name="Problem">Why the last try failed; null when it did not.</param>
public sealed record DeliveryView(
    string Target, string State, int Tries, DateTimeOffset? NextAt, DateTimeOffset? DeliveredAt, string? Problem);

public sealed class ReadNotifications(IDbContextFactory<ImporterDb> contexts)
{
    public async Task<IReadOnlyList<TargetView>> TargetsAsync(CancellationToken cancellationToken)
    {
        await using var db = contexts.CreateDbContext();
        return await db.Set<NotificationTarget>().OrderBy(t => t.Name).Select(t => new TargetView(t.Name, t.Url, t.CreatedAt))
            .ToListAsync(cancellationToken);
    }

    /// <summary>The latest first.</summary>
    public async Task<Page<NotificationView>> PageAsync(int? before, int limit, CancellationToken cancellationToken)
    {
        var older = before ?? int.MaxValue;
        await using var db = contexts.CreateDbContext();
        var latest = await db.Set<Notification>().Where(n => n.Id < older).OrderByDescending(n => n.Id).Take(limit + 1)
            .Select(n =>
                new NotificationView(n.Id, n.Kind, n.At, n.ImportId, n.Account.Name, n.Reason, n.Deliveries.OrderBy(d => d.Target.Name)
                .Select(d => new DeliveryView(
                    d.Target.Name, d.DeliveredAt != null ? "delivered" : d.NextAt == null
                        ? "given_up" : "waiting", d.TryCount, d.NextAt, d.DeliveredAt, d.Problem))
                .ToList()))
            .ToListAsync(cancellationToken);
        return Page<NotificationView>.Of(latest, limit, n => (int)n.Id);
    }
}

/// <summary>Sends a notification once more to every target there is now, delivered or not, with the same id and body.</summary>
public sealed class ReplayNotification(IDbContextFactory<ImporterDb> contexts)
{
    private const string Replay = """
        INSERT INTO importer.notification_delivery (notification_id, target_id, next_at, try_count)
        SELECT n.id, t.id, now(), 0 FROM importer.notification n CROSS JOIN importer.notification_target t WHERE n.id = $1
        ON CONFLICT (notification_id, target_id) DO UPDATE SET next_at = now(), try_count = 0, delivered_at = NULL, problem = NULL
        """;

    /// <summary>
    /// The number of targets it goes to; null when there is no such notification, or when it is so new that it was not addressed yet.
    /// </summary>
    public Task<int?> RunAsync(long notificationId, string actor, CancellationToken cancellationToken) => contexts.ChangeAsync(async db =>
    {
        if (!await db.Set<Notification>().AnyAsync(n => n.Id == notificationId && n.AddressedAt != null, cancellationToken))
            return (int?)null;
        // Set-based, and a worker may claim one of them at this moment.
        var targets = await db.Connection.ExecuteAsync(Replay, cancellationToken, notificationId);
        db.Note(actor, "notification_replayed", notificationId.ToString(CultureInfo.InvariantCulture));
        await db.SaveChangesAsync(cancellationToken);
        return targets;
    }, cancellationToken);
}
