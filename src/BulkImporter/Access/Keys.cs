using BulkImporter.Data;
using Npgsql;

namespace BulkImporter.Access;

/// <summary>An API key without its secret.</summary>
/// <param name="LastUsedAt">To the minute; null when it was never used.</param>
public sealed record KeyView(
    int Id, string Name, string Prefix, Role Role, DateTimeOffset CreatedAt, DateTimeOffset? ExpiresAt, DateTimeOffset? RevokedAt, DateTimeOffset? LastUsedAt);

/// <param name="Secret">Shown once, here; it cannot be read again.</param>
public sealed record MadeKey(KeyView Key, string Secret);

/// <summary>Makes an API key.</summary>
public sealed class MakeKey(NpgsqlDataSource database, TimeProvider clock)
{
    internal const string Prefix = "bik_";

    private const string Make = """
        WITH made AS (
            INSERT INTO importer.api_key (name, prefix, hash, role, created_at, expires_at) VALUES ($1, $2, $3, $4, now(), $5)
            RETURNING id, name, prefix, role, created_at, expires_at, revoked_at, last_used_at
        ), noted AS (
            INSERT INTO importer.audit_entry (at, actor, action, detail) SELECT now(), $6, 'key_made', name || ' (' || role || ')' FROM made
        )
        SELECT * FROM made
        """;

