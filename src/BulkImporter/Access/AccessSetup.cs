using System.ComponentModel.DataAnnotations;
using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Identity;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace BulkImporter.Access;

/// <summary>The names of the authorization policies: each lets its role and the ones above in.</summary>
public static class Policy
{
    public const string Viewer = "viewer";
    public const string Operator = "operator";
    public const string Admin = "admin";
}

/// <summary>Who can sign in, and for how long.</summary>
public sealed class AccessOptions
{
    public const string Section = "BulkImporter:Access";

    /// <summary>Sign-in attempts per minute and address (of IPv6 a /64 network), and as many wrong API keys and tokens.</summary>
    [Range(1, int.MaxValue)]
    public int SignInsPerMinute { get; set; } = 10;

    /// <summary>How long a browser stays signed in at most, however busy it is.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "365.00:00:00")]
    public TimeSpan SessionLifetime { get; set; } = TimeSpan.FromDays(7);

    /// <summary>How long a browser stays signed in while nobody uses it; an open page alone does not count as use.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "365.00:00:00")]
    public TimeSpan SessionIdle { get; set; } = TimeSpan.FromHours(12);
}

public static class AccessSetup
{
    internal const string SignInLimit = "sign-in";

    /// <summary>Wrong passwords in a row that lock a person out: a typing person needs fewer, a guessing program many more.</summary>
    private const int WrongPasswordsThatLockOut = 5;

    private static readonly TimeSpan Lockout = TimeSpan.FromMinutes(15);

    private const string ByHeaderOrCookie = "HeaderOrCookie";

    /// <summary>Keys, people, sessions and roles. Nothing is open without one of them unless it says so.</summary>
    public static IServiceCollection AddAccess(this IServiceCollection services)
    {
        services.AddOptions<AccessOptions>().BindConfiguration(AccessOptions.Section).ValidateDataAnnotations().ValidateOnStart();
        services
            .AddSingleton<PictureHosts>()
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
            .AddGuesses()
            .AddSingleton<ReadAudit>();
        services.AddPasswords();
        services.AddProvider();

        services.AddAuthentication(ByHeaderOrCookie)
            .AddPolicyScheme(ByHeaderOrCookie, null, o => o.ForwardDefaultSelector = context =>
                KeyAuthentication.IsUsedBy(context.Request)
                    ? KeyAuthentication.SchemeName : CookieAuthenticationDefaults.AuthenticationScheme)
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
            o.AddPolicy(SignInLimit, context =>
                Guesses.Of(context, context.RequestServices.GetRequiredService<IOptions<AccessOptions>>().Value));
            o.OnRejected = (context, _) =>
            {
                Guesses.Refuse(context.HttpContext, context.Lease);
                return ValueTask.CompletedTask;
            };
        });
        return services;
    }

    /// <summary>Also for a process without pages: nothing is changed unnoted.</summary>
    public static IServiceCollection AddAudit(this IServiceCollection services) =>
        services.AddSingleton<IInterceptor, KeepAudit>().AddSingleton<NoteDeed>();

    /// <summary>Also for a process without pages, whose measures have a token.</summary>
    internal static IServiceCollection AddGuesses(this IServiceCollection services)
    {
        services.TryAddSingleton<Guesses>();
        return services;
    }

    /// <summary>
    /// Of Identity only what belongs to a password: how it is hashed and checked, and who is locked out. Sessions are ours, as for keys.
    /// </summary>
    private static void AddPasswords(this IServiceCollection services)
    {
        services.AddIdentityCore<User>().AddEntityFrameworkStores<ImporterDb>().AddSignInManager()
            .AddPasswordValidator<RefuseCommonPasswords>();
        services.Configure<IdentityOptions>(identity =>
        {
            // What a name may be says UserName.
            identity.User.AllowedUserNameCharacters = "";
            identity.Password = new PasswordOptions
            {
                RequiredLength = Passwords.ShortestLength,
                RequiredUniqueChars = 5,
                RequireDigit = false,
                RequireLowercase = false,
                RequireUppercase = false,
                RequireNonAlphanumeric = false,
            };
            identity.Lockout.MaxFailedAccessAttempts = WrongPasswordsThatLockOut;
            identity.Lockout.DefaultLockoutTimeSpan = Lockout;
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
        // Whoever followed a link of another site may be signed in: the strict cookie comes with what a page of ours asks for, not with a
        // redirect.
        context.Response.Headers["Refresh"] = $"0; url={context.RedirectUri}";
        context.Response.ContentType = "text/html; charset=utf-8";
        return context.Response.WriteAsync(
            $"""<!doctype html><title>BulkImporter</title><a href="{HtmlEncoder.Default.Encode(context.RedirectUri)}">Go on</a>""",
            context.HttpContext.RequestAborted);
    }
}
