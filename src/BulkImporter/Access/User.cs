using Microsoft.AspNetCore.Identity;

namespace BulkImporter.Access;

/// <summary>
/// A person who signs in with a name and a password, or at an identity provider. ASP.NET Core Identity hashes and checks the password and
/// counts the failures; a new security stamp ends every session of the person. Somebody who was invited has no password yet.
/// </summary>
public sealed class User : IdentityUser<int>
{
    public required Role Role { get; set; }
    public DateTimeOffset CreatedAt { get; init; }
    public DateTimeOffset? SignedInAt { get; set; }

    /// <summary>
    /// Locked by an admin until an admin unlocks; the lockout after wrong passwords is <see cref="IdentityUser{TKey}.LockoutEnd"/> and ends
    /// by itself.
    /// </summary>
    public DateTimeOffset? LockedAt { get; set; }

    /// <summary>Who it is at the identity provider, <c>ISSUER SUBJECT</c>; null for somebody who has a password here.</summary>
    public string? ForeignId { get; init; }

    /// <summary>Nobody is spared the lockout, so it needs no column.</summary>
    public override bool LockoutEnabled { get => true; set { } }

    /// <summary>Somebody who has not signed in yet.</summary>
    internal static User New(string name, Role role, DateTimeOffset now, string? foreignId = null) => new()
    {
        UserName = name,
        NormalizedUserName = Access.UserName.Normal(name),
        Role = role,
        ForeignId = foreignId,
        SecurityStamp = Guid.NewGuid().ToString(),
        CreatedAt = now,
    };

    /// <summary>Ends every session and link of the person: they hold the stamp of the day they began.</summary>
    internal void EndSessions() => (SecurityStamp, ConcurrencyStamp) = (Guid.NewGuid().ToString(), Guid.NewGuid().ToString());

    public sealed class Configuration : IEntityTypeConfiguration<User>
    {
        public void Configure(EntityTypeBuilder<User> entity)
        {
            entity.ToTable("app_user", t => t.HasCheckConstraint("app_user_role_is_known", EnumText<Role>.Check("role")));
            entity.HasKey(u => u.Id);
            entity.HasIndex(u => u.NormalizedUserName).IsUnique();
            entity.HasIndex(u => u.ForeignId).IsUnique();
            entity.Property(u => u.UserName).IsRequired();
            entity.Property(u => u.NormalizedUserName).IsRequired();
            entity.Property(u => u.SecurityStamp).IsRequired();
            entity.Property(u => u.ConcurrencyStamp).IsRequired().IsConcurrencyToken();
            entity.Ignore(u => u.LockoutEnabled);
            entity.Ignore(u => u.Email).Ignore(u => u.NormalizedEmail).Ignore(u => u.EmailConfirmed);
            entity.Ignore(u => u.PhoneNumber).Ignore(u => u.PhoneNumberConfirmed).Ignore(u => u.TwoFactorEnabled);
        }
    }
}

/// <summary>A link that works once and until a time. Only the hash of its code is stored.</summary>
public abstract class Link
{
    public int Id { get; private set; }
    public required byte[] Hash { get; init; }
    public int? UserId { get; init; }

    /// <summary>The person's security stamp when it was made: a new password or another role makes the link void.</summary>
    public string? Stamp { get; init; }

    public required DateTimeOffset ExpiresAt { get; init; }
    public DateTimeOffset? UsedAt { get; set; }

    /// <summary>The link of this code, when it was not used and is not too old.</summary>
    internal static IQueryable<T> Open<T>(ImporterDb db, string code, DateTimeOffset now) where T : Link
    {
        var hash = SecretText.Hash(code);
        return db.Set<T>().Where(l => l.Hash == hash && l.UsedAt == null && l.ExpiresAt > now);
    }
}

/// <summary>
/// A link with which a person chooses a password, once: after an invitation, or when the old one is forgotten. Without a user it is the
/// setup link of a new installation, and works as long as there is nobody: who opens it becomes the first admin.
/// </summary>
public sealed class PasswordLink : Link
{
    public User? User { get; init; }

    internal const string SweepOld = """
        DELETE FROM importer.password_link WHERE id IN (
            SELECT id FROM importer.password_link WHERE expires_at < now() - $1 LIMIT $2 FOR UPDATE SKIP LOCKED)
        """;

    public sealed class Configuration : IEntityTypeConfiguration<PasswordLink>
    {
        public void Configure(EntityTypeBuilder<PasswordLink> entity)
        {
            entity.ToTable("password_link");
            entity.HasKey(l => l.Id);
            entity.HasIndex(l => l.Hash).IsUnique();
            entity.HasOne(l => l.User).WithMany().HasForeignKey(l => l.UserId).OnDelete(DeleteBehavior.Cascade);
        }
    }
}

/// <summary>A link that signs a browser in once, as whoever made it: the key's holder or the person.</summary>
public sealed class SignInLink : Link
{
    public int? KeyId { get; init; }

    internal const string SweepOld = """
        DELETE FROM importer.sign_in_link WHERE id IN (
            SELECT id FROM importer.sign_in_link WHERE expires_at < now() - $1 LIMIT $2 FOR UPDATE SKIP LOCKED)
        """;

    public sealed class Configuration : IEntityTypeConfiguration<SignInLink>
    {
        public void Configure(EntityTypeBuilder<SignInLink> entity)
        {
            entity.ToTable("sign_in_link", t =>
                t.HasCheckConstraint("sign_in_link_is_of_a_key_or_a_user", "(key_id IS NULL) <> (user_id IS NULL)"));
            entity.HasKey(l => l.Id);
            entity.HasIndex(l => l.Hash).IsUnique();
            entity.HasOne<ApiKey>().WithMany().HasForeignKey(l => l.KeyId).OnDelete(DeleteBehavior.Cascade);
            entity.HasOne<User>().WithMany().HasForeignKey(l => l.UserId).OnDelete(DeleteBehavior.Cascade);
        }
    }
}
