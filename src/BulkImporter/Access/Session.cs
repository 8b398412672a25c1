using System.Linq.Expressions;

namespace BulkImporter.Access;

/// <summary>
/// A browser that is signed in. Its cookie holds no more than this row's id: without the row it opens nothing, however often it was copied.
/// </summary>
public sealed class Session
{
    public int Id { get; private set; }
    public int? KeyId { get; init; }
    public ApiKey? Key { get; init; }
    public int? UserId { get; init; }
    public User? User { get; init; }

    /// <summary>The person's security stamp when it began: with another one the session is over. Null for a key's.</summary>
    public string? Stamp { get; init; }

    public DateTimeOffset BeganAt { get; init; }

    /// <summary>When it was last used, to the minute.</summary>
    public DateTimeOffset SeenAt { get; init; }

    /// <summary>How it began: <c>with a password</c>.</summary>
    public required string How { get; init; }

    /// <summary>From where: an IP address; null when that is not known.</summary>
    public string? Address { get; init; }

    /// <summary>What the browser calls itself, cut.</summary>
    public string? Browser { get; init; }

    /// <summary>Nothing can wake it any more.</summary>
    internal static Expression<Func<Session, bool>> IsOver(AccessOptions limits, DateTimeOffset now)
    {
        var (began, seen) = (now - limits.SessionLifetime, now - limits.SessionIdle);
        return s => s.BeganAt < began || s.SeenAt < seen;
    }

    public sealed class Configuration : IEntityTypeConfiguration<Session>
    {
        public void Configure(EntityTypeBuilder<Session> entity)
        {
            entity.ToTable("session", t => t.HasCheckConstraint("session_is_of_a_key_or_a_user", "(key_id IS NULL) <> (user_id IS NULL)"));
            entity.HasKey(s => s.Id);
            entity.HasOne(s => s.Key).WithMany().HasForeignKey(s => s.KeyId).OnDelete(DeleteBehavior.Cascade);
            entity.HasOne(s => s.User).WithMany().HasForeignKey(s => s.UserId).OnDelete(DeleteBehavior.Cascade);
        }
    }
}
