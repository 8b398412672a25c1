using BulkImporter.Data;
using Npgsql;

namespace BulkImporter.Access;

/// <summary>An API key without its secret.</summary>
public sealed record KeyView(int Id, string Name, string Prefix, Role Role, DateTimeOffset CreatedAt, DateTimeOffset? ExpiresAt, DateTimeOffset? RevokedAt);

/// <param name="Secret">Shown once, here; it cannot be read again.</param>
public sealed record MadeKey(KeyView Key, string Secret);

/// <summary>Makes an API key.</summary>
public sealed class MakeKey(NpgsqlDataSource database, TimeProvider clock)
{
    internal const string Prefix = "bik_";

    private const string Make = """
        WITH made AS (
            INSERT INTO importer.api_key (name, prefix, hash, role, created_at, expires_at) VALUES ($1, $2, $3, $4, now(), $5)
            RETURNING id, name, prefix, role, created_at, expires_at, revoked_at
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

    /// <summary>It is the last key that can make keys; without it nobody could get in.</summary>
    LastAdmin,
}

/// <summary>Ends a key, and with it the browser sessions that it opened.</summary>
public sealed class RevokeKey(NpgsqlDataSource database)
{
    // The table lock makes two admins who revoke each other's key at once take turns, so that one of them stays.
    private const string Lock = "LOCK TABLE importer.api_key IN SHARE ROW EXCLUSIVE MODE";

    private const string Revoke = """
        WITH revoked AS (
            UPDATE importer.api_key k SET revoked_at = now()
            WHERE id = $1 AND revoked_at IS NULL AND (role <> 'admin' OR EXISTS (
                SELECT 1 FROM importer.api_key other
                WHERE other.id <> k.id AND other.role = 'admin' AND other.revoked_at IS NULL AND (other.expires_at IS NULL OR other.expires_at > now())))
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
        "SELECT id, name, prefix, role, created_at, expires_at, revoked_at FROM importer.api_key ORDER BY id", Read, cancellationToken);

    internal static KeyView Read(NpgsqlDataReader r) => new(
        r.GetInt32(0), r.GetString(1), r.GetString(2), EnumText<Role>.Parse(r.GetString(3)), r.GetFieldValue<DateTimeOffset>(4), r.Time(5), r.Time(6));
}

/// <summary>Who a key belongs to.</summary>
public sealed record Caller(string Name, Role Role, int KeyId);

/// <summary>Recognises a key that is presented. The hash is looked up, so there is nothing to compare in variable time.</summary>
public sealed class CheckKey(NpgsqlDataSource database)
{
    private const string Live = "revoked_at IS NULL AND (expires_at IS NULL OR expires_at > now())";

    /// <summary>The caller, or null when the key is unknown, expired or revoked.</summary>
    public async Task<Caller?> RunAsync(string secret, CancellationToken cancellationToken) =>
        await database.QueryAsync(
            $"SELECT name, role, id FROM importer.api_key WHERE hash = $1 AND {Live}",
            r => new Caller(r.GetString(0), EnumText<Role>.Parse(r.GetString(1)), r.GetInt32(2)), cancellationToken, SecretText.Hash(secret)) is [var caller] ? caller : null;

    /// <summary>Whether a session that this key opened may go on.</summary>
    public async Task<bool> IsLiveAsync(int keyId, CancellationToken cancellationToken) =>
        await database.QueryAsync($"SELECT 1 FROM importer.api_key WHERE id = $1 AND {Live}", r => r.GetInt32(0), cancellationToken, keyId) is [_];
}

/// <summary>Opens an empty installation: without any key nobody could make the first one.</summary>
public sealed class FirstKey(NpgsqlDataSource database)
{
    public const string Variable = "BULKIMPORTER_API_KEY";

    private const string MakeOnlyOne = """
        INSERT INTO importer.api_key (name, prefix, hash, role, created_at)
        SELECT 'first key', $1, $2, 'admin', now() WHERE NOT EXISTS (SELECT 1 FROM importer.api_key)
        """;

    /// <summary>
    /// Does nothing when there is any key. Otherwise the value of <see cref="Variable"/> becomes an admin key, or, when that is not set,
    /// one is generated and answered, to be shown once.
    /// </summary>
    /// <exception cref="InvalidArgumentException">The given key is shorter than 16 characters.</exception>
    public async Task<string?> EnsureAsync(IConfiguration configuration, CancellationToken cancellationToken)
    {
        var given = configuration[Variable];
        if (given is { Length: > 0 and < 16 }) throw new InvalidArgumentException(Variable, $"{Variable} must have at least 16 characters.");
        var secret = string.IsNullOrEmpty(given) ? MakeKey.Prefix + SecretText.New() : given;

        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        // Several processes may start on an empty database at once.
        await connection.ExecuteAsync("LOCK TABLE importer.api_key IN SHARE ROW EXCLUSIVE MODE", cancellationToken);
        // A chosen key may be short, so less of it is shown.
        var made = await connection.ExecuteAsync(MakeOnlyOne, cancellationToken, secret[..(secret.StartsWith(MakeKey.Prefix, StringComparison.Ordinal) ? 12 : 4)], SecretText.Hash(secret));
        await transaction.CommitAsync(cancellationToken);
        return made == 1 && string.IsNullOrEmpty(given) ? secret : null;
    }
}
