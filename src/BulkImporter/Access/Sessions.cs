using System.Globalization;
using System.Security.Claims;
using BulkImporter.Data;
using BulkImporter.Manifests;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.Extensions.Options;
using Npgsql;

namespace BulkImporter.Access;

/// <summary>What a signed-in caller carries: a name for the audit log, a role, the key or the person that the session ends with, and the session's row.</summary>
public static class Identities
{
    private const string KeyClaim = "key";
    private const string UserClaim = "user";
    private const string SessionClaim = "session";

    /// <summary>Who acts, for the audit log.</summary>
    public static string Actor(this ClaimsPrincipal user) => user.Identity?.Name ?? throw new InvalidOperationException("Nobody is signed in.");

    public static Role Role(this ClaimsPrincipal user) =>
        EnumText<Role>.Parse(user.FindFirstValue(ClaimTypes.Role) ?? throw new InvalidOperationException("Nobody is signed in."));

    public static Caller Caller(this ClaimsPrincipal user) => new(user.Actor(), user.Role(), Number(user, KeyClaim), Number(user, UserClaim), SessionId: Number(user, SessionClaim));

    internal static ClaimsPrincipal Of(Caller caller, string scheme)
    {
        var claims = new List<Claim> { new(ClaimTypes.Name, caller.Name), new(ClaimTypes.Role, EnumText<Role>.Of(caller.Role)) };
        if (caller.KeyId is { } key) claims.Add(new(KeyClaim, key.ToString(CultureInfo.InvariantCulture)));
        if (caller.UserId is { } user) claims.Add(new(UserClaim, user.ToString(CultureInfo.InvariantCulture)));
        if (caller.SessionId is { } session) claims.Add(new(SessionClaim, session.ToString(CultureInfo.InvariantCulture)));
        return new(new ClaimsIdentity(claims, scheme));
    }

    private static int? Number(ClaimsPrincipal user, string claim) => user.FindFirstValue(claim) is { } text ? int.Parse(text, CultureInfo.InvariantCulture) : null;
}

/// <summary>Begins a session, and notes in the audit log that somebody came in, and how.</summary>
public sealed class BeginSession(NpgsqlDataSource database, IOptions<AccessOptions> options)
{
    private const int LongestBrowser = 200;

    // What nothing can wake any more goes on the way.
    private const string Begin = """
        WITH seen AS (UPDATE importer.app_user SET signed_in_at = now() WHERE id = $2), noted AS (
            INSERT INTO importer.audit_entry (at, actor, action, detail) VALUES (now(), $4, 'signed_in', $5)
        ), over AS (
            DELETE FROM importer.session WHERE began_at < now() - $8 OR seen_at < now() - $9
        )
        INSERT INTO importer.session (key_id, user_id, stamp, began_at, seen_at, how, address, browser) VALUES ($1, $2, $3, now(), now(), $5, $6, $7) RETURNING id
        """;

    /// <summary>The caller with the session, to be kept in the browser's cookie.</summary>
    public async Task<Caller> RunAsync(Caller caller, string how, HttpContext context, CancellationToken cancellationToken)
    {
        var browser = context.Request.Headers.UserAgent.ToString();
        var address = context.Connection.RemoteIpAddress;
        var id = await database.QueryAsync(Begin, r => r.GetInt32(0), cancellationToken,
            caller.KeyId, caller.UserId, caller.Stamp, caller.Name, how, (address is { IsIPv4MappedToIPv6: true } ? address.MapToIPv4() : address)?.ToString(),
            browser.Length == 0 ? null : browser[..Math.Min(browser.Length, LongestBrowser)].Replace('\0', ' '), options.Value.SessionLifetime, options.Value.SessionIdle);
        return caller with { SessionId = id[0] };
    }
}

/// <summary>
/// Whether a session may go on: its row is there and within its limits; its key is neither revoked nor expired; its person is not locked, and has the
/// security stamp of the day it began (a new password, another role or "sign out everywhere" give another one).
/// </summary>
public sealed class CheckSession(NpgsqlDataSource database, CheckKey keys, IOptions<AccessOptions> options)
{
    private const string Live = $"""
        s.began_at > now() - $1 AND s.seen_at > now() - $2
        AND CASE WHEN s.key_id IS NULL THEN u.locked_at IS NULL AND u.security_stamp = s.stamp ELSE {CheckKey.Live} END
        """;

    private const string From = "FROM importer.session s LEFT JOIN importer.api_key k ON k.id = s.key_id LEFT JOIN importer.app_user u ON u.id = s.user_id";

