using BulkImporter.Access.Entry;
using Microsoft.AspNetCore.Antiforgery;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Http.HttpResults;

namespace BulkImporter.Access;

/// <summary>
/// The way in for a browser: name and password, a key, or a link that works once; and the pages on which a password is chosen.
/// A form that was not on a page of ours (its antiforgery token is missing or another's) does nothing.
/// </summary>
public static class SignInPages
{
    private const string TooOld = "This page was open for too long. Try again.";
    private const string LinkGone =
        "This link was used before, is too old, or was replaced by a newer one. Sign in, or ask an admin for a new link.";

    /// <summary>What is told to somebody whom the provider knows and who does not come in.</summary>
    private static string Sentence(ProviderRefusal refusal) => refusal switch
    {
        ProviderRefusal.Failed => "The sign-in failed. Try again. If it fails again, the log of this server says why.",
        ProviderRefusal.NoRole => "You have no role here. The admin of your sign-in provider can give you one.",
        ProviderRefusal.NoName => "Your provider's user name is not valid here.",
        ProviderRefusal.NameTaken => "Another person here already has your name. An admin can remove that person.",
        ProviderRefusal.Locked => "An admin has locked you.",
    };

    public static void MapSignIn(this IEndpointRouteBuilder endpoints)
    {
        var open = endpoints.MapGroup("/").AllowAnonymous().ExcludeFromDescription();
        open.MapGet("/sign-in", ShowAsync);
        open.MapPost("/sign-in", SignInAsync).RequireRateLimiting(AccessSetup.SignInLimit);
        open.MapGet("/sign-in/provider", Provider).RequireRateLimiting(AccessSetup.SignInLimit);
        open.MapGet("/sign-in/once", ShowLinkAsync).RequireRateLimiting(AccessSetup.SignInLimit);
        open.MapPost("/sign-in/once", SignInOnceAsync).RequireRateLimiting(AccessSetup.SignInLimit);
        open.MapGet("/choose-password", ShowChoiceAsync).RequireRateLimiting(AccessSetup.SignInLimit);
        open.MapPost("/choose-password", ChooseAsync).RequireRateLimiting(AccessSetup.SignInLimit);
        open.MapPost("/sign-out", SignOutAsync);

        var own = endpoints.MapGroup("/").RequireAuthorization(Policy.Viewer).ExcludeFromDescription();
        own.MapGet("/change-password", ShowChange);
        own.MapPost("/change-password", ChangeAsync).RequireRateLimiting(AccessSetup.SignInLimit);
    }

    private static async Task<IResult> ShowAsync(
        HttpContext context, ReadUsers users, string? returnUrl, string? with, string? refused, CancellationToken cancellationToken) =>
        // Who came here by a link of another site is signed in after all.
        refused is null && context.User.Identity is { IsAuthenticated: true } ? Results.LocalRedirect(Local(context, returnUrl))
        : SignIn(context, returnUrl, withKey: with == "key",
            EnumText<ProviderRefusal>.TryParse(refused, out var refusal) ? Sentence(refusal) : null,
            isNobodyYet: !await users.AnyAsync(cancellationToken));

    private static IResult Provider(HttpContext context, IOptions<ProviderOptions> provider, string? returnUrl) =>
        provider.Value.Authority is null
        ? Results.NotFound()
        : Results.Challenge(new AuthenticationProperties
        { RedirectUri = Local(context, returnUrl) }, [OpenIdConnectSetup.Scheme]);

