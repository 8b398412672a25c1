using System.Security.Claims;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;

namespace BulkImporter.Access;

/// <summary>
/// What a signed-in caller carries: a name for the audit log, a role, the key or the person that the session ends with, and the session's
/// row.
/// </summary>
public static class Identities
{
    private const string KeyClaim = "key";
    private const string UserClaim = "user";
    private const string SessionClaim = "session";

    /// <summary>Who acts, for the audit log.</summary>
    public static string Actor(this ClaimsPrincipal user) =>
        user.Identity?.Name ?? throw new InvalidOperationException("Nobody is signed in.");

    public static Role Role(this ClaimsPrincipal user) =>
        EnumText<Role>.Parse(user.FindFirstValue(ClaimTypes.Role) ?? throw new InvalidOperationException("Nobody is signed in."));

    public static Caller Caller(this ClaimsPrincipal user) =>
        new(user.Actor(), user.Role(), Number(user, KeyClaim), Number(user, UserClaim), SessionId: Number(user, SessionClaim));

    internal static ClaimsPrincipal Of(Caller caller, string scheme)
    {
        var claims = new List<Claim> { new(ClaimTypes.Name, caller.Name), new(ClaimTypes.Role, EnumText<Role>.Of(caller.Role)) };
        if (caller.KeyId is { } key) claims.Add(new(KeyClaim, key.ToString(CultureInfo.InvariantCulture)));
        if (caller.UserId is { } user) claims.Add(new(UserClaim, user.ToString(CultureInfo.InvariantCulture)));
        if (caller.SessionId is { } session) claims.Add(new(SessionClaim, session.ToString(CultureInfo.InvariantCulture)));
        return new(new ClaimsIdentity(claims, scheme));
    }

    private static int? Number(ClaimsPrincipal user, string claim) =>
        user.FindFirstValue(claim) is { } text ? int.Parse(text, CultureInfo.InvariantCulture) : null;
}

/// <summary>Begins a session, and notes in the audit log that somebody came in, and how.</summary>
public sealed class BeginSession(IDbContextFactory<ImporterDb> contexts, IOptions<AccessOptions> options, TimeProvider clock)
{
    private const int LongestBrowser = 200;

    /// <summary>The caller with the session, to be kept in the browser's cookie.</summary>
    public async Task<Caller> RunAsync(Caller caller, string how, HttpContext context, CancellationToken cancellationToken)
    {
        var browser = context.Request.Headers.UserAgent.ToString();
        var address = context.Connection.RemoteIpAddress;
        var now = clock.GetUtcNow();
        var id = await contexts.ChangeAsync(async db =>
        {
            // What nothing can wake any more goes on the way.
            await db.Set<Session>().Where(Session.IsOver(options.Value, now)).ExecuteDeleteAsync(cancellationToken);
            await db.Set<User>().Where(u => u.Id == caller.UserId)
                .ExecuteUpdateAsync(set => set.SetProperty(u => u.SignedInAt, now), cancellationToken);
            var session = db.Add(new Session
            {
                KeyId = caller.KeyId,
                UserId = caller.UserId,
                Stamp = caller.Stamp,
                BeganAt = now,
                SeenAt = now,
                How = how,
                Address = (address is { IsIPv4MappedToIPv6: true } ? address.MapToIPv4() : address)?.ToString(),
                Browser = browser.Length == 0 ? null : browser[..Math.Min(browser.Length, LongestBrowser)].Replace('\0', ' '),
            }).Entity;
            db.Note(caller.Name, "signed_in", how);
            await db.SaveChangesAsync(cancellationToken);
            return session.Id;
        }, cancellationToken);
        return caller with { SessionId = id };
    }
}

/// <summary>
/// Whether a session may go on: its row is there and within its limits; its key is neither revoked nor expired; its person is not locked,
/// and has the security stamp of the day it began (a new password, another role or "sign out everywhere" give another one).
/// </summary>
public sealed class CheckSession(IDbContextFactory<ImporterDb> contexts, CheckKey keys, IOptions<AccessOptions> options, TimeProvider clock)
{
    /// <summary>
    /// What an open page asks for by itself, again and again: its live connection, when that is made anew or cannot be a WebSocket, and the
    /// numbers and imports of Hangfire's pages.
    /// </summary>
    private static readonly PathString[] AskedByPages = ["/_blazor", "/hangfire/stats", "/hangfire/imports/live"];

    // As with keys: a browser that loads a page would otherwise write its row twenty times.
    private static readonly TimeSpan NotedEvery = TimeSpan.FromMinutes(1);

