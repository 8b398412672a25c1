using System.Globalization;
using System.Security.Claims;
using BulkImporter.Data;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;
using Npgsql;

namespace BulkImporter.Access;

/// <summary>What a signed-in caller carries: a name for the audit log, a role, and the key or the person that the session ends with.</summary>
public static class Identities
{
    private const string KeyClaim = "key";
    private const string UserClaim = "user";
    private const string StampClaim = "stamp";

    /// <summary>Who acts, for the audit log.</summary>
    public static string Actor(this ClaimsPrincipal user) => user.Identity?.Name ?? throw new InvalidOperationException("Nobody is signed in.");

    public static Role Role(this ClaimsPrincipal user) =>
        EnumText<Role>.Parse(user.FindFirstValue(ClaimTypes.Role) ?? throw new InvalidOperationException("Nobody is signed in."));

    public static Caller Caller(this ClaimsPrincipal user) => new(user.Actor(), user.Role(), Number(user, KeyClaim), Number(user, UserClaim), user.FindFirstValue(StampClaim));

    internal static ClaimsPrincipal Of(Caller caller, string scheme)
    {
        var claims = new List<Claim> { new(ClaimTypes.Name, caller.Name), new(ClaimTypes.Role, EnumText<Role>.Of(caller.Role)) };
        if (caller.KeyId is { } key) claims.Add(new(KeyClaim, key.ToString(CultureInfo.InvariantCulture)));
        if (caller.UserId is { } user) claims.Add(new(UserClaim, user.ToString(CultureInfo.InvariantCulture)));
        if (caller.Stamp is { } stamp) claims.Add(new(StampClaim, stamp));
        return new(new ClaimsIdentity(claims, scheme));
    }

    private static int? Number(ClaimsPrincipal user, string claim) => user.FindFirstValue(claim) is { } text ? int.Parse(text, CultureInfo.InvariantCulture) : null;
}

/// <summary>
/// Whether a session may go on: its key is neither revoked nor expired; its person is there, not locked, and has the security stamp of the
/// day it began (a new password, another role or "sign out everywhere" give another one).
/// </summary>
public sealed class CheckSession(NpgsqlDataSource database, CheckKey keys)
{
    private const string IsStill = "SELECT 1 FROM importer.app_user WHERE id = $1 AND security_stamp = $2 AND locked_at IS NULL";

    public async Task<bool> IsLiveAsync(ClaimsPrincipal session, CancellationToken cancellationToken) => session.Caller() switch
    {
        { KeyId: { } key } => await keys.IsLiveAsync(key, cancellationToken),
        { UserId: { } user, Stamp: { } stamp } => await database.QueryAsync(IsStill, r => r.GetInt32(0), cancellationToken, user, stamp) is [_],
        _ => false,
    };

    /// <summary>Asked at each request of a browser.</summary>
    internal static async Task ValidateAsync(CookieValidatePrincipalContext context)
    {
        if (context.Principal is not { } session) return;
        if (await context.HttpContext.RequestServices.GetRequiredService<CheckSession>().IsLiveAsync(session, context.HttpContext.RequestAborted)) return;
        context.RejectPrincipal();
        await context.HttpContext.SignOutAsync(CookieAuthenticationDefaults.AuthenticationScheme);
    }
}

/// <summary>Notes in the audit log that somebody came in, and how.</summary>
public sealed class NoteSignIn(NpgsqlDataSource database)
{
    private const string Note = """
        WITH seen AS (UPDATE importer.app_user SET signed_in_at = now() WHERE id = $1)
        INSERT INTO importer.audit_entry (at, actor, action, detail) VALUES (now(), $2, 'signed_in', $3)
        """;

    public Task RunAsync(Caller caller, string how, CancellationToken cancellationToken) => database.ExecuteAsync(Note, cancellationToken, caller.UserId, caller.Name, how);
}
