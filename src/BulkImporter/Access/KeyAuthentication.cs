using System.Globalization;
using System.Security.Claims;
using System.Text.Encodings.Web;
using BulkImporter.Data;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.Extensions.Options;

namespace BulkImporter.Access;

/// <summary><c>Authorization: Bearer KEY</c>.</summary>
internal sealed class KeyAuthentication(
    IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory loggers, UrlEncoder encoder, CheckKey keys)
    : AuthenticationHandler<AuthenticationSchemeOptions>(options, loggers, encoder)
{
    public const string SchemeName = "Key";

    private const string Bearer = "Bearer ";

    public static bool IsUsedBy(HttpRequest request) => request.Headers.ContainsKey("Authorization");

    protected override async Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        var header = Request.Headers.Authorization.ToString();
        if (!header.StartsWith(Bearer, StringComparison.OrdinalIgnoreCase)) return AuthenticateResult.NoResult();
        var caller = await keys.RunAsync(header[Bearer.Length..].Trim(), Context.RequestAborted);
        return caller is null
            ? AuthenticateResult.Fail("The API key is unknown, expired or revoked.")
            : AuthenticateResult.Success(new AuthenticationTicket(Identities.Of(caller, SchemeName), SchemeName));
    }

    protected override Task HandleChallengeAsync(AuthenticationProperties properties)
    {
        Response.Headers.WWWAuthenticate = "Bearer";
        return base.HandleChallengeAsync(properties);
    }
}

/// <summary>What a signed-in caller carries: a name for the audit log, a role, and the key that opened the session.</summary>
public static class Identities
{
    private const string KeyClaim = "key";

    /// <summary>Who acts, for the audit log.</summary>
    public static string Actor(this ClaimsPrincipal user) => user.Identity?.Name ?? throw new InvalidOperationException("Nobody is signed in.");

    public static Role Role(this ClaimsPrincipal user) =>
        EnumText<Role>.Parse(user.FindFirstValue(ClaimTypes.Role) ?? throw new InvalidOperationException("Nobody is signed in."));

    internal static ClaimsPrincipal Of(Caller caller, string scheme) => Of(caller.Name, caller.Role, scheme, new Claim(KeyClaim, caller.KeyId.ToString(CultureInfo.InvariantCulture)));

    internal static ClaimsPrincipal OfLink(Role role) => Of($"{EnumText<Role>.Of(role)} by sign-in link", role, CookieAuthenticationDefaults.AuthenticationScheme);

    /// <summary>A session ends with the key that opened it.</summary>
    internal static async Task EndWithKeyAsync(CookieValidatePrincipalContext context)
    {
        if (context.Principal is not { } user) return;
        if (await IsLiveAsync(user, context.HttpContext.RequestServices.GetRequiredService<CheckKey>(), context.HttpContext.RequestAborted)) return;
        context.RejectPrincipal();
        await context.HttpContext.SignOutAsync(CookieAuthenticationDefaults.AuthenticationScheme);
    }

    /// <summary>False when the key that opened the session was revoked or has expired. A session of a sign-in link has none.</summary>
    internal static async Task<bool> IsLiveAsync(ClaimsPrincipal user, CheckKey keys, CancellationToken cancellationToken) =>
        user.FindFirstValue(KeyClaim) is not { } key || await keys.IsLiveAsync(int.Parse(key, CultureInfo.InvariantCulture), cancellationToken);

    private static ClaimsPrincipal Of(string name, Role role, string scheme, params Claim[] more) =>
        new(new ClaimsIdentity([new Claim(ClaimTypes.Name, name), new Claim(ClaimTypes.Role, EnumText<Role>.Of(role)), .. more], scheme));
}
