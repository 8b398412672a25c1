using BulkImporter.Access;
using BulkImporter.Accounts;
using BulkImporter.Imports;

namespace BulkImporter.Notify;

/// <summary>
/// Something happened that people want to hear of. Written by the very statement that makes it happen, so that a fact without its
/// notification, or the reverse, cannot be.
/// </summary>
public sealed class Notification
{
    public long Id { get; private set; }

    /// <summary>
    /// A past-tense fact with a stable name: <c>import_finished</c>, <c>import_cancelled</c>, <c>import_paused</c>, <c>import_stalled</c>,
    /// <c>undo_ended</c>, <c>account_suspended</c>.
    /// </summary>
    public required string Kind { get; init; }

    public required DateTimeOffset At { get; init; }
    public int? ImportId { get; init; }
    public required int AccountId { get; init; }
    public Account Account { get; private set; } = null!;

    /// <summary>Why, for people; null when the fact says it all.</summary>
    public string? Reason { get; init; }

    /// <summary>What is sent, the same to every target and with every try; null until it is addressed.</summary>
    public string? Body { get; set; }

    /// <summary>When it was addressed to the targets of that moment.</summary>
    public DateTimeOffset? AddressedAt { get; set; }

    /// <summary>One for each target of that moment.</summary>
    public ICollection<NotificationDelivery> Deliveries { get; } = [];

    public sealed class Configuration : IEntityTypeConfiguration<Notification>
    {
        public void Configure(EntityTypeBuilder<Notification> entity)
        {
            entity.ToTable("notification");
            entity.HasKey(n => n.Id);
            entity.HasIndex(n => n.AddressedAt);
            entity.HasOne<Import>().WithMany().HasForeignKey(n => n.ImportId).OnDelete(DeleteBehavior.Cascade);
            entity.HasOne(n => n.Account).WithMany().HasForeignKey(n => n.AccountId).OnDelete(DeleteBehavior.Cascade);
        }
    }
}

/// <summary>A web address that notifications are posted to, or a mail address (<c>mailto:</c>) that they are written to.</summary>
public sealed class NotificationTarget : IAudited
{
    public int Id { get; private set; }
    public required string Name { get; init; }
    public required string Url { get; init; }

    /// <summary>The signing secret under ASP.NET Data Protection; shown once, when the target is made.</summary>
    public required string SecretProtected { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    public sealed class Configuration : IEntityTypeConfiguration<NotificationTarget>
    {
        public void Configure(EntityTypeBuilder<NotificationTarget> entity)
        {
            entity.ToTable("notification_target");
            entity.HasKey(t => t.Id);
            entity.HasIndex(t => t.Name).IsUnique();
        }
    }
}

/// <summary>One notification on its way to one target.</summary>
public sealed class NotificationDelivery
{
    public required long NotificationId { get; init; }
    public required int TargetId { get; init; }
    public NotificationTarget Target { get; private set; } = null!;

    /// <summary>
    /// When to try next; moved ahead by whoever tries, so that a dead worker's claim runs out. Null when it is delivered or given up.
    /// </summary>
    public DateTimeOffset? NextAt { get; set; }

    public int TryCount { get; set; }
    public DateTimeOffset? DeliveredAt { get; set; }

    /// <summary>Why the last try did not work, for people; never what the target said in its body.</summary>
    public string? Problem { get; set; }

    public sealed class Configuration : IEntityTypeConfiguration<NotificationDelivery>
    {
        public void Configure(EntityTypeBuilder<NotificationDelivery> entity)
        {
            entity.ToTable("notification_delivery");
            entity.HasKey(d => new { d.NotificationId, d.TargetId });
            entity.HasIndex(d => d.NextAt);
            entity.HasOne<Notification>().WithMany(n => n.Deliveries).HasForeignKey(d => d.NotificationId).OnDelete(DeleteBehavior.Cascade);
            entity.HasOne(d => d.Target).WithMany().HasForeignKey(d => d.TargetId).OnDelete(DeleteBehavior.Cascade);
        }
    }
}
