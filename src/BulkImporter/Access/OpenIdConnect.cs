using System.Security.Claims;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.AspNetCore.Authentication.OpenIdConnect;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.IdentityModel.Protocols.OpenIdConnect;

namespace BulkImporter.Access;

/// <summary>People can also sign in with an identity provider, which says what role they have. Off without an authority.</summary>
public sealed class ProviderOptions
{
    public const string Section = "BulkImporter:OpenIdConnect";

    /// <summary>The provider's URL, under which <c>.well-known/openid-configuration</c> is. https, unless it is on this machine.</summary>
    public Uri? Authority { get; set; }

    /// <summary>The id of this application at the provider.</summary>
    public string? ClientId { get; set; }

    /// <summary>A secret: best kept in a file.</summary>
    public string? ClientSecret { get; set; }

    /// <summary>The provider's name on the sign-in button.</summary>
    public string Name { get; set; } = "single sign-on";

    /// <summary>Requested in addition to <c>openid</c> and <c>profile</c>.</summary>
    public IList<string> Scopes { get; init; } = [];

    /// <summary>
    /// The claim of the ID token that names the person here. Letters, digits, <c>.</c>, <c>-</c>, <c>_</c>, <c>@</c> and <c>+</c> only.
    /// </summary>
    public string NameClaim { get; set; } = "preferred_username";

    /// <summary>The claim of the ID token that says what the person may do, once or several times.</summary>
    public string RoleClaim { get; set; } = "roles";

    /// <summary>Values of the claim that make an admin; <c>*</c> is everybody.</summary>
    public IList<string> Admins { get; init; } = [];

    /// <summary>Values that make an operator. The highest role counts.</summary>
    public IList<string> Operators { get; init; } = [];

    /// <summary>Values that make a viewer.</summary>
    public IList<string> Viewers { get; init; } = [];

    /// <summary>The highest role that any of the values gives; null for none.</summary>
    internal Role? RoleOf(IEnumerable<string> values)
    {
        var given = values.ToHashSet(StringComparer.Ordinal);
        return Gives(Admins) ? Role.Admin : Gives(Operators) ? Role.Operator : Gives(Viewers) ? Role.Viewer : null;

        bool Gives(IList<string> names) => names.Any(name => name == "*" || given.Contains(name));
    }
}

/// <summary>What became of somebody whom the provider knows.</summary>
public enum ProviderRefusal
{
    /// <summary>The provider, or the way to it, failed.</summary>
    Failed,

    /// <summary>None of the person's values gives a role here.</summary>
    NoRole,

    /// <summary>The name cannot be one here.</summary>
    NoName,

    /// <summary>Somebody else has the name here; nobody is taken for somebody by a name alone.</summary>
    NameTaken,

    /// <summary>An admin has locked the person.</summary>
    Locked,
}

/// <summary>
/// Lets somebody in whom the provider knows: known again by issuer and subject, never by name, and with the role that the provider says
/// today.
/// </summary>
public sealed class EnterByProvider(IDbContextFactory<ImporterDb> contexts, IOptions<ProviderOptions> options, TimeProvider clock)
{
    private const int LongestIdentity = 600;

    /// <summary>The caller, or why it is none. Whoever has lost every role there is signed out here, too.</summary>
    public async Task<(Caller? Caller, ProviderRefusal? Refusal)> RunAsync(ClaimsPrincipal person, CancellationToken cancellationToken)
    {
        var settings = options.Value;
        if (person.FindFirstValue("iss") is not { } issuer || person.FindFirstValue("sub") is not { } subject)
            return (null, ProviderRefusal.Failed);
        // The two are a key: OpenID Connect gives a subject at most 255 characters.
        if (issuer.Length + subject.Length > LongestIdentity) return (null, ProviderRefusal.Failed);
        var foreignId = $"{issuer} {subject}";
        if (settings.RoleOf(person.FindAll(settings.RoleClaim).Select(c => c.Value)) is not { } role)
        {
            await EndSessions.RunAsync(contexts, u => u.ForeignId == foreignId, "the provider no longer gives a role", cancellationToken);
            return (null, ProviderRefusal.NoRole);
        }
        var name = person.FindFirstValue(settings.NameClaim) ?? "";
        return UserName.IsOne(name)
            ? await contexts.ChangeAsync(db => EnterAsync(db, foreignId, name, role, cancellationToken), cancellationToken)
            : (null, ProviderRefusal.NoName);
    }