    private static async Task<IResult> SignInAsync(
        HttpContext context, CheckKey keys, CheckPassword passwords, BeginSession begin, NoteDeed note, CancellationToken cancellationToken)
    {
        if (await FormAsync(context, cancellationToken) is not { } form) return SignIn(context, null, withKey: false, TooOld);
        var returnUrl = form["returnUrl"].ToString();
        var withKey = form.ContainsKey("key");
        var name = form["name"].ToString().Trim();
        var caller = withKey
            ? await keys.RunAsync(form["key"].ToString().Trim(), cancellationToken)
            : await passwords.RunAsync(name, form["password"].ToString(), cancellationToken);
        var how = withKey ? "with an API key" : "with a password";
        if (caller is null)
        {
            await note.FailedSignInAsync(withKey ? null : name, how, context, cancellationToken);
            return SignIn(context, returnUrl, withKey, withKey
                ? "This key is unknown, expired or revoked."
                : "The name or the password is wrong, or too many passwords were tried. In that case wait 15 minutes, or ask an admin.",
                    name);
        }
        await EnterAsync(context, begin, caller, how, cancellationToken);
        return Results.LocalRedirect(Local(context, returnUrl));
    }

    // A link alone signs nobody in: who is sent one by somebody else would work, unknowing, as that one.
    private static async Task<IResult> ShowLinkAsync(
        HttpContext context, UseSignInLink links, string? code, CancellationToken cancellationToken) =>
        code is not null && await links.FindAsync(code, cancellationToken) is { } maker
            ? Page<SignInOnce>(new { Code = code, maker.Name }, null)
            : SignIn(context, null, withKey: false, LinkGone);

    private static async Task<IResult> SignInOnceAsync(
        HttpContext context, UseSignInLink links, BeginSession begin, NoteDeed note, CancellationToken cancellationToken)
    {
        if (await FormAsync(context, cancellationToken) is not { } form) return SignIn(context, null, withKey: false, TooOld);
        if (await links.RunAsync(form["code"].ToString(), cancellationToken) is not { } caller)
        {
            await note.FailedSignInAsync(null, "with a sign-in link", context, cancellationToken);
            return SignIn(context, null, withKey: false, LinkGone);
        }
        await EnterAsync(context, begin, caller, "with a sign-in link", cancellationToken);
        return Results.LocalRedirect("~/");
    }

    private static async Task<IResult> ShowChoiceAsync(
        HttpContext context, ReadPasswordLink links, string? code, CancellationToken cancellationToken) =>
        code is not null && await links.FindAsync(code, cancellationToken) is { } link
            ? ChoosePassword(code, link.Name, null)
            : SignIn(context, null, withKey: false, LinkGone);

    private static async Task<IResult> ChooseAsync(
        HttpContext context, ReadPasswordLink links, UsePasswordLink use, BeginSession begin, CancellationToken cancellationToken)
    {
        if (await FormAsync(context, cancellationToken) is not { } form) return SignIn(context, null, withKey: false, TooOld);
        var code = form["code"].ToString();
        if (await links.FindAsync(code, cancellationToken) is not { } link)
            return SignIn(context, null, withKey: false, LinkGone);
        var name = form["name"].ToString().Trim();
        try
        {
            if (await use.RunAsync(code, name, Chosen(form), cancellationToken) is not { } caller)
                return SignIn(context, null, withKey: false, LinkGone);
            await EnterAsync(context, begin, caller, "with a password link", cancellationToken);
            return Results.LocalRedirect("~/");
        }
        catch (InvalidArgumentException refused)
        {
            return ChoosePassword(code, link.Name, refused.Message, name);
        }
    }

    private static IResult ShowChange(HttpContext context) =>
        context.User.Caller().UserId is null ? Results.NotFound() : ChangePassword(context, null);

    private static async Task<IResult> ChangeAsync(
        HttpContext context, ChangePassword change, BeginSession begin, CancellationToken cancellationToken)
    {
        if (context.User.Caller().UserId is not { } userId) return Results.NotFound();
        if (await FormAsync(context, cancellationToken) is not { } form) return ChangePassword(context, TooOld);
        try
        {
            if (await change.RunAsync(userId, form["present"].ToString(), Chosen(form), cancellationToken) is not { } caller)
                return Results.LocalRedirect("~/sign-in");
            // The old session of this browser ended with the others.
            await EnterAsync(context, begin, caller, "with a new password", cancellationToken);
            return Results.LocalRedirect("~/me");
        }
        catch (InvalidArgumentException refused)
        {
            return ChangePassword(context, refused.Message);
        }
    }

