using System.Text.RegularExpressions;
using BulkImporter.Data;
using Npgsql;

namespace BulkImporter.Access;

public enum UserState
{
    /// <summary>Has a link, but has not chosen a password yet.</summary>
    Invited,

    /// <summary>May sign in.</summary>
    Active,

    /// <summary>Locked by an admin: no sign-in, no session.</summary>
    Locked,
}

/// <summary>A person as every door shows it: without password or hash.</summary>
/// <param name="LockedOutUntil">The time until which no password is tried, after too many wrong ones; null when there is none.</param>
public sealed record UserView(int Id, string Name, Role Role, UserState State, DateTimeOffset? LockedOutUntil, DateTimeOffset CreatedAt, DateTimeOffset? SignedInAt);

public sealed class ReadUsers(NpgsqlDataSource database)
{
    private const string Select = """
        SELECT id, user_name, role, CASE WHEN locked_at IS NOT NULL THEN 'locked' WHEN password_hash IS NULL AND foreign_id IS NULL THEN 'invited' ELSE 'active' END,
            CASE WHEN lockout_end > now() THEN lockout_end END, created_at, signed_in_at
        FROM importer.app_user
        """;

    public async Task<IReadOnlyList<UserView>> ListAsync(CancellationToken cancellationToken) =>
        await database.QueryAsync($"{Select} ORDER BY normalized_user_name", Read, cancellationToken);

    /// <summary>The person, or null when there is none of this name, in any case.</summary>
    public async Task<UserView?> FindAsync(string name, CancellationToken cancellationToken) =>
        await database.QueryAsync($"{Select} WHERE normalized_user_name = $1", Read, cancellationToken, UserName.Normal(name)) is [var found] ? found : null;

    public async Task<UserView?> FindAsync(int id, CancellationToken cancellationToken) =>
        await database.QueryAsync($"{Select} WHERE id = $1", Read, cancellationToken, id) is [var found] ? found : null;

    /// <summary>Whether there is anybody; without people the way in is a key.</summary>
    public async Task<bool> AnyAsync(CancellationToken cancellationToken) =>
        (await database.QueryAsync("SELECT EXISTS (SELECT 1 FROM importer.app_user)", r => r.GetBoolean(0), cancellationToken))[0];

    private static UserView Read(NpgsqlDataReader r) => new(
        r.GetInt32(0), r.GetString(1), EnumText<Role>.Parse(r.GetString(2)), EnumText<UserState>.Parse(r.GetString(3)), r.Time(4), r.GetFieldValue<DateTimeOffset>(5), r.Time(6));
}

/// <summary>Adds a person, who chooses a password with the link that is made.</summary>
public sealed class AddUser(NpgsqlDataSource database)
{
    private const string Add = $"""
        WITH added AS (
            INSERT INTO importer.app_user (user_name, normalized_user_name, role, security_stamp, concurrency_stamp, access_failed_count, created_at)
            VALUES ($1, $2, $3, gen_random_uuid()::text, gen_random_uuid()::text, 0, now())
            ON CONFLICT (normalized_user_name) DO NOTHING
            RETURNING id, security_stamp
        ), noted AS (
            INSERT INTO importer.audit_entry (at, actor, action, detail) SELECT now(), $4, 'user_added', $1 || ' (' || $3 || ')' FROM added
        )
        INSERT INTO importer.password_link (hash, user_id, stamp, expires_at) SELECT $5, id, security_stamp, now() + {MakePasswordLink.Lifetime} FROM added RETURNING expires_at
        """;

    /// <summary>The link, or null when there is somebody of this name already; nothing has changed then.</summary>
    /// <exception cref="InvalidArgumentException">The name cannot be used.</exception>
    public async Task<MadeLink?> RunAsync(string name, Role role, string actor, CancellationToken cancellationToken)
    {
        UserName.Check(name);
        var code = SecretText.New();
        return await database.QueryAsync(Add, r => r.GetFieldValue<DateTimeOffset>(0), cancellationToken,
            name, UserName.Normal(name), EnumText<Role>.Of(role), actor, SecretText.Hash(code)) is [var expiresAt]
            ? new(MakePasswordLink.PathOf(code), expiresAt)
            : null;
    }
}

/// <summary>What to change; null leaves a thing as it is.</summary>
/// <param name="Locked">False also ends a lockout after wrong passwords.</param>
public sealed record UserChange(Role? Role = null, bool? Locked = null)
{
    public override string ToString() => string.Join(", ", new[]
    {
        Role is { } role ? $"role {EnumText<Role>.Of(role)}" : null,
        Locked switch { true => "locked", false => "unlocked", null => null },
    }.Where(p => p is not null));
}

/// <summary>What became of an order about a person.</summary>
public enum UserOrder
{
    Done,

    /// <summary>There is nobody of this name.</summary>
    NotFound,

    /// <summary>Nobody would be left who can let others in. Nothing has changed.</summary>
    LastAdmin,
}

