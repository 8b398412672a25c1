using System.Linq.Expressions;

namespace BulkImporter.Access;

/// <summary>An API key without its secret.</summary>
/// <param name="LastUsedAt">To the minute; null when it was never used.</param>
public sealed record KeyView(
    int Id, string Name, string Prefix, Role Role, DateTimeOffset CreatedAt, DateTimeOffset? ExpiresAt, DateTimeOffset? RevokedAt,
    DateTimeOffset? LastUsedAt)
{
    internal static readonly Expression<Func<ApiKey, KeyView>> Of = k =>
        new(k.Id, k.Name, k.Prefix, k.Role, k.CreatedAt, k.ExpiresAt, k.RevokedAt, k.LastUsedAt);
}

/// <param name="Secret">Shown once, here; it cannot be read again.</param>
public sealed record MadeKey(KeyView Key, string Secret);

public sealed class MakeKey(IDbContextFactory<ImporterDb> contexts, TimeProvider clock)
{
    internal const string Prefix = "bik_";

    /// <param name="expiresAt">Null = never.</param>
    /// <exception cref="InvalidArgumentException">The name is empty or too long, or the expiry is not in the future.</exception>
    public async Task<MadeKey> RunAsync(
        string name, Role role, DateTimeOffset? expiresAt, string actor, CancellationToken cancellationToken)
    {
        var now = clock.GetUtcNow();
        if (string.IsNullOrWhiteSpace(name) || name.Length > 100)
            throw new InvalidArgumentException("name", "A key's name must have 1 to 100 characters.");
        if (expiresAt <= now) throw new InvalidArgumentException("expiresAt", "The expiry must be in the future.");
        var secret = Prefix + SecretText.New();
        await using var db = contexts.CreateDbContext();
        var key = db.Add(new ApiKey
        {
            Name = name.Trim(),
            Prefix = secret[..12],
            Hash = SecretText.Hash(secret),
            Role = role,
            CreatedAt = now,
            ExpiresAt = expiresAt?.ToUniversalTime(),
        }).Entity;
        db.Note(actor, "key_made", $"{key.Name} ({EnumText<Role>.Of(role)})");
        await db.SaveChangesAsync(cancellationToken);
        return new(await db.Set<ApiKey>().Where(k => k.Id == key.Id).Select(KeyView.Of).SingleAsync(cancellationToken), secret);
    }
}

public enum KeyRevocation
{
    Done,

    /// <summary>There is no such key, or it was revoked before.</summary>
    NotFound,

    /// <summary>It is the last admin's key, and there is no admin who signs in by password: nobody could get in.</summary>
    LastAdmin,
}

/// <summary>Ends a key, and with it the browser sessions that it opened.</summary>
public sealed class RevokeKey(IDbContextFactory<ImporterDb> contexts, TimeProvider clock)
{
    // Two admins who revoke each other's key at once take turns, so that one of them stays.
    internal const string Lock = "LOCK TABLE importer.api_key IN SHARE ROW EXCLUSIVE MODE";

    public Task<KeyRevocation> RunAsync(int keyId, string actor, CancellationToken cancellationToken) => contexts.ChangeAsync(async db =>
    {
        await db.Connection.ExecuteAsync(Lock, cancellationToken);
        var now = clock.GetUtcNow();
        if (await db.Set<ApiKey>().SingleOrDefaultAsync(k => k.Id == keyId && k.RevokedAt == null, cancellationToken) is not { } key)
            return KeyRevocation.NotFound;
        // Where there is an admin among the people, one stays: see LastAdmin.
        var mayGo = key.Role != Role.Admin
            || await db.Set<ApiKey>().Where(ApiKey.IsLive(now)).AnyAsync(k => k.Id != keyId && k.Role == Role.Admin, cancellationToken)
            || await LastAdmin.Among(db.Set<User>()).AnyAsync(cancellationToken);
        if (!mayGo) return KeyRevocation.LastAdmin;
        key.RevokedAt = now;
        db.Note(actor, "key_revoked", key.Name);
        await db.SaveChangesAsync(cancellationToken);
        return KeyRevocation.Done;
    }, cancellationToken);
}

public sealed class ReadKeys(IDbContextFactory<ImporterDb> contexts)
{
    public async Task<IReadOnlyList<KeyView>> ListAsync(CancellationToken cancellationToken) =>
        await contexts.ReadAsync(db => db.Set<ApiKey>().OrderBy(k => k.Id).Select(KeyView.Of).ToListAsync(cancellationToken));
}

/// <summary>Who came in: the holder of a key, or a person.</summary>
/// <param name="Stamp">The person's security stamp, while the session is begun.</param>
/// <param name="SessionId">The session of a browser; null for a program.</param>
public sealed record Caller(string Name, Role Role, int? KeyId = null, int? UserId = null, string? Stamp = null, int? SessionId = null);

/// <summary>Recognises a key that is presented. The hash is looked up, so there is nothing to compare in variable time.</summary>
public sealed class CheckKey(IDbContextFactory<ImporterDb> contexts, TimeProvider clock)
{
    // A busy client would otherwise write its key's row with every call.
    private static readonly TimeSpan NotedEvery = TimeSpan.FromMinutes(1);