    private async Task<(Caller? Caller, ProviderRefusal? Refusal)> EnterAsync(ImporterDb db, string foreignId, string name, Role role,
        CancellationToken cancellationToken)
    {
        var user = await db.Set<User>().SingleOrDefaultAsync(u => u.ForeignId == foreignId, cancellationToken);
        if (user is null)
        {
            if (await db.Set<User>().AnyAsync(u => u.NormalizedUserName == UserName.Normal(name), cancellationToken))
                return (null, ProviderRefusal.NameTaken);
            user = db.Add(User.New(name, role, clock.GetUtcNow(), foreignId)).Entity;
            db.Note(name, "user_added", $"{name} ({EnumText<Role>.Of(role)}), by the provider");
        }
        else if (user.Role != role)
        {
            // As when an admin changes it.
            user.EndSessions();
            user.Role = role;
            db.Note(user.UserName!, "user_changed", $"{user.UserName} ({EnumText<Role>.Of(role)}), by the provider");
        }
        await db.SaveChangesAsync(cancellationToken);
        return user.LockedAt is null ? (Passwords.Caller(user), null) : (null, ProviderRefusal.Locked);
    }
}

public static class OpenIdConnectSetup
{
    public const string Scheme = "provider";

    internal const string CallbackPath = "/sign-in/provider/back";

    /// <summary>The provider's scheme, when the settings name one. It ends in the same session as every other way in.</summary>
    internal static void AddProvider(this IServiceCollection services)
    {
        services.AddOptions<ProviderOptions>().BindConfiguration(ProviderOptions.Section)
            .Validate(o => o.Authority is null
                || (o.Authority.IsAbsoluteUri && (o.Authority.Scheme == Uri.UriSchemeHttps || o.Authority.IsLoopback)
                    && !string.IsNullOrEmpty(o.ClientId)),
                "BulkImporter:OpenIdConnect:Authority must be an https address, and ClientId must be set with it.")
            .Validate(o => o.Authority is null || o.Admins.Count + o.Operators.Count + o.Viewers.Count > 0,
                "BulkImporter:OpenIdConnect: say which values of the claim make Admins, Operators or Viewers. Otherwise nobody can sign "
                    + "in.")
            .ValidateOnStart();
        services.AddSingleton<EnterByProvider>();
        services.AddTransient<OpenIdConnectHandler>();
        services.TryAddEnumerable(
            ServiceDescriptor.Singleton<IPostConfigureOptions<OpenIdConnectOptions>, OpenIdConnectPostConfigureOptions>());
        services.AddOptions<AuthenticationOptions>().Configure<IOptions<ProviderOptions>>((authentication, provider) =>
        {
            if (provider.Value.Authority is not null) authentication.AddScheme<OpenIdConnectHandler>(Scheme, provider.Value.Name);
        });
        services.AddOptions<OpenIdConnectOptions>(Scheme)
            .Configure<IOptions<ProviderOptions>>((o, provider) => Configure(o, provider.Value));
    }

    private static void Configure(OpenIdConnectOptions o, ProviderOptions provider)
    {
        (o.Authority, o.ClientId, o.ClientSecret) = (provider.Authority?.AbsoluteUri, provider.ClientId, provider.ClientSecret);
        o.RequireHttpsMetadata = provider.Authority is not { IsLoopback: true };
        o.SignInScheme = CookieAuthenticationDefaults.AuthenticationScheme;
        o.CallbackPath = CallbackPath;
        o.MapInboundClaims = false;
        // The answer comes as a link, not as a form from another site: our cookies then need not be open to other sites' forms.
        (o.ResponseType, o.ResponseMode, o.UsePkce) = (OpenIdConnectResponseType.Code, OpenIdConnectResponseMode.Query, true);
        foreach (var cookie in new[] { o.NonceCookie, o.CorrelationCookie })
            (cookie.SameSite, cookie.SecurePolicy) = (SameSiteMode.Lax, CookieSecurePolicy.SameAsRequest);
        foreach (var scope in provider.Scopes) o.Scope.Add(scope);
        o.Events.OnTokenValidated = EnterAsync;
        o.Events.OnRemoteFailure = context =>
        {
            Log.ProviderFailed(context.HttpContext.RequestServices.GetRequiredService<ILogger<EnterByProvider>>(), context.Failure?.Message
                ?? "no reason");
            return Refuse(context, ProviderRefusal.Failed);
        };
    }

    private static async Task EnterAsync(TokenValidatedContext context)
    {
        var services = context.HttpContext.RequestServices;
        var (caller, refusal) = await services.GetRequiredService<EnterByProvider>()
            .RunAsync(context.Principal!, context.HttpContext.RequestAborted);
        if (caller is null)
        {
            await Refuse(context, refusal!.Value);
            return;
        }
        var entered = await services.GetRequiredService<BeginSession>()
            .RunAsync(caller, $"by {services.GetRequiredService<IOptions<ProviderOptions>>().Value.Name}", context.HttpContext,
                context.HttpContext.RequestAborted);
        context.Principal = Identities.Of(entered, CookieAuthenticationDefaults.AuthenticationScheme);
        context.Properties!.IsPersistent = true;
    }

    private static Task Refuse<T>(HandleRequestContext<T> context, ProviderRefusal refusal)
        where T : AuthenticationSchemeOptions
    {
        context.Response.Redirect($"{context.Request.PathBase}/sign-in?refused={EnumText<ProviderRefusal>.Of(refusal)}");
        context.HandleResponse();
        return Task.CompletedTask;
    }
}
