using System.Text.Encodings.Web;
using BulkImporter.Data;
using BulkImporter.Manifests;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Identity;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.Extensions.DependencyInjection.Extensions;
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

    /// <summary>Sign-in attempts per minute and address (of IPv6 a /64 network), and as many wrong API keys, tokens and webhook addresses. Default 10.</summary>
    public int SignInsPerMinute { get; set; } = 10;

    /// <summary>Wrong passwords in a row that lock a person out. Default 5.</summary>
    public int WrongPasswordsThatLockOut { get; set; } = 5;

    /// <summary>How long a lockout lasts. Default 15 minutes.</summary>
    public TimeSpan Lockout { get; set; } = TimeSpan.FromMinutes(15);

    /// <summary>How long a browser stays signed in at most, however busy it is. Default 7 days.</summary>
    public TimeSpan SessionLifetime { get; set; } = TimeSpan.FromDays(7);

    /// <summary>How long a browser stays signed in in which nobody does anything; an open page alone does nothing. Default 12 hours.</summary>
    public TimeSpan SessionIdle { get; set; } = TimeSpan.FromHours(12);
}

public static class AccessSetup
{
    internal const string SignInLimit = "sign-in";

    private const string ByHeaderOrCookie = "HeaderOrCookie";

    /// <summary>Keys, people, sessions and roles. Nothing is open without one of them unless it says so.</summary>
    public static IServiceCollection AddAccess(this IServiceCollection services)
    {
        services.AddOptions<AccessOptions>().BindConfiguration(AccessOptions.Section)
            .Validate(o => o is { SignInsPerMinute: > 0, WrongPasswordsThatLockOut: > 0 } && o.Lockout > TimeSpan.Zero && o.SessionLifetime > TimeSpan.Zero && o.SessionIdle > TimeSpan.Zero,
                "BulkImporter:Access:SignInsPerMinute, WrongPasswordsThatLockOut, Lockout, SessionLifetime and SessionIdle must be greater than 0.")
            .ValidateOnStart();
        services
            .AddSingleton<MakeKey>()
            .AddSingleton<RevokeKey>()
            .AddSingleton<ReadKeys>()
            .AddSingleton<CheckKey>()
            .AddSingleton<FirstKey>()
            .AddSingleton<MakeSignInLink>()
            .AddSingleton<UseSignInLink>()
            .AddSingleton<ReadUsers>()
            .AddSingleton<AddUser>()
            .AddSingleton<ChangeUser>()
            .AddSingleton<RemoveUser>()
            .AddSingleton<MakePasswordLink>()
            .AddSingleton<ReadPasswordLink>()
            .AddSingleton<EndSessions>()
            .AddSingleton<CheckSession>()
            .AddSingleton<BeginSession>()
            .AddSingleton<EndSession>()
            .AddSingleton<OwnAddress>()
            .AddSingleton<NoteDeed>()
            .AddGuesses()
            .AddSingleton<ReadAudit>();
        services.AddPasswords();
        services.AddProvider();

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

        services.AddAntiforgery(o =>
        {
            o.Cookie.Name = "bulkimporter-form";
            o.Cookie.SecurePolicy = CookieSecurePolicy.SameAsRequest;
        });
        services.AddRateLimiter(o =>
        {
            o.AddPolicy(SignInLimit, context => Guesses.Of(context, context.RequestServices.GetRequiredService<IOptions<AccessOptions>>().Value));
            o.OnRejected = (context, _) =>
            {
                Guesses.Refuse(context.HttpContext, context.Lease);
                return ValueTask.CompletedTask;
            };
        });
        return services;
    }

    /// <summary>Also for a process without pages: nothing is changed unnoted.</summary>
    public static IServiceCollection AddAudit(this IServiceCollection services) => services.AddSingleton<IInterceptor, KeepAudit>();

    /// <summary>Also for a process without pages, whose measures have a token.</summary>
    internal static IServiceCollection AddGuesses(this IServiceCollection services)
    {
        services.TryAddSingleton<Guesses>();
        return services;
    }

    /// <summary>Of Identity only what belongs to a password: how it is hashed and checked, and who is locked out. Sessions are ours, as for keys.</summary>
    private static void AddPasswords(this IServiceCollection services)
    {
        services.AddIdentityCore<User>().AddEntityFrameworkStores<ImporterDb>().AddSignInManager().AddPasswordValidator<RefuseCommonPasswords>();
        services.AddOptions<IdentityOptions>().Configure<IOptions<AccessOptions>>((identity, access) =>
        {
            identity.Password = new PasswordOptions
            {
                RequiredLength = Passwords.ShortestLength,
                RequiredUniqueChars = 5,
                RequireDigit = false,
                RequireLowercase = false,
                RequireUppercase = false,
                RequireNonAlphanumeric = false,
            };
            identity.Lockout.MaxFailedAccessAttempts = access.Value.WrongPasswordsThatLockOut;
            identity.Lockout.DefaultLockoutTimeSpan = access.Value.Lockout;
        });
        services.AddScoped<CheckPassword>().AddScoped<UsePasswordLink>().AddScoped<ChangePassword>();
    }

    private static IEnumerable<string> RolesFrom(Role least) => Enum.GetValues<Role>().Where(r => r >= least).Select(EnumText<Role>.Of);

    private static void Cookie(CookieAuthenticationOptions o)
    {
        o.Cookie.Name = "bulkimporter";
        o.Cookie.HttpOnly = true;
        // No other site's page brings it along. A link to an import that a colleague sends works all the same: see RedirectPagesOnly.
        o.Cookie.SameSite = SameSiteMode.Strict;
        o.Cookie.SecurePolicy = CookieSecurePolicy.SameAsRequest;
        o.LoginPath = "/sign-in";
        o.AccessDeniedPath = "/sign-in";
        // The row decides when a session is over (CheckSession); the cookie only has to last as long as any may be set to.
        (o.ExpireTimeSpan, o.SlidingExpiration) = (TimeSpan.FromDays(365), false);
        o.Events.OnValidatePrincipal = CheckSession.ValidateAsync;
        // A program that calls the API wants a status, not a page.
        o.Events.OnRedirectToLogin = context => RedirectPagesOnly(context, StatusCodes.Status401Unauthorized);
        o.Events.OnRedirectToAccessDenied = context => RedirectPagesOnly(context, StatusCodes.Status403Forbidden);
    }

    private static Task RedirectPagesOnly(RedirectContext<CookieAuthenticationOptions> context, int status)
    {
        if (status != StatusCodes.Status401Unauthorized || context.Request.Path.StartsWithSegments("/api"))
        {
            context.Response.StatusCode = status;
            return Task.CompletedTask;
        }
        if (context.Request.Headers["Sec-Fetch-Site"].ToString() is "" or "same-origin" or "none")
        {
            context.Response.Redirect(context.RedirectUri);
            return Task.CompletedTask;
        }
        // Whoever followed a link of another site may be signed in: the strict cookie comes with what a page of ours asks for, not with a redirect.
        context.Response.Headers["Refresh"] = $"0; url={context.RedirectUri}";
        context.Response.ContentType = "text/html; charset=utf-8";
        return context.Response.WriteAsync($"""<!doctype html><title>BulkImporter</title><a href="{HtmlEncoder.Default.Encode(context.RedirectUri)}">Go on</a>""", context.HttpContext.RequestAborted);
    }
}