    /// <param name="expiresAt">Null = never.</param>
    /// <exception cref="InvalidArgumentException">The name is empty or too long, or the expiry is not in the future.</exception>
    public async Task<MadeKey> RunAsync(string name, Role role, DateTimeOffset? expiresAt, string actor, CancellationToken cancellationToken)
    {
        if (string.IsNullOrWhiteSpace(name) || name.Length > 100) throw new InvalidArgumentException("name", "A key's name has 1 to 100 characters.");
        if (expiresAt <= clock.GetUtcNow()) throw new InvalidArgumentException("expiresAt", "The expiry must be in the future.");
        var secret = Prefix + SecretText.New();
        var keys = await database.QueryAsync(
            Make, ReadKeys.Read, cancellationToken, name.Trim(), secret[..12], SecretText.Hash(secret), EnumText<Role>.Of(role), expiresAt?.ToUniversalTime(), actor);
        return new(keys[0], secret);
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
public sealed class RevokeKey(NpgsqlDataSource database)
{
    // The table lock makes two admins who revoke each other's key at once take turns, so that one of them stays.
    private const string Lock = "LOCK TABLE importer.api_key IN SHARE ROW EXCLUSIVE MODE";

    // Where there is an admin among the people, one stays: see LastAdmin.
    private const string Revoke = """
        WITH revoked AS (
            UPDATE importer.api_key k SET revoked_at = now()
            WHERE id = $1 AND revoked_at IS NULL AND (role <> 'admin' OR EXISTS (
                SELECT 1 FROM importer.api_key other
                WHERE other.id <> k.id AND other.role = 'admin' AND other.revoked_at IS NULL AND (other.expires_at IS NULL OR other.expires_at > now()))
                OR EXISTS (SELECT 1 FROM importer.app_user WHERE role = 'admin' AND locked_at IS NULL AND password_hash IS NOT NULL))
            RETURNING name
        )
        INSERT INTO importer.audit_entry (at, actor, action, detail) SELECT now(), $2, 'key_revoked', name FROM revoked
        """;

    public async Task<KeyRevocation> RunAsync(int keyId, string actor, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await connection.ExecuteAsync(Lock, cancellationToken);
        var revoked = await connection.ExecuteAsync(Revoke, cancellationToken, keyId, actor);
        var isThere = await connection.QueryAsync("SELECT 1 FROM importer.api_key WHERE id = $1 AND revoked_at IS NULL", r => r.GetInt32(0), cancellationToken, keyId);
        await transaction.CommitAsync(cancellationToken);
        return (revoked, isThere) switch
        {
            (1, _) => KeyRevocation.Done,
            (_, []) => KeyRevocation.NotFound,
            _ => KeyRevocation.LastAdmin,
        };
    }
}

public sealed class ReadKeys(NpgsqlDataSource database)
{
    public async Task<IReadOnlyList<KeyView>> ListAsync(CancellationToken cancellationToken) => await database.QueryAsync(
        "SELECT id, name, prefix, role, created_at, expires_at, revoked_at, last_used_at FROM importer.api_key ORDER BY id", Read, cancellationToken);

    internal static KeyView Read(NpgsqlDataReader r) => new(
        r.GetInt32(0), r.GetString(1), r.GetString(2), EnumText<Role>.Parse(r.GetString(3)), r.GetFieldValue<DateTimeOffset>(4), r.Time(5), r.Time(6), r.Time(7));
}

/// <summary>Who came in: the holder of a key, or a person.</summary>
/// <param name="Stamp">The person's security stamp, while the session is begun.</param>
/// <param name="SessionId">The session of a browser; null for a program.</param>
public sealed record Caller(string Name, Role Role, int? KeyId = null, int? UserId = null, string? Stamp = null, int? SessionId = null);

/// <summary>Recognises a key that is presented. The hash is looked up, so there is nothing to compare in variable time.</summary>
public sealed class CheckKey(NpgsqlDataSource database)
{
    /// <summary>SQL: the key may be used.</summary>
    internal const string Live = "revoked_at IS NULL AND (expires_at IS NULL OR expires_at > now())";

    // A busy client would otherwise write its key's row with every call.
    private const string IsStale = "(last_used_at IS NULL OR last_used_at < now() - interval '1 minute')";

    /// <summary>The caller, or null when the key is unknown, expired or revoked.</summary>
    public async Task<Caller?> RunAsync(string secret, CancellationToken cancellationToken) => await FindAsync("hash", SecretText.Hash(secret), cancellationToken);

    /// <summary>Whether a session that this key opened may go on.</summary>
    public async Task<bool> IsLiveAsync(int keyId, CancellationToken cancellationToken) => await FindAsync("id", keyId, cancellationToken) is not null;

    private async Task<Caller?> FindAsync(string column, object value, CancellationToken cancellationToken)
    {
        var found = await database.QueryAsync(
            $"SELECT name, role, id, {IsStale} FROM importer.api_key WHERE {column} = $1 AND {Live}",
            r => (Caller: new Caller(r.GetString(0), EnumText<Role>.Parse(r.GetString(1)), r.GetInt32(2)), IsStale: r.GetBoolean(3)), cancellationToken, value);
        if (found is not [var key]) return null;
        if (key.IsStale) await database.ExecuteAsync($"UPDATE importer.api_key SET last_used_at = now() WHERE id = $1 AND {IsStale}", cancellationToken, key.Caller.KeyId);
        return key.Caller;
    }
}

/// <param name="KeySecret">The first admin key, to be shown once; null when the environment chose it.</param>
/// <param name="Setup">Makes who opens it the first admin among the people.</param>
public sealed record FirstStart(string? KeySecret, MadeLink Setup);

/// <summary>Opens an empty installation: without any key or person nobody could let the first one in.</summary>
public sealed class FirstKey(NpgsqlDataSource database)
{
    public const string Variable = "BULKIMPORTER_API_KEY";

    // It ends by itself: it stood in a log or in an environment. When it was the only way in, a restart makes another one, or lets the chosen one in again.
    private const string MakeOnlyOne = $"""
        INSERT INTO importer.api_key AS k (name, prefix, hash, role, created_at, expires_at)
        SELECT 'first key', $1, $2, 'admin', now(), now() + interval '30 days'
        WHERE NOT EXISTS (SELECT 1 FROM importer.api_key WHERE {CheckKey.Live}) AND NOT EXISTS (SELECT 1 FROM importer.app_user)
        ON CONFLICT (hash) DO UPDATE SET expires_at = excluded.expires_at WHERE k.revoked_at IS NULL
        """;

    // Shorter than an invitation: it is printed where others may read, and it makes an admin.
    private const string MakeSetupLink = "INSERT INTO importer.password_link (hash, expires_at) VALUES ($1, now() + interval '1 hour') RETURNING expires_at";

    /// <summary>
    /// Null when there is any key that works, or person. Otherwise the value of <see cref="Variable"/> becomes an admin key, or, when that is not set,
    /// one is generated, either for 30 days; and there is a link with which a person becomes the first admin.
    /// </summary>
    /// <exception cref="InvalidArgumentException">The given key is shorter than 16 characters, or no client could send it.</exception>
    public async Task<FirstStart?> EnsureAsync(IConfiguration configuration, CancellationToken cancellationToken)
    {
        var given = configuration[Variable];
        if (given is not null) PlainText.RequireSendable(Variable, given);
        if (given is { Length: > 0 and < 16 }) throw new InvalidArgumentException(Variable, $"{Variable} must have at least 16 characters.");
        var secret = string.IsNullOrEmpty(given) ? MakeKey.Prefix + SecretText.New() : given;
        var code = SecretText.New();

        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        // Several processes may start on an empty database at once.
        await connection.ExecuteAsync("LOCK TABLE importer.api_key IN SHARE ROW EXCLUSIVE MODE", cancellationToken);
        // A chosen key may be short, so less of it is shown.
        var made = await connection.ExecuteAsync(MakeOnlyOne, cancellationToken, secret[..(secret.StartsWith(MakeKey.Prefix, StringComparison.Ordinal) ? 12 : 4)], SecretText.Hash(secret));
        if (made == 0) return null;
        var expiries = await connection.QueryAsync(MakeSetupLink, r => r.GetFieldValue<DateTimeOffset>(0), cancellationToken, SecretText.Hash(code));
        await transaction.CommitAsync(cancellationToken);
        return new(string.IsNullOrEmpty(given) ? secret : null, new(MakePasswordLink.PathOf(code), expiries[0]));
    }
}
