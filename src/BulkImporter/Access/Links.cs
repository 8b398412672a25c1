using BulkImporter.Data;
using BulkImporter.Manifests;
using Npgsql;

namespace BulkImporter.Access;

/// <param name="Path">To be put behind the server's address and a slash; works once. It is a secret: only its hash is stored.</param>
public sealed record MadeLink(string Path, DateTimeOffset ExpiresAt);

/// <summary>Makes a link that signs a browser in once, within 15 minutes, as whoever asks for it. The session ends with that key or person.</summary>
public sealed class MakeSignInLink(NpgsqlDataSource database)
{
    private const string Make = """
        WITH noted AS (INSERT INTO importer.audit_entry (at, actor, action) VALUES (now(), $4, 'sign_in_link_made'))
        INSERT INTO importer.sign_in_link (hash, key_id, user_id, stamp, expires_at)
        VALUES ($1, $2, $3, (SELECT security_stamp FROM importer.app_user WHERE id = $3), now() + interval '15 minutes') RETURNING expires_at
        """;

    public async Task<MadeLink> RunAsync(Caller caller, CancellationToken cancellationToken)
    {
        var code = SecretText.New();
        var expiries = await database.QueryAsync(
            Make, r => r.GetFieldValue<DateTimeOffset>(0), cancellationToken, SecretText.Hash(code), caller.KeyId, caller.UserId, caller.Name);
        return new($"sign-in/once?code={code}", expiries[0]);
    }
}

/// <summary>Takes a sign-in link's code, once.</summary>
public sealed class UseSignInLink(NpgsqlDataSource database)
{
    private const string Usable = "hash = $1 AND used_at IS NULL AND expires_at > now()";

    private const string Whose = $"""
        SELECT name, role, id, NULL::int, NULL FROM importer.api_key WHERE id = (SELECT key_id FROM link) AND {CheckKey.Live}
        UNION ALL
        SELECT user_name, role, NULL, id, security_stamp FROM importer.app_user WHERE (id, security_stamp) = (SELECT user_id, stamp FROM link) AND locked_at IS NULL
        """;

    private const string Find = $"WITH link AS (SELECT key_id, user_id, stamp FROM importer.sign_in_link WHERE {Usable}) {Whose}";

    private const string Use = $"WITH link AS (UPDATE importer.sign_in_link SET used_at = now() WHERE {Usable} RETURNING key_id, user_id, stamp) {Whose}";

    /// <summary>Who made it, without using it up. Null as for <see cref="RunAsync"/>.</summary>
    public Task<Caller?> FindAsync(string code, CancellationToken cancellationToken) => AskAsync(Find, code, cancellationToken);

    /// <summary>Who made it, or null when it is unknown, used or too old, or its maker may not come in any more, or has another password or role since.</summary>
    public Task<Caller?> RunAsync(string code, CancellationToken cancellationToken) => AskAsync(Use, code, cancellationToken);

    private async Task<Caller?> AskAsync(string sql, string code, CancellationToken cancellationToken) =>
        await database.QueryAsync(
            sql, r => new Caller(r.GetString(0), EnumText<Role>.Parse(r.GetString(1)), r.Number(2), r.Number(3), r.Text(4)),
            cancellationToken, SecretText.Hash(code)) is [var caller] ? caller : null;
}

/// <summary>Makes a new link with which a person chooses a password, within 7 days; earlier ones end, and so does this one with a new password or another role. The present password stays until then.</summary>
public sealed class MakePasswordLink(NpgsqlDataSource database)
{
    /// <summary>SQL. Long enough for a person to come back from leave, because the link travels by mail or chat.</summary>
    internal const string Lifetime = "interval '7 days'";

    private const string Make = $"""
        WITH target AS (
            SELECT id, user_name, security_stamp FROM importer.app_user WHERE normalized_user_name = $1 FOR UPDATE
        ), ended AS (
            UPDATE importer.password_link SET used_at = now() WHERE user_id = (SELECT id FROM target) AND used_at IS NULL
        ), noted AS (
            INSERT INTO importer.audit_entry (at, actor, action, detail) SELECT now(), $2, 'password_link_made', user_name FROM target
        )
        INSERT INTO importer.password_link (hash, user_id, stamp, expires_at) SELECT $3, id, security_stamp, now() + {Lifetime} FROM target RETURNING expires_at
        """;

    /// <summary>The link, or null when there is nobody of this name.</summary>
    public async Task<MadeLink?> RunAsync(string name, string actor, CancellationToken cancellationToken)
    {
        var code = SecretText.New();
        return await database.QueryAsync(Make, r => r.GetFieldValue<DateTimeOffset>(0), cancellationToken, UserName.Normal(name), actor, SecretText.Hash(code)) is [var expiresAt]
            ? new(PathOf(code), expiresAt)
            : null;
    }

    internal static string PathOf(string code) => $"choose-password?code={code}";
}

/// <param name="Name">Whose password it is; null for the first admin, who chooses a name too.</param>
public sealed record OpenPasswordLink(string? Name);

/// <summary>Looks at a password link without using it up: the programs that preview links in chats open them too.</summary>
public sealed class ReadPasswordLink(NpgsqlDataSource database)
{
    /// <summary>SQL: the link <c>l</c> may be used.</summary>
    internal const string Usable = """
        l.used_at IS NULL AND l.expires_at > now() AND CASE WHEN l.user_id IS NULL THEN NOT EXISTS (SELECT 1 FROM importer.app_user)
            ELSE EXISTS (SELECT 1 FROM importer.app_user p WHERE p.id = l.user_id AND p.security_stamp = l.stamp) END
        """;

    private const string Find = $"""
        SELECT u.user_name FROM importer.password_link l LEFT JOIN importer.app_user u ON u.id = l.user_id WHERE l.hash = $1 AND {Usable} AND u.locked_at IS NULL
        """;

    /// <summary>Null when it is unknown, used or too old, or the person is locked.</summary>
    public async Task<OpenPasswordLink?> FindAsync(string code, CancellationToken cancellationToken) =>
        await database.QueryAsync(Find, r => new OpenPasswordLink(r.Text(0)), cancellationToken, SecretText.Hash(code)) is [var link] ? link : null;
}