    // To the minute, as with keys: a browser that loads a page would otherwise write its row twenty times.
    private const string Find = $"SELECT s.seen_at < now() - interval '1 minute' {From} WHERE s.id = $3 AND {Live}";

    private const string Seen = """
        WITH seen AS (UPDATE importer.session SET seen_at = now() WHERE id = $1 RETURNING key_id)
        UPDATE importer.api_key SET last_used_at = now() WHERE id = (SELECT key_id FROM seen)
        """;

    private const string List = $"""
        SELECT s.id, coalesce(k.name, u.user_name), s.key_id, s.user_id, s.began_at, s.seen_at, s.how, s.address, s.browser {From}
        WHERE {Live} AND ($3::int IS NULL AND $4::int IS NULL OR s.key_id = $3 OR s.user_id = $4) ORDER BY s.seen_at DESC, s.id DESC LIMIT 500
        """;

    /// <param name="isUse">False for a look that nobody asked for: it does not keep an idle session alive.</param>
    public async Task<bool> IsLiveAsync(ClaimsPrincipal user, CancellationToken cancellationToken, bool isUse = true)
    {
        if (user.Identity is not { IsAuthenticated: true } identity) return false;
        var caller = user.Caller();
        // A program brings its key along each time.
        if (identity.AuthenticationType == KeyAuthentication.SchemeName) return caller.KeyId is { } key && await keys.IsLiveAsync(key, cancellationToken);
        if (caller.SessionId is not { } id) return false;
        var found = await database.QueryAsync(Find, r => r.GetBoolean(0), cancellationToken, options.Value.SessionLifetime, options.Value.SessionIdle, id);
        if (found is [true] && isUse) await database.ExecuteAsync(Seen, cancellationToken, id);
        return found is [_];
    }

    /// <summary>Sessions that may go on, the one that was used last first; at most 500.</summary>
    /// <param name="of">Only those of this person or key; null for all.</param>
    public async Task<IReadOnlyList<SessionView>> ListAsync(Caller? of, CancellationToken cancellationToken) => await database.QueryAsync(
        List,
        r => new SessionView(r.GetInt32(0), r.GetString(1), r.Number(2), r.Number(3), r.GetFieldValue<DateTimeOffset>(4), r.GetFieldValue<DateTimeOffset>(5), r.GetString(6), r.Text(7), r.Text(8)),
        cancellationToken, options.Value.SessionLifetime, options.Value.SessionIdle, of?.KeyId, of?.UserId);

    /// <summary>Asked at each request of a browser.</summary>
    internal static async Task ValidateAsync(CookieValidatePrincipalContext context)
    {
        if (context.Principal is not { } session) return;
        if (await context.HttpContext.RequestServices.GetRequiredService<CheckSession>().IsLiveAsync(session, context.HttpContext.RequestAborted)) return;
        context.RejectPrincipal();
        await context.HttpContext.SignOutAsync(CookieAuthenticationDefaults.AuthenticationScheme);
    }
}

/// <summary>A session as the pages show it.</summary>
/// <param name="Name">The person's, or the key's.</param>
/// <param name="SeenAt">To the minute.</param>
public sealed record SessionView(int Id, string Name, int? KeyId, int? UserId, DateTimeOffset BeganAt, DateTimeOffset SeenAt, string How, string? Address, string? Browser);

/// <summary>Ends one session: its cookie opens nothing any more, nor does any copy of it.</summary>
public sealed class EndSession(NpgsqlDataSource database)
{
    private const string End = """
        WITH ended AS (DELETE FROM importer.session WHERE id = $1 AND ($2 OR key_id = $3 OR user_id = $4) RETURNING key_id, user_id)
        INSERT INTO importer.audit_entry (at, actor, action, detail)
        SELECT now(), $5, $6, coalesce((SELECT name FROM importer.api_key WHERE id = key_id), (SELECT user_name FROM importer.app_user WHERE id = user_id)) FROM ended
        """;

    /// <summary>Signs the caller out.</summary>
    public Task OwnAsync(Caller caller, CancellationToken cancellationToken) => RunAsync(caller.SessionId ?? 0, caller, "signed_out", cancellationToken);

    /// <summary>Ends a session of the caller, or anybody's when the caller is an admin; any other is left alone.</summary>
    public Task RunAsync(int sessionId, Caller caller, CancellationToken cancellationToken) => RunAsync(sessionId, caller, "session_ended", cancellationToken);

    private Task<int> RunAsync(int sessionId, Caller caller, string action, CancellationToken cancellationToken) =>
        database.ExecuteAsync(End, cancellationToken, sessionId, caller.Role == Role.Admin, caller.KeyId, caller.UserId, caller.Name, action);
}