    /// <summary>The caller, or null when the key is unknown, expired or revoked.</summary>
    public async Task<Caller?> RunAsync(string secret, CancellationToken cancellationToken)
    {
        var hash = SecretText.Hash(secret);
        return await FindAsync(k => k.Hash == hash, cancellationToken);
    }

    /// <summary>Whether a session that this key opened may go on.</summary>
    public async Task<bool> IsLiveAsync(int keyId, CancellationToken cancellationToken) =>
        await FindAsync(k => k.Id == keyId, cancellationToken) is not null;

    private async Task<Caller?> FindAsync(Expression<Func<ApiKey, bool>> which, CancellationToken cancellationToken)
    {
        var now = clock.GetUtcNow();
        await using var db = contexts.CreateDbContext();
        var key = await db.Set<ApiKey>().Where(ApiKey.IsLive(now)).Where(which).Select(k => new { k.Id, k.Name, k.Role, k.LastUsedAt })
            .SingleOrDefaultAsync(cancellationToken);
        if (key is null) return null;
        if (!(now - key.LastUsedAt < NotedEvery))
            await db.Set<ApiKey>().Where(k => k.Id == key.Id)
                .ExecuteUpdateAsync(set => set.SetProperty(k => k.LastUsedAt, now), cancellationToken);
        return new(key.Name, key.Role, key.Id);
    }
}

/// <param name="KeySecret">The first admin key, to be shown once; null when the environment chose it.</param>
/// <param name="Setup">Makes who opens it the first admin among the people.</param>
public sealed record FirstStart(string? KeySecret, MadeLink Setup);

/// <summary>Opens an empty installation: without any key or person nobody could let the first one in.</summary>
public sealed class FirstKey(IDbContextFactory<ImporterDb> contexts, TimeProvider clock)
{
    public const string Variable = "BULKIMPORTER_API_KEY";

    /// <summary>
    /// It ends by itself: it stood in a log or in an environment. When it was the only way in, a restart makes another one, or lets the
    /// chosen one in again.
    /// </summary>
    private static readonly TimeSpan KeyLifetime = TimeSpan.FromDays(30);

    /// <summary>Shorter than an invitation's: it is printed where others may read, and it makes an admin.</summary>
    private static readonly TimeSpan SetupLifetime = TimeSpan.FromHours(1);

    /// <summary>
    /// Null when there is any key that works, or person. Otherwise the value of <see cref="Variable"/> becomes an admin key, or, when that
    /// is not set, one is generated, either for 30 days; and there is a link with which a person becomes the first admin.
    /// </summary>
    /// <exception cref="InvalidArgumentException">The given key is shorter than 16 characters, or no client could send it.</exception>
    public async Task<FirstStart?> EnsureAsync(IConfiguration configuration, CancellationToken cancellationToken)
    {
        var given = configuration[Variable];
        if (given is not null) PlainText.RequireSendable(Variable, given);
        if (given is { Length: > 0 and < 16 })
            throw new InvalidArgumentException(Variable, $"{Variable} must have at least 16 characters.");
        var secret = string.IsNullOrEmpty(given) ? MakeKey.Prefix + SecretText.New() : given;
        return await contexts.ChangeAsync(db => MakeOnlyOneAsync(db, secret, secret == given, cancellationToken), cancellationToken);
    }

    private async Task<FirstStart?> MakeOnlyOneAsync(ImporterDb db, string secret, bool isChosen, CancellationToken cancellationToken)
    {
        // Several processes may start on an empty database at once.
        await db.Connection.ExecuteAsync(RevokeKey.Lock, cancellationToken);
        var (now, hash, code) = (clock.GetUtcNow(), SecretText.Hash(secret), SecretText.New());
        if (await db.Set<ApiKey>().AnyAsync(ApiKey.IsLive(now), cancellationToken) || await db.Set<User>().AnyAsync(cancellationToken))
            return null;
        if (await db.Set<ApiKey>().AnyAsync(k => k.Hash == hash, cancellationToken))
        {
            var again = await db.Set<ApiKey>().Where(k => k.Hash == hash && k.RevokedAt == null)
                .ExecuteUpdateAsync(set => set.SetProperty(k => k.ExpiresAt, now + KeyLifetime), cancellationToken);
            if (again == 0) return null;
        }
        else
        {
            db.Add(new ApiKey
            {
                // A chosen key may be short, so less of it is shown.
                Name = "first key",
                Prefix = secret[..(secret.StartsWith(MakeKey.Prefix, StringComparison.Ordinal) ? 12 : 4)],
                Hash = hash,
                Role = Role.Admin,
                CreatedAt = now,
                ExpiresAt = now + KeyLifetime,
            });
        }
        var link = db.Add(new PasswordLink { Hash = SecretText.Hash(code), ExpiresAt = now + SetupLifetime }).Entity;
        await db.SaveChangesAsync(cancellationToken);
        return new(isChosen ? null : secret, new(MakePasswordLink.PathOf(code), link.ExpiresAt));
    }
}
