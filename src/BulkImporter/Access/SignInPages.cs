using BulkImporter.Data;
using Microsoft.AspNetCore.Antiforgery;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.Extensions.Options;

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
        refused is null && context.User.Identity is { IsAuthenticated: true } ? Results.LocalRedirect(EntryPage.Local(context, returnUrl))
        : EntryPage.SignIn(context, returnUrl, withKey: with == "key",
            EnumText<ProviderRefusal>.TryParse(refused, out var refusal) ? Sentence(refusal) : null,
            isNobodyYet: !await users.AnyAsync(cancellationToken));

    private static IResult Provider(HttpContext context, IOptions<ProviderOptions> provider, string? returnUrl) =>
        provider.Value.Authority is null
        ? Results.NotFound()
        : Results.Challenge(new AuthenticationProperties
        { RedirectUri = EntryPage.Local(context, returnUrl) }, [OpenIdConnectSetup.Scheme]);

    private static async Task<IResult> SignInAsync(
        HttpContext context, CheckKey keys, CheckPassword passwords, BeginSession begin, NoteDeed note, CancellationToken cancellationToken)
    {
        if (await FormAsync(context, cancellationToken) is not { } form) return EntryPage.SignIn(context, null, withKey: false, TooOld);
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
            return EntryPage.SignIn(context, returnUrl, withKey, withKey
                ? "This key is unknown, expired or revoked."
                : "The name or the password is wrong, or too many passwords were tried. In that case wait 15 minutes, or ask an admin.",
                    name);
        }
        await EnterAsync(context, begin, caller, how, cancellationToken);
        return Results.LocalRedirect(EntryPage.Local(context, returnUrl));
    }

    // A link alone signs nobody in: who is sent one by somebody else would work, unknowing, as that one.
    private static async Task<IResult> ShowLinkAsync(
        HttpContext context, UseSignInLink links, string? code, CancellationToken cancellationToken) =>
        code is not null && await links.FindAsync(code, cancellationToken) is { } maker
            ? EntryPage.SignInOnce(code, maker.Name)
            : EntryPage.SignIn(context, null, withKey: false, LinkGone);

    private static async Task<IResult> SignInOnceAsync(
        HttpContext context, UseSignInLink links, BeginSession begin, NoteDeed note, CancellationToken cancellationToken)
    {
        if (await FormAsync(context, cancellationToken) is not { } form) return EntryPage.SignIn(context, null, withKey: false, TooOld);
        if (await links.RunAsync(form["code"].ToString(), cancellationToken) is not { } caller)
        {
            await note.FailedSignInAsync(null, "with a sign-in link", context, cancellationToken);
            return EntryPage.SignIn(context, null, withKey: false, LinkGone);
        }
        await EnterAsync(context, begin, caller, "with a sign-in link", cancellationToken);
        return Results.LocalRedirect("~/");
    }

    private static async Task<IResult> ShowChoiceAsync(
        HttpContext context, ReadPasswordLink links, string? code, CancellationToken cancellationToken) =>
        code is not null && await links.FindAsync(code, cancellationToken) is { } link
            ? EntryPage.ChoosePassword(code, link.Name, null)
            : EntryPage.SignIn(context, null, withKey: false, LinkGone);

    private static async Task<IResult> ChooseAsync(
        HttpContext context, ReadPasswordLink links, UsePasswordLink use, BeginSession begin, CancellationToken cancellationToken)
    {
        if (await FormAsync(context, cancellationToken) is not { } form) return EntryPage.SignIn(context, null, withKey: false, TooOld);
        var code = form["code"].ToString();
        if (await links.FindAsync(code, cancellationToken) is not { } link)
            return EntryPage.SignIn(context, null, withKey: false, LinkGone);
        var name = form["name"].ToString().Trim();
        try
        {
            if (await use.RunAsync(code, name, Chosen(form), cancellationToken) is not { } caller)
                return EntryPage.SignIn(context, null, withKey: false, LinkGone);
            await EnterAsync(context, begin, caller, "with a password link", cancellationToken);
            return Results.LocalRedirect("~/");
        }
        catch (InvalidArgumentException refused)
        {
            return EntryPage.ChoosePassword(code, link.Name, refused.Message, name);
        }
    }

    private static IResult ShowChange(HttpContext context) =>
        context.User.Caller().UserId is null ? Results.NotFound() : EntryPage.ChangePassword(context, null);

    private static async Task<IResult> ChangeAsync(
        HttpContext context, ChangePassword change, BeginSession begin, CancellationToken cancellationToken)
    {
        if (context.User.Caller().UserId is not { } userId) return Results.NotFound();
        if (await FormAsync(context, cancellationToken) is not { } form) return EntryPage.ChangePassword(context, TooOld);
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
            return EntryPage.ChangePassword(context, refused.Message);
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
}
