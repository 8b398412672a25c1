namespace BulkImporter.Access;

/// <param name="Path">To be put behind the server's address and a slash; works once. It is a secret: only its hash is stored.</param>
public sealed record MadeLink(string Path, DateTimeOffset ExpiresAt);

/// <summary>
/// Makes a link that signs a browser in once, within 15 minutes, as whoever asks for it. The session ends with that key or person.
/// </summary>
public sealed class MakeSignInLink(IDbContextFactory<ImporterDb> contexts, TimeProvider clock)
{
    private static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(15);

    public async Task<MadeLink> RunAsync(Caller caller, CancellationToken cancellationToken)
    {
        var code = SecretText.New();
        await using var db = contexts.CreateDbContext();
        var link = db.Add(new SignInLink
        {
            Hash = SecretText.Hash(code),
            KeyId = caller.KeyId,
            UserId = caller.UserId,
            Stamp = await db.Set<User>().Where(u => u.Id == caller.UserId).Select(u => u.SecurityStamp)
                .SingleOrDefaultAsync(cancellationToken),
            ExpiresAt = clock.GetUtcNow() + Lifetime,
        }).Entity;
        db.Note(caller.Name, "sign_in_link_made");
        await db.SaveChangesAsync(cancellationToken);
        return new($"sign-in/once?code={code}", link.ExpiresAt);
    }
}

/// <summary>Takes a sign-in link's code, once.</summary>
public sealed class UseSignInLink(IDbContextFactory<ImporterDb> contexts, TimeProvider clock)
{
    /// <summary>Who made it, without using it up. Null as for <see cref="RunAsync"/>.</summary>
    public Task<Caller?> FindAsync(string code, CancellationToken cancellationToken) => contexts.ReadAsync(async db =>
        await Link.Open<SignInLink>(db, code, clock.GetUtcNow()).AnyAsync(cancellationToken)
            ? await MakerAsync(db, code, cancellationToken) : null);

    /// <summary>
    /// Who made it, or null when it is unknown, used or too old, or its maker may not come in any more, or has another password or role
    /// since.
    /// </summary>
    public async Task<Caller?> RunAsync(string code, CancellationToken cancellationToken)
    {
        await using var db = contexts.CreateDbContext();
        // One statement: of two who open it at the same moment one comes in.
        var now = clock.GetUtcNow();
        var used = await Link.Open<SignInLink>(db, code, now)
            .ExecuteUpdateAsync(set => set.SetProperty(l => l.UsedAt, now), cancellationToken);
        return used == 1 ? await MakerAsync(db, code, cancellationToken) : null;
    }

    private async Task<Caller?> MakerAsync(ImporterDb db, string code, CancellationToken cancellationToken)
    {
        var hash = SecretText.Hash(code);
        var link = await db.Set<SignInLink>().AsNoTracking().SingleAsync(l => l.Hash == hash, cancellationToken);
        return link.KeyId is not null
            ? await db.Set<ApiKey>().Where(ApiKey.IsLive(clock.GetUtcNow())).Where(k => k.Id == link.KeyId)
                .Select(k => new Caller(k.Name, k.Role, k.Id, null, null, null)).SingleOrDefaultAsync(cancellationToken)
            : await db.Set<User>().Where(u => u.Id == link.UserId && u.SecurityStamp == link.Stamp && u.LockedAt == null)
                .Select(u => new Caller(u.UserName!, u.Role, null, u.Id, u.SecurityStamp, null)).SingleOrDefaultAsync(cancellationToken);
    }
}

/// <summary>
/// Makes a new link with which a person chooses a password, within 7 days; earlier ones end, and so does this one with a new password or
/// another role. The present password stays until then.
/// </summary>
public sealed class MakePasswordLink(IDbContextFactory<ImporterDb> contexts, TimeProvider clock)
{
    /// <summary>Long enough for a person to come back from leave, because the link travels by mail or chat.</summary>
    private static readonly TimeSpan Lifetime = TimeSpan.FromDays(7);

    public Task<MadeLink?> RunAsync(string name, string actor, CancellationToken cancellationToken) => contexts.ChangeAsync(async db =>
    {
        if (await db.Set<User>().SingleOrDefaultAsync(u => u.NormalizedUserName == UserName.Normal(name), cancellationToken) is not
            { } user) return null;
        // Of two who make one at the same moment the second ends the first one's, so it has to come after it.
        user.ConcurrencyStamp = Guid.NewGuid().ToString();
        var made = For(db, user, clock.GetUtcNow());
        db.Note(actor, "password_link_made", user.UserName);
        await db.Set<PasswordLink>().Where(l => l.UserId == user.Id && l.UsedAt == null)
            .ExecuteUpdateAsync(set => set.SetProperty(l => l.UsedAt, clock.GetUtcNow()), cancellationToken);
        await db.SaveChangesAsync(cancellationToken);
        return made;
    }, cancellationToken);

    /// <summary>A link for a person, to be saved with what else changes.</summary>
    internal static MadeLink For(ImporterDb db, User user, DateTimeOffset now)
    {
        var code = SecretText.New();
        var link = db.Add(new PasswordLink
        { Hash = SecretText.Hash(code), User = user, Stamp = user.SecurityStamp, ExpiresAt = now + Lifetime }).Entity;
        return new(PathOf(code), link.ExpiresAt);
    }

    internal static string PathOf(string code) => $"choose-password?code={code}";
}

/// <param name="Name">Whose password it is; null for the first admin, who chooses a name too.</param>
public sealed record OpenPasswordLink(string? Name);

/// <summary>Looks at a password link without using it up: the programs that preview links in chats open them too.</summary>
public sealed class ReadPasswordLink(IDbContextFactory<ImporterDb> contexts, TimeProvider clock)
{
    /// <summary>The link, when it may be used.</summary>
    internal static IQueryable<PasswordLink> Usable(ImporterDb db, string code, DateTimeOffset now) =>
        Link.Open<PasswordLink>(db, code, now)
            .Where(l => l.UserId == null ? !db.Set<User>().Any() : l.User!.SecurityStamp == l.Stamp);

    /// <summary>Null when it is unknown, used or too old, or the person is locked.</summary>
    public Task<OpenPasswordLink?> FindAsync(string code, CancellationToken cancellationToken) => contexts.ReadAsync(db =>
        Usable(db, code, clock.GetUtcNow()).Where(l => l.User!.LockedAt == null)
            .Select(l => new OpenPasswordLink(l.User!.UserName)).SingleOrDefaultAsync(cancellationToken));
}
