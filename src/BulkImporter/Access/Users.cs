using System.Linq.Expressions;
using System.Text.RegularExpressions;

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
public sealed record UserView(
    int Id, string Name, Role Role, UserState State, DateTimeOffset? LockedOutUntil, DateTimeOffset CreatedAt, DateTimeOffset? SignedInAt)
{
    internal static Expression<Func<User, UserView>> Of(DateTimeOffset now) => u => new(
        u.Id, u.UserName!, u.Role,
        u.LockedAt != null ? UserState.Locked : u.PasswordHash == null && u.ForeignId == null ? UserState.Invited : UserState.Active,
        u.LockoutEnd > now ? u.LockoutEnd : null, u.CreatedAt, u.SignedInAt);
}

public sealed class ReadUsers(IDbContextFactory<ImporterDb> contexts, TimeProvider clock)
{
    public async Task<IReadOnlyList<UserView>> ListAsync(CancellationToken cancellationToken) => await contexts.ReadAsync(db =>
        db.Set<User>().OrderBy(u => u.NormalizedUserName).Select(UserView.Of(clock.GetUtcNow())).ToListAsync(cancellationToken));

    /// <summary>The person, or null when there is none of this name, in any case.</summary>
    public Task<UserView?> FindAsync(string name, CancellationToken cancellationToken) =>
        FindAsync(u => u.NormalizedUserName == UserName.Normal(name), cancellationToken);

    public Task<UserView?> FindAsync(int id, CancellationToken cancellationToken) => FindAsync(u => u.Id == id, cancellationToken);

    /// <summary>Whether there is anybody; without people the way in is a key.</summary>
    public Task<bool> AnyAsync(CancellationToken cancellationToken) =>
        contexts.ReadAsync(db => db.Set<User>().AnyAsync(cancellationToken));

    private Task<UserView?> FindAsync(Expression<Func<User, bool>> who, CancellationToken cancellationToken) => contexts.ReadAsync(db =>
        db.Set<User>().Where(who).Select(UserView.Of(clock.GetUtcNow())).SingleOrDefaultAsync(cancellationToken));
}

