using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authorization;

namespace BulkImporter.Access;

/// <summary><c>Authorization: Bearer KEY</c>.</summary>
internal sealed class KeyAuthentication(
    IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory loggers, UrlEncoder encoder, CheckKey keys, Guesses guesses)
    : AuthenticationHandler<AuthenticationSchemeOptions>(options, loggers, encoder)
{
    public const string SchemeName = "Key";

    private const string Bearer = "Bearer ";

    public static bool IsUsedBy(HttpRequest request) => request.Headers.ContainsKey("Authorization");

    protected override async Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        var header = Request.Headers.Authorization.ToString();
        if (!header.StartsWith(Bearer, StringComparison.OrdinalIgnoreCase)) return AuthenticateResult.NoResult();
        // Doors that are open have secrets of their own, as /metrics has: what is presented there is no wrong key.
        var isOpen = Context.GetEndpoint()?.Metadata.GetMetadata<IAllowAnonymous>() is not null;
        if (!isOpen && !guesses.MayTry(Context)) return AuthenticateResult.Fail("Too many wrong keys came from this address.");
        var caller = await keys.RunAsync(header[Bearer.Length..].Trim(), Context.RequestAborted);
        if (caller is null && !isOpen) guesses.Wrong(Context);
        return caller is null
            ? AuthenticateResult.Fail("The API key is unknown, expired or revoked.")
            : AuthenticateResult.Success(new AuthenticationTicket(Identities.Of(caller, SchemeName), SchemeName));
    }

    protected override Task HandleChallengeAsync(AuthenticationProperties properties)
    {
        if (Response.StatusCode == StatusCodes.Status429TooManyRequests) return Task.CompletedTask;
        Response.Headers.WWWAuthenticate = "Bearer";
        return base.HandleChallengeAsync(properties);
    }
}