    private static async Task<IResult> SignOutAsync(HttpContext context, EndSession end, CancellationToken cancellationToken)
    {
        if (context.User.Identity is { IsAuthenticated: true }) await end.OwnAsync(context.User.Caller(), cancellationToken);
        await context.SignOutAsync(CookieAuthenticationDefaults.AuthenticationScheme);
        return Results.LocalRedirect("~/sign-in");
    }

    /// <summary>The form, or null when it does not come from a page of ours.</summary>
    /// <exception cref="InvalidArgumentException">A field holds what is no text; no browser sends that for anything that can be
    /// typed.</exception>
    private static async Task<IFormCollection?> FormAsync(HttpContext context, CancellationToken cancellationToken)
    {
        if (!context.Request.HasFormContentType) return null;
        IFormCollection form;
        try
        {
            form = await context.Request.ReadFormAsync(cancellationToken);
        }
        catch (InvalidDataException damaged)
        {
            // The framework finds a NUL too, and does not say in which field.
            throw new InvalidArgumentException("form", $"The form cannot be read: {damaged.Message}");
        }
        foreach (var (name, values) in form)
        {
            foreach (var value in values) PlainText.RequireStorable(name, value);
        }
        return await context.RequestServices.GetRequiredService<IAntiforgery>().IsRequestValidAsync(context) ? form : null;
    }

    /// <exception cref="InvalidArgumentException">The two fields differ.</exception>
    private static string Chosen(IFormCollection form)
    {
        var password = form["password"].ToString();
        return password == form["again"].ToString()
            ? password : throw new InvalidArgumentException("again", "The two passwords are not the same.");
    }

    private static async Task EnterAsync(
        HttpContext context, BeginSession begin, Caller caller, string how, CancellationToken cancellationToken)
    {
        var entered = await begin.RunAsync(caller, how, context, cancellationToken);
        await context.SignInAsync(
            CookieAuthenticationDefaults.AuthenticationScheme, Identities.Of(entered, CookieAuthenticationDefaults.AuthenticationScheme),
            new AuthenticationProperties { IsPersistent = true });
    }

    /// <param name="typed">The name that was typed before a complaint.</param>
    /// <param name="isNobodyYet">Nobody has a password: the page says how the first person gets one.</param>
    private static RazorComponentResult<SignIn> SignIn(
        HttpContext context, string? returnUrl, bool withKey, string? complaint, string? typed = null, bool isNobodyYet = false) =>
        Page<SignIn>(new
        {
            ReturnUrl = Local(context, returnUrl),
            WithKey = withKey,
            Complaint = complaint,
            Typed = typed,
            IsNobodyYet = isNobodyYet,
        }, complaint);

    /// <param name="name">Whose password it is; null when the first admin chooses a name too.</param>
    private static RazorComponentResult<ChoosePassword> ChoosePassword(
        string code, string? name, string? complaint, string? typed = null) =>
        Page<ChoosePassword>(new { Code = code, Name = name, Complaint = complaint, Typed = typed }, complaint);

    private static RazorComponentResult<ChangeOwnPassword> ChangePassword(HttpContext context, string? complaint) =>
        Page<ChangeOwnPassword>(new { Name = context.User.Actor(), Complaint = complaint }, complaint);

    /// <summary>A page before the dashboard: 200, or 400 when it complains of what was typed.</summary>
    private static RazorComponentResult<T> Page<T>(object parameters, string? complaint) where T : IComponent =>
        new(parameters) { StatusCode = complaint is null ? StatusCodes.Status200OK : StatusCodes.Status400BadRequest };

    /// <summary>Only a path of ours: an address from outside could lead a person who just signed in elsewhere.</summary>
    private static string Local(HttpContext context, string? returnUrl)
    {
        var site = $"{context.Request.PathBase}/";
        return returnUrl is ['/', ..] and not ['/', '/' or '\\', ..]
            && returnUrl.StartsWith(site, StringComparison.Ordinal) && !returnUrl.Any(char.IsControl) ? returnUrl : site;
    }
}