/// <summary>Adds a person, who chooses a password with the link that is made.</summary>
public sealed class AddUser(IDbContextFactory<ImporterDb> contexts, TimeProvider clock)
{
    /// <summary>The link, or null when there is somebody of this name already; nothing has changed then.</summary>
    /// <exception cref="InvalidArgumentException">The name cannot be used.</exception>
    public Task<MadeLink?> RunAsync(string name, Role role, string actor, CancellationToken cancellationToken)
    {
        UserName.Check(name);
        return contexts.ChangeAsync(async db =>
        {
            if (await db.Set<User>().AnyAsync(u => u.NormalizedUserName == UserName.Normal(name), cancellationToken)) return null;
            var user = User.New(name, role, clock.GetUtcNow());
            var made = MakePasswordLink.For(db, user, user.CreatedAt);
            db.Note(actor, "user_added", $"{name} ({EnumText<Role>.Of(role)})");
            await db.SaveChangesAsync(cancellationToken);
            return made;
        }, cancellationToken);
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

/// <summary>
/// Changes the role of a person, locks or unlocks. Another role and a lock end the person's sessions and links: the next session has the
/// new rights.
/// </summary>
public sealed class ChangeUser(IDbContextFactory<ImporterDb> contexts, TimeProvider clock)
{
    /// <exception cref="InvalidArgumentException">Nothing is to be changed.</exception>
    public Task<UserOrder> RunAsync(string name, UserChange change, string actor, CancellationToken cancellationToken)
    {
        if (change == new UserChange())
            throw new InvalidArgumentException("role", "Say what to change: a role, or whether the person is locked.");
        var staysAdmin = change is { Role: null or Role.Admin, Locked: not true };
        return LastAdmin.GuardAsync(contexts, name, staysAdmin, (db, user) =>
        {
            if (change.Locked is true || (change.Role ?? user.Role) != user.Role) user.EndSessions();
            user.Role = change.Role ?? user.Role;
            if (change.Locked is true) user.LockedAt ??= clock.GetUtcNow();
            if (change.Locked is false) (user.LockedAt, user.LockoutEnd, user.AccessFailedCount) = (null, null, 0);
            db.Note(actor, "user_changed", $"{user.UserName}: {change}");
        }, cancellationToken);
    }
}

/// <summary>Removes a person with all sessions and links. What the person did stays in the audit log.</summary>
public sealed class RemoveUser(IDbContextFactory<ImporterDb> contexts)
{
    public Task<UserOrder> RunAsync(string name, string actor, CancellationToken cancellationToken) =>
        LastAdmin.GuardAsync(contexts, name, staysAdmin: false, (db, user) =>
    {
        db.Remove(user);
        db.Note(actor, "user_removed", user.UserName);
    }, cancellationToken);
}

/// <summary>Ends all sessions of a person: "sign out everywhere".</summary>
public sealed class EndSessions(IDbContextFactory<ImporterDb> contexts)
{
    public Task RunAsync(int userId, CancellationToken cancellationToken) =>
        RunAsync(contexts, u => u.Id == userId, null, cancellationToken);

    internal static Task<bool> RunAsync(
        IDbContextFactory<ImporterDb> contexts, Expression<Func<User, bool>> who, string? why, CancellationToken cancellationToken) =>
            contexts.ChangeAsync(async db =>
    {
        if (await db.Set<User>().SingleOrDefaultAsync(who, cancellationToken) is not { } user) return false;
        user.EndSessions();
        db.Note(user.UserName!, "signed_out_everywhere", why);
        await db.SaveChangesAsync(cancellationToken);
        await db.Set<Session>().Where(s => s.UserId == user.Id).ExecuteDeleteAsync(cancellationToken);
        return true;
    }, cancellationToken);
}

/// <summary>
/// Somebody must stay who can let others in. Where there are people, that is an admin who can sign in: a key may be lost, and nobody would
/// notice.
/// </summary>
internal static class LastAdmin
{
    // Two admins who remove each other at once take turns, so that one of them stays.
    private const string Lock = "LOCK TABLE importer.app_user IN SHARE ROW EXCLUSIVE MODE";

    /// <summary>Those who can let others in.</summary>
    public static IQueryable<User> Among(IQueryable<User> users) =>
        users.Where(u => u.Role == Role.Admin && u.LockedAt == null && u.PasswordHash != null);

    /// <summary>Carries out an order about a person and saves it, unless nobody would be left.</summary>
    /// <param name="staysAdmin">The order takes nobody's rights away.</param>
    public static Task<UserOrder> GuardAsync(
        IDbContextFactory<ImporterDb> contexts, string name, bool staysAdmin, Action<ImporterDb, User> order,
        CancellationToken cancellationToken) => contexts.ChangeAsync(async db =>
    {
        await db.Connection.ExecuteAsync(Lock, cancellationToken);
        if (await db.Set<User>().SingleOrDefaultAsync(u => u.NormalizedUserName == UserName.Normal(name), cancellationToken) is not
            { } user) return UserOrder.NotFound;
        var admins = await Among(db.Set<User>()).Select(u => u.Id).Take(2).ToListAsync(cancellationToken);
        if (!staysAdmin && admins is [var only] && only == user.Id) return UserOrder.LastAdmin;
        order(db, user);
        await db.SaveChangesAsync(cancellationToken);
        return UserOrder.Done;
    }, cancellationToken);
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
            throw new InvalidArgumentException("name",
                "A name has 1 to 64 letters, digits, dots, dashes, underscores, @ or +. It begins with a letter or digit and may "
                    + "hold single spaces.");
    }

    [GeneratedRegex(@"\A(?=.{1,64}\z)[A-Za-z0-9][A-Za-z0-9._@+-]*(?: [A-Za-z0-9._@+-]+)*\z")]
    private static partial Regex Form();
}
