using Microsoft.AspNetCore.Identity;

namespace BulkImporter.Access;

/// <summary>Recognises a name and a password.</summary>
public sealed class CheckPassword(SignInManager<User> signIn, UserManager<User> users, IPasswordHasher<User> hasher, ImporterDb db)
{
    private static readonly User Nobody = new() { Role = Role.Viewer };
    private static string? nobodysHash;

    /// <summary>
    /// Who it is; null when name or password are wrong, the person is locked, or too many passwords were tried. Which of them it was is not
    /// told, and takes the same time, so that nobody can find out who there is.
    /// </summary>
    public async Task<Caller?> RunAsync(string name, string password, CancellationToken cancellationToken)
    {
        if (await users.FindByNameAsync(name) is not { PasswordHash: not null, LockedAt: null } user || await users.IsLockedOutAsync(user))
        {
            nobodysHash ??= hasher.HashPassword(Nobody, SecretText.New());
            hasher.VerifyHashedPassword(Nobody, nobodysHash, password);
            return null;
        }

        var result = await signIn.CheckPasswordSignInAsync(user, password, lockoutOnFailure: true);
        if (result.IsLockedOut)
        {
            db.Note(user.UserName!, "locked_out", "too many wrong passwords");
            await db.SaveChangesAsync(cancellationToken);
        }
        return result.Succeeded ? Passwords.Caller(user) : null;
    }
}

/// <summary>
/// Sets the password that a person chooses with a <see cref="PasswordLink"/>, once. The setup link makes the first admin.
/// </summary>
public sealed class UsePasswordLink(UserManager<User> users, ImporterDb db, TimeProvider clock)
{
    /// <summary>Who may come in now, or null when the link is unknown, used or too old, or the person is locked.</summary>
    /// <param name="name">The first admin's name; not looked at when the link is a person's.</param>
    /// <exception cref="InvalidArgumentException">Name or password cannot be used; the link still can.</exception>
    public async Task<Caller?> RunAsync(string code, string name, string password, CancellationToken cancellationToken)
    {
        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        // One statement: of two who open it at the same moment one chooses the password.
        if (await ReadPasswordLink.Usable(db, code, clock.GetUtcNow())
            .ExecuteUpdateAsync(set => set.SetProperty(l => l.UsedAt, clock.GetUtcNow()), cancellationToken) == 0) return null;
        var hash = SecretText.Hash(code);
        var link = await db.Set<PasswordLink>().AsNoTracking().SingleAsync(l => l.Hash == hash, cancellationToken);

        User user;
        if (link.UserId is { } userId)
        {
            user = await db.Set<User>().SingleAsync(u => u.Id == userId, cancellationToken);
            if (user.LockedAt is not null) return null;
        }
        else
        {
            UserName.Check(name);
            user = new User { UserName = name, Role = Role.Admin, CreatedAt = clock.GetUtcNow() };
            Passwords.Accept(await users.CreateAsync(user), "name");
        }
        await Passwords.SetAsync(users, db, user, password);
        await transaction.CommitAsync(cancellationToken);
        return Passwords.Caller(user);
    }
}

/// <summary>Changes a person's own password. All sessions of the person end.</summary>
public sealed class ChangePassword(SignInManager<User> signIn, UserManager<User> users, ImporterDb db)
{
    /// <summary>The person with the new security stamp; null when the person is gone or locked.</summary>
    /// <exception cref="InvalidArgumentException">The present password is wrong (which counts towards the lockout), or the new one cannot
    /// be used.</exception>
    public async Task<Caller?> RunAsync(int userId, string present, string password, CancellationToken cancellationToken)
    {
        if (await db.Set<User>().SingleOrDefaultAsync(u => u.Id == userId && u.LockedAt == null, cancellationToken) is not { } user)
            return null;
        if (!(await signIn.CheckPasswordSignInAsync(user, present, lockoutOnFailure: true)).Succeeded)
            throw new InvalidArgumentException("present", "The current password is wrong, or there were too many wrong tries.");
        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        await Passwords.SetAsync(users, db, user, password);
        await transaction.CommitAsync(cancellationToken);
        return Passwords.Caller(user);
    }
}

internal static class Passwords
{
    /// <summary>
    /// Long rather than full of signs: length is what makes a password hard to guess, and rules about signs make it hard to keep.
    /// </summary>
    public const int ShortestLength = 12;

    public static Caller Caller(User user) => new(user.UserName!, user.Role, UserId: user.Id, Stamp: user.SecurityStamp);

    /// <summary>
    /// Takes the old password away and sets this one, which gives a new security stamp. The caller's transaction holds both and the note of
    /// it.
    /// </summary>
    /// <exception cref="InvalidArgumentException">The password cannot be used.</exception>
    public static async Task SetAsync(UserManager<User> users, ImporterDb db, User user, string password)
    {
        (user.AccessFailedCount, user.LockoutEnd) = (0, null);
        db.Note(user.UserName!, "password_chosen");
        Accept(await users.RemovePasswordAsync(user), "password");
        Accept(await users.AddPasswordAsync(user, password), "password");
    }

    /// <exception cref="InvalidArgumentException">Identity refused it; the message says why.</exception>
    public static void Accept(IdentityResult result, string argument)
    {
        if (!result.Succeeded) throw new InvalidArgumentException(argument, string.Join(' ', result.Errors.Select(e => e.Description)));
    }
}
