using System.Globalization;
using System.Threading.RateLimiting;
using BulkImporter.Data;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.AspNetCore.Authorization;
using Microsoft.Extensions.Options;

namespace BulkImporter.Access;

/// <summary>The names of the authorization policies: each lets its role and the ones above in.</summary>
public static class Policy
{
    public const string Viewer = "viewer";
    public const string Operator = "operator";
    public const string Admin = "admin";
}

/// <summary><c>BulkImporter:Access</c>.</summary>
public sealed class AccessOptions
{
    public const string Section = "BulkImporter:Access";

    /// <summary>Sign-in attempts per minute and address. Default 10.</summary>
    public int SignInsPerMinute { get; set; } = 10;
}

public static class AccessSetup
{
    internal const string SignInLimit = "sign-in";

    private const string ByHeaderOrCookie = "HeaderOrCookie";

    /// <summary>Keys, sessions and roles. Nothing is open without one of them unless it says so.</summary>
    public static IServiceCollection AddAccess(this IServiceCollection services)
    {
        services.AddOptions<AccessOptions>().BindConfiguration(AccessOptions.Section)
            .Validate(o => o.SignInsPerMinute > 0, "BulkImporter:Access:SignInsPerMinute must be greater than 0.")
            .ValidateOnStart();
        services
            .AddSingleton<MakeKey>()
            .AddSingleton<RevokeKey>()
            .AddSingleton<ReadKeys>()
            .AddSingleton<CheckKey>()
            .AddSingleton<FirstKey>()
            .AddSingleton<MakeSignInLink>()
            .AddSingleton<UseSignInLink>()
            .AddSingleton<ReadAudit>();

        services.AddAuthentication(ByHeaderOrCookie)
            .AddPolicyScheme(ByHeaderOrCookie, null, o => o.ForwardDefaultSelector = context =>
                KeyAuthentication.IsUsedBy(context.Request) ? KeyAuthentication.SchemeName : CookieAuthenticationDefaults.AuthenticationScheme)
            .AddScheme<AuthenticationSchemeOptions, KeyAuthentication>(KeyAuthentication.SchemeName, null)
            .AddCookie(Cookie);

        services.AddAuthorizationBuilder()
            .AddPolicy(Policy.Viewer, p => p.RequireRole(RolesFrom(Role.Viewer)))
            .AddPolicy(Policy.Operator, p => p.RequireRole(RolesFrom(Role.Operator)))
            .AddPolicy(Policy.Admin, p => p.RequireRole(RolesFrom(Role.Admin)))
            .SetFallbackPolicy(new AuthorizationPolicyBuilder().RequireAuthenticatedUser().Build());

        services.AddAntiforgery();
        services.AddRateLimiter(o =>
        {
            o.RejectionStatusCode = StatusCodes.Status429TooManyRequests;
            o.AddPolicy(SignInLimit, context => RateLimitPartition.GetFixedWindowLimiter(
                context.Connection.RemoteIpAddress?.ToString() ?? "",
                _ => new FixedWindowRateLimiterOptions
                {
                    PermitLimit = context.RequestServices.GetRequiredService<IOptions<AccessOptions>>().Value.SignInsPerMinute,
                    Window = TimeSpan.FromMinutes(1),
                }));
            o.OnRejected = (context, _) =>
            {
                if (context.Lease.TryGetMetadata(MetadataName.RetryAfter, out var wait))
                    context.HttpContext.Response.Headers.RetryAfter = ((int)Math.Ceiling(wait.TotalSeconds)).ToString(CultureInfo.InvariantCulture);
                return ValueTask.CompletedTask;
            };
        });
        return services;
    }

    private static IEnumerable<string> RolesFrom(Role least) => Enum.GetValues<Role>().Where(r => r >= least).Select(EnumText<Role>.Of);

    private static void Cookie(CookieAuthenticationOptions o)
    {
        o.Cookie.Name = "bulkimporter";
        o.Cookie.HttpOnly = true;
        o.Cookie.SameSite = SameSiteMode.Lax;
        o.Cookie.SecurePolicy = CookieSecurePolicy.SameAsRequest;
        o.LoginPath = "/sign-in";
        o.AccessDeniedPath = "/sign-in";
        o.ExpireTimeSpan = TimeSpan.FromDays(7);
        o.Events.OnValidatePrincipal = Identities.EndWithKeyAsync;
        // A program that calls the API wants a status, not a page.
        o.Events.OnRedirectToLogin = context => RedirectPagesOnly(context, StatusCodes.Status401Unauthorized);
        o.Events.OnRedirectToAccessDenied = context => RedirectPagesOnly(context, StatusCodes.Status403Forbidden);
    }

    private static Task RedirectPagesOnly(RedirectContext<CookieAuthenticationOptions> context, int status)
    {
        if (status == StatusCodes.Status401Unauthorized && !context.Request.Path.StartsWithSegments("/api")) context.Response.Redirect(context.RedirectUri);
        else context.Response.StatusCode = status;
        return Task.CompletedTask;
    }
}
