using System.Linq.Expressions;

namespace BulkImporter.Access;

/// <summary>What a caller may do. Each role may do all that the ones before it may.</summary>
[StoredAsText]
public enum Role
{
    /// <summary>Look.</summary>
    Viewer,

    /// <summary>Upload, start, pause, resume, cancel, rerun.</summary>
    Operator,

    /// <summary>Accounts, keys and people.</summary>
    Admin,
}

/// <summary>
/// A secret that opens the API and the pages. Only its SHA-256 is stored: the key has 256 random bits, so a slow hash would add nothing.
/// </summary>
public sealed class ApiKey : IAudited
{
    public int Id { get; private set; }
    public required string Name { get; init; }

    /// <summary>The first characters, so that a person can tell keys apart.</summary>
    public required string Prefix { get; init; }

    public required byte[] Hash { get; init; }
    public required Role Role { get; init; }
    public DateTimeOffset CreatedAt { get; init; }
    public DateTimeOffset? ExpiresAt { get; init; }
    public DateTimeOffset? RevokedAt { get; set; }

    /// <summary>To the minute: a key that is used all the time is written to once a minute.</summary>
    public DateTimeOffset? LastUsedAt { get; set; }

    /// <summary>The key may be used.</summary>
    internal static Expression<Func<ApiKey, bool>> IsLive(DateTimeOffset now) =>
        k => k.RevokedAt == null && (k.ExpiresAt == null || k.ExpiresAt > now);

    public sealed class Configuration : IEntityTypeConfiguration<ApiKey>
    {
        public void Configure(EntityTypeBuilder<ApiKey> entity)
        {
            entity.ToTable("api_key", t => t.HasCheckConstraint("api_key_role_is_known", EnumText<Role>.Check("role")));
            entity.HasKey(k => k.Id);
            entity.HasIndex(k => k.Hash).IsUnique();
        }
    }
}
