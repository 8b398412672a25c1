using System.Security.Claims;
using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Antiforgery;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;

namespace BulkImporter.Access;

/// <summary>The way in for a browser: a key, or a link that works once. Plain HTML, so that it works before anything else does.</summary>
public static class SignInPages
{
    public static void MapSignIn(this IEndpointRouteBuilder endpoints)
    {
        var pages = endpoints.MapGroup("/").AllowAnonymous().ExcludeFromDescription();
        pages.MapGet("/sign-in", Show);
        pages.MapPost("/sign-in", SignInAsync).RequireRateLimiting(AccessSetup.SignInLimit);
        pages.MapGet("/sign-in/once", SignInOnceAsync).RequireRateLimiting(AccessSetup.SignInLimit);
        pages.MapPost("/sign-out", (Delegate)SignOutAsync);
    }

    private static IResult Show(HttpContext context, IAntiforgery antiforgery, string? returnUrl) => Page(context, antiforgery, returnUrl, null);

    private static async Task<IResult> SignInAsync(HttpContext context, IAntiforgery antiforgery, CheckKey keys, CancellationToken cancellationToken)
    {
        if (!context.Request.HasFormContentType || !await antiforgery.IsRequestValidAsync(context))
            return Page(context, antiforgery, null, "This page was open for too long. Try again.");
        var form = await context.Request.ReadFormAsync(cancellationToken);
        var returnUrl = form["returnUrl"].ToString();
        if (await keys.RunAsync(form["key"].ToString().Trim(), cancellationToken) is not { } caller)
            return Page(context, antiforgery, returnUrl, "This key is unknown, expired or revoked.");
        await EnterAsync(context, Identities.Of(caller, CookieAuthenticationDefaults.AuthenticationScheme));
        return Results.LocalRedirect(Local(returnUrl));
    }

    private static async Task<IResult> SignInOnceAsync(HttpContext context, IAntiforgery antiforgery, UseSignInLink links, string? code, CancellationToken cancellationToken)
    {
        if (code is null || await links.RunAsync(code, cancellationToken) is not { } role)
            return Page(context, antiforgery, null, "This link was used before or is older than 15 minutes. Sign in with a key, or ask for a new link.");
        await EnterAsync(context, Identities.OfLink(role));
        return Results.LocalRedirect("/");
    }

    private static async Task<IResult> SignOutAsync(HttpContext context)
    {
        await context.SignOutAsync(CookieAuthenticationDefaults.AuthenticationScheme);
        return Results.LocalRedirect("/sign-in");
    }

    private static Task EnterAsync(HttpContext context, ClaimsPrincipal principal) => context.SignInAsync(
        CookieAuthenticationDefaults.AuthenticationScheme, principal, new AuthenticationProperties { IsPersistent = true });

    /// <summary>Only a path of ours: an address from outside could lead a person who just signed in elsewhere.</summary>
    private static string Local(string? returnUrl) =>
        returnUrl is ['/', ..] and not ['/', '/' or '\\', ..] && !returnUrl.Any(char.IsControl) ? returnUrl : "/";

    private static IResult Page(HttpContext context, IAntiforgery antiforgery, string? returnUrl, string? complaint)
    {
        var token = antiforgery.GetAndStoreTokens(context);
        var html = HtmlEncoder.Default;
        return Results.Content($$"""
            <!doctype html>
            <html lang="en">
            <head>
              <meta charset="utf-8">
              <meta name="viewport" content="width=device-width, initial-scale=1">
              <title>Sign in - BulkImporter</title>
              <link rel="icon" type="image/svg+xml" href="/favicon.svg">
              <style>
                :root { color-scheme: light dark; font-family: system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif;
                  --page: light-dark(#f5f6fa, #12151d); --card: light-dark(#fff, #1a1f2a); --line: light-dark(#e2e5ee, #2c3342); --field: light-dark(#b9c0d0, #4a5367);
                  --text: light-dark(#1c2333, #e8ebf3); --quiet: light-dark(#565f73, #a3acbf); --accent: light-dark(#3450c8, #8da2ff); --on-accent: light-dark(#fff, #12151d); --bad: light-dark(#cf3030, #ff7a72); }
                * { box-sizing: border-box; }
                body { display: grid; place-items: center; min-height: 100vh; margin: 0; background: var(--page); color: var(--text); }
                form { width: min(25rem, 92vw); display: grid; gap: .75rem; background: var(--card); border: 1px solid var(--line); border-radius: 12px; padding: 1.6rem; }
                h1 { display: flex; align-items: center; gap: .6rem; font-size: 1.3rem; margin: 0 0 .3rem; }
                p { margin: 0; line-height: 1.45; color: var(--quiet); }
                label { font-weight: 600; font-size: .9rem; }
                input, button { font: inherit; padding: .6rem .7rem; border-radius: 8px; border: 1px solid var(--field); background: transparent; color: inherit; width: 100%; }
                button { background: var(--accent); color: var(--on-accent); border-color: transparent; cursor: pointer; font-weight: 600; }
                :focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
                .complaint { color: var(--bad); font-weight: 600; }
              </style>
            </head>
            <body>
              <form method="post" action="/sign-in">
                <h1><img src="/favicon.svg" alt="" width="28" height="28"> BulkImporter</h1>
                {{(complaint is null ? "" : $"<p class=\"complaint\" role=\"alert\">{html.Encode(complaint)}</p>")}}
                <label for="key">API key</label>
                <input id="key" name="key" type="password" autocomplete="current-password" required autofocus>
                <input type="hidden" name="returnUrl" value="{{html.Encode(Local(returnUrl))}}">
                <input type="hidden" name="{{html.Encode(token.FormFieldName)}}" value="{{html.Encode(token.RequestToken!)}}">
                <button type="submit">Sign in</button>
                <p><small>The server printed a key and a sign-in link when it first started. An admin makes more.</small></p>
              </form>
            </body>
            </html>
            """, "text/html; charset=utf-8", statusCode: complaint is null ? StatusCodes.Status200OK : StatusCodes.Status400BadRequest);
    }
}