/// <summary>Changes the role of a person, locks or unlocks. Another role and a lock end the person's sessions and links: the next session has the new rights.</summary>
public sealed class ChangeUser(NpgsqlDataSource database)
{
    private const string Change = $"""
        WITH changed AS (
            UPDATE importer.app_user u SET
                role = coalesce($2, role),
                locked_at = CASE WHEN $3 THEN coalesce(locked_at, now()) WHEN NOT $3 THEN NULL ELSE locked_at END,
                lockout_end = CASE WHEN NOT $3 THEN NULL ELSE lockout_end END,
                access_failed_count = CASE WHEN NOT $3 THEN 0 ELSE access_failed_count END,
                security_stamp = CASE WHEN $3 OR $2 <> role THEN gen_random_uuid()::text ELSE security_stamp END, concurrency_stamp = gen_random_uuid()::text
            WHERE normalized_user_name = $1 AND ((coalesce($2, 'admin') = 'admin' AND $3 IS NOT TRUE) OR {LastAdmin.IsNotThisOne})
            RETURNING user_name
        )
        INSERT INTO importer.audit_entry (at, actor, action, detail) SELECT now(), $4, 'user_changed', user_name || ': ' || $5 FROM changed
        """;

    /// <exception cref="InvalidArgumentException">Nothing is to be changed.</exception>
    public async Task<UserOrder> RunAsync(string name, UserChange change, string actor, CancellationToken cancellationToken)
    {
        if (change == new UserChange()) throw new InvalidArgumentException("role", "Say what to change: a role, or whether the person is locked.");
        return await LastAdmin.GuardAsync(database, name, Change, cancellationToken,
            change.Role is { } role ? EnumText<Role>.Of(role) : null, change.Locked, actor, change.ToString());
    }
}

/// <summary>Removes a person with all sessions and links. What the person did stays in the audit log.</summary>
public sealed class RemoveUser(NpgsqlDataSource database)
{
    private const string Remove = $"""
        WITH removed AS (
            DELETE FROM importer.app_user u WHERE normalized_user_name = $1 AND {LastAdmin.IsNotThisOne} RETURNING user_name
        )
        INSERT INTO importer.audit_entry (at, actor, action, detail) SELECT now(), $2, 'user_removed', user_name FROM removed
        """;

    public Task<UserOrder> RunAsync(string name, string actor, CancellationToken cancellationToken) => LastAdmin.GuardAsync(database, name, Remove, cancellationToken, actor);
}

/// <summary>Ends all sessions of a person: "sign out everywhere".</summary>
public sealed class EndSessions(NpgsqlDataSource database)
{
    private const string End = """
        WITH ended AS (
            UPDATE importer.app_user SET security_stamp = gen_random_uuid()::text, concurrency_stamp = gen_random_uuid()::text WHERE id = $1 RETURNING user_name
        ), gone AS (
            DELETE FROM importer.session WHERE user_id = $1
        )
        INSERT INTO importer.audit_entry (at, actor, action) SELECT now(), user_name, 'signed_out_everywhere' FROM ended
        """;

    public Task RunAsync(int userId, CancellationToken cancellationToken) => database.ExecuteAsync(End, cancellationToken, userId);
}

/// <summary>Somebody must stay who can let others in. Where there are people, that is an admin who can sign in: a key may be lost, and nobody would notice.</summary>
internal static class LastAdmin
{
    /// <summary>Somebody who is <c>u</c> may go.</summary>
    public const string IsNotThisOne = """
        (u.role <> 'admin' OR u.locked_at IS NOT NULL OR u.password_hash IS NULL OR EXISTS (
            SELECT 1 FROM importer.app_user other
            WHERE other.id <> u.id AND other.role = 'admin' AND other.locked_at IS NULL AND other.password_hash IS NOT NULL))
        """;

    // Two admins who remove each other at once take turns, so that one of them stays.
    private const string Lock = "LOCK TABLE importer.app_user IN SHARE ROW EXCLUSIVE MODE";

    /// <summary>Runs an order about the person $1 that holds <see cref="IsNotThisOne"/>, and tells why it changed nothing.</summary>
    public static async Task<UserOrder> GuardAsync(NpgsqlDataSource database, string name, string order, CancellationToken cancellationToken, params object?[] more)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await connection.ExecuteAsync(Lock, cancellationToken);
        var isThere = await connection.QueryAsync("SELECT 1 FROM importer.app_user WHERE normalized_user_name = $1", r => r.GetInt32(0), cancellationToken, UserName.Normal(name));
        if (isThere is []) return UserOrder.NotFound;
        var done = await connection.ExecuteAsync(order, cancellationToken, [UserName.Normal(name), .. more]);
        await transaction.CommitAsync(cancellationToken);
        return done == 1 ? UserOrder.Done : UserOrder.LastAdmin;
    }
}

/// <summary>Names of people: the same in any case, and safe in an address.</summary>
internal static partial class UserName
{
    /// <summary>As Identity writes it when it looks somebody up.</summary>
    public static string Normal(string name) => name.Normalize().ToUpperInvariant();

    public static bool IsOne(string name) => Form().IsMatch(name);

    /// <exception cref="InvalidArgumentException">The name cannot be used.</exception>
    public static void Check(string name)
    {
        if (!IsOne(name))
            throw new InvalidArgumentException("name", "A name has 1 to 64 letters, digits, dots, dashes, underscores, @ or +, and begins with a letter or digit.");
    }

    [GeneratedRegex(@"\A[A-Za-z0-9][A-Za-z0-9._@+-]{0,63}\z")]
    private static partial Regex Form();
}