    /// <param name="isUse">False for a look that nobody asked for: it does not keep an idle session alive.</param>
    public async Task<bool> IsLiveAsync(ClaimsPrincipal user, CancellationToken cancellationToken, bool isUse = true)
    {
        if (user.Identity is not { IsAuthenticated: true } identity) return false;
        var caller = user.Caller();
        // A program brings its key along each time.
        if (identity.AuthenticationType == KeyAuthentication.SchemeName)
            return caller.KeyId is { } key && await keys.IsLiveAsync(key, cancellationToken);
        if (caller.SessionId is not { } id) return false;
        var now = clock.GetUtcNow();
        await using var db = contexts.CreateDbContext();
        var found = await Live(db, now).Where(s => s.Id == id).Select(s => new { s.SeenAt, s.KeyId })
            .SingleOrDefaultAsync(cancellationToken);
        if (found is not null && isUse && now - found.SeenAt >= NotedEvery)
        {
            await db.Set<Session>().Where(s => s.Id == id)
                .ExecuteUpdateAsync(set => set.SetProperty(s => s.SeenAt, now), cancellationToken);
            if (found.KeyId is { } opener) await db.Set<ApiKey>().Where(k => k.Id == opener)
                .ExecuteUpdateAsync(set => set.SetProperty(k => k.LastUsedAt, now), cancellationToken);
        }
        return found is not null;
    }

    /// <summary>Sessions that may go on, the one that was used last first; at most 500.</summary>
    /// <param name="of">Only those of this person or key; null for all.</param>
    public async Task<IReadOnlyList<SessionView>> ListAsync(Caller? of, CancellationToken cancellationToken)
    {
        await using var db = contexts.CreateDbContext();
        var sessions = Live(db, clock.GetUtcNow());
        if (of is { KeyId: { } key }) sessions = sessions.Where(s => s.KeyId == key);
        else if (of is { UserId: { } user }) sessions = sessions.Where(s => s.UserId == user);
        return await sessions.OrderByDescending(s => s.SeenAt).ThenByDescending(s => s.Id).Take(500)
            .Select(s =>
                new SessionView(s.Id, s.KeyId == null
                    ? s.User!.UserName! : s.Key!.Name, s.KeyId, s.UserId, s.BeganAt, s.SeenAt, s.How, s.Address, s.Browser))
            .ToListAsync(cancellationToken);
    }

    private IQueryable<Session> Live(ImporterDb db, DateTimeOffset now)
    {
        var (began, seen) = (now - options.Value.SessionLifetime, now - options.Value.SessionIdle);
        return db.Set<Session>().Where(s => s.BeganAt > began && s.SeenAt > seen && (s.KeyId == null
            ? s.User!.LockedAt == null && s.User.SecurityStamp == s.Stamp
            : s.Key!.RevokedAt == null && (s.Key.ExpiresAt == null || s.Key.ExpiresAt > now)));
    }

    /// <summary>Asked at each request of a browser.</summary>
    internal static async Task ValidateAsync(CookieValidatePrincipalContext context)
    {
        if (context.Principal is not { } session) return;
        var isUse = !Array.Exists(AskedByPages, path => context.Request.Path.StartsWithSegments(path));
        if (await context.HttpContext.RequestServices.GetRequiredService<CheckSession>()
            .IsLiveAsync(session, context.HttpContext.RequestAborted, isUse)) return;
        context.RejectPrincipal();
        await context.HttpContext.SignOutAsync(CookieAuthenticationDefaults.AuthenticationScheme);
    }
}

/// <summary>A session as the pages show it.</summary>
/// <param name="Name">The person's, or the key's.</param>
/// <param name="SeenAt">To the minute.</param>
public sealed record SessionView(int Id, string Name, int? KeyId, int? UserId, DateTimeOffset BeganAt, DateTimeOffset SeenAt, string How,
    string? Address, string? Browser);

/// <summary>Ends one session: its cookie opens nothing any more, nor does any copy of it.</summary>
public sealed class EndSession(IDbContextFactory<ImporterDb> contexts)
{
    public Task OwnAsync(Caller caller, CancellationToken cancellationToken) =>
        RunAsync(caller.SessionId ?? 0, caller, "signed_out", cancellationToken);

    /// <summary>Ends a session of the caller, or anybody's when the caller is an admin; any other is left alone.</summary>
    public Task RunAsync(int sessionId, Caller caller, CancellationToken cancellationToken) =>
        RunAsync(sessionId, caller, "session_ended", cancellationToken);

    private Task<bool> RunAsync(int sessionId, Caller caller, string action, CancellationToken cancellationToken) =>
        contexts.ChangeAsync(async db =>
    {
        var (isAdmin, key, user) = (caller.Role == Role.Admin, caller.KeyId ?? 0, caller.UserId ?? 0);
        var session = await db.Set<Session>().Include(s => s.Key).Include(s => s.User)
            .SingleOrDefaultAsync(s => s.Id == sessionId && (isAdmin || s.KeyId == key || s.UserId == user), cancellationToken);
        if (session is null) return false;
        db.Remove(session);
        db.Note(caller.Name, action, session.Key?.Name ?? session.User?.UserName);
        await db.SaveChangesAsync(cancellationToken);
        return true;
    }, cancellationToken);
}
