using System.Collections.Concurrent;
using System.Security.Claims;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace BulkImporter.Tests.Access;

/// <summary>
/// An OpenID provider on this machine where somebody is signed in already: it sends everybody straight back, and checks what a client owes
/// it.
/// </summary>
internal sealed class IdentityProvider : IAsyncDisposable
{
    public const string ClientId = "bulkimporter";
    public const string ClientSecret = "cl1ent-s3cret";

    private readonly RSA rsa = RSA.Create(2048);
    private readonly ConcurrentDictionary<string, (string Nonce, string Challenge)> codes = [];
    private readonly WebApplication app;

    private IdentityProvider(WebApplication app) => this.app = app;

    /// <summary>Who is signed in there.</summary>
    public List<Claim> Person { get; } = [];

    public string Address => app.Urls.Single();

    public static async Task<IdentityProvider> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Logging.ClearProviders();
        var provider = new IdentityProvider(builder.Build());
        provider.Map();
        await provider.app.StartAsync();
        return provider;
    }

    public async ValueTask DisposeAsync()
    {
        await app.DisposeAsync();
        rsa.Dispose();
    }

    private void Map()
    {
        var key = new RsaSecurityKey(rsa) { KeyId = "k1" };
        app.MapGet("/.well-known/openid-configuration", () => Results.Json(new Dictionary<string, object>
        {
            ["issuer"] = Address,
            ["authorization_endpoint"] = $"{Address}/authorize",
            ["token_endpoint"] = $"{Address}/token",
            ["jwks_uri"] = $"{Address}/keys",
        }));
        app.MapGet("/keys", () =>
        {
            var jwk = JsonWebKeyConverter.ConvertFromRSASecurityKey(new RsaSecurityKey(rsa.ExportParameters(false)) { KeyId = "k1" });
            return Results.Json(new { keys = new[] { new { kty = jwk.Kty, kid = jwk.Kid, use = "sig", n = jwk.N, e = jwk.E } } });
        });
        app.MapGet("/authorize", (string client_id, string redirect_uri, string state, string nonce, string code_challenge,
            string response_type, string scope) =>
        {
            if (client_id != ClientId || response_type != "code" || !scope.Split(' ').Contains("openid")) return Results.BadRequest();
            var code = Guid.NewGuid().ToString("N");
            codes[code] = (nonce, code_challenge);
            return Results.Redirect($"{redirect_uri}?code={code}&state={Uri.EscapeDataString(state)}");
        });
        app.MapPost("/token", async (HttpRequest request) =>
        {
            var form = await request.ReadFormAsync();
            var proof = Base64UrlEncoder.Encode(SHA256.HashData(Encoding.ASCII.GetBytes(form["code_verifier"].ToString())));
            // A code works once, for the client that can prove that it asked for it.
            if (!codes.TryRemove(form["code"].ToString(), out var asked) || asked.Challenge != proof || form["client_id"] != ClientId
                || form["client_secret"] != ClientSecret)
                return Results.Json(new { error = "invalid_grant" }, statusCode: 400);
            var token = new JsonWebTokenHandler().CreateToken(new SecurityTokenDescriptor
            {
                Issuer = Address,
                Audience = ClientId,
                Subject = new ClaimsIdentity([.. Person, new("nonce", asked.Nonce)]),
                Expires = DateTime.UtcNow.AddMinutes(5),
                SigningCredentials = new SigningCredentials(key, SecurityAlgorithms.RsaSha256),
            });
            return Results.Json(new { access_token = "unused", token_type = "Bearer", id_token = token });
        });
    }
}
