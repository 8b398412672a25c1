using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Antiforgery;
using Microsoft.Extensions.Options;

namespace BulkImporter.Access;

/// <summary>The pages before the dashboard. Plain HTML, so that they work before anything else does: no script, and one form each.</summary>
public sealed class EntryPage(IAntiforgery antiforgery, IOptions<ProviderOptions> provider)
{
    // What the dashboard's look.js tells about its viewer.
    private const string DarkCookie = "bulkimporter-dark";

    private static readonly string NewPassword = $"""
        {Field("password", "New password", "password", "new-password", $"minlength=\"{Passwords.ShortestLength}\"")}
        <p><small>At least {Passwords.ShortestLength} characters; a few words are better than many signs.</small></p>
        {Field("again", "The same again", "password", "new-password")}
        """;

    /// <param name="typed">The name that was typed before a complaint.</param>
    public IResult SignIn(HttpContext context, string? returnUrl, bool withKey, string? complaint, string? typed = null)
    {
        var local = Local(context, returnUrl);
        var other = Uri.EscapeDataString(local);
        return Page(context, "Sign in", "sign-in", "Sign in", complaint, $"""
            {(withKey
                ? Field("key", "API key", "password", "off", "autofocus")
                : NameField("Name", typed) + Field("password", "Password", "password", "current-password"))}
            <input type="hidden" name="returnUrl" value="{HtmlEncoder.Default.Encode(local)}">
            """, Provider(other) + (withKey
                ? $"""The server printed a key and a setup link when it first started. An admin makes more. <a href="sign-in?with=password&amp;returnUrl={other}">Use a password</a>"""
                : $"""Forgotten? An admin makes a link for a new password. <a href="sign-in?with=key&amp;returnUrl={other}">Use an API key</a>"""));
    }

    private string Provider(string returnUrl) => provider.Value is { Authority: not null, Name: var name }
        ? $"""<a href="sign-in/provider?returnUrl={returnUrl}"><b>Sign in by {HtmlEncoder.Default.Encode(name)}</b></a><br>"""
        : "";

    /// <param name="name">As whom the link signs in.</param>
    public IResult SignInOnce(HttpContext context, string code, string name) =>
        Page(context, "Sign in", "sign-in/once", $"Go on as {name}", null, $"""
            <p>This link signs you in as <b>{HtmlEncoder.Default.Encode(name)}</b>. If somebody sent it to you and you are not {HtmlEncoder.Default.Encode(name)}, close this page.</p>
            <input type="hidden" name="code" value="{HtmlEncoder.Default.Encode(code)}">
            """, "The link works once, within 15 minutes.");

    /// <param name="name">Whose password it is; null when the first admin chooses a name too.</param>
    /// <param name="typed">The name that was typed before a complaint.</param>
    public IResult ChoosePassword(HttpContext context, string code, string? name, string? complaint, string? typed = null) =>
        Page(context, name is null ? "Set up BulkImporter" : $"Welcome, {name}", "choose-password", name is null ? "Become the first admin" : "Keep this password", complaint, $"""
            {(name is null ? NameField("Your name", typed) : UserName(name))}
            {NewPassword}
            <input type="hidden" name="code" value="{HtmlEncoder.Default.Encode(code)}">
            """, name is null ? "You will be an admin, and can invite others." : "The link that brought you here works once.");

    public IResult ChangePassword(HttpContext context, string? complaint) =>
        Page(context, "Change your password", "change-password", "Change the password", complaint, $"""
            {UserName(context.User.Actor())}
            {Field("present", "Present password", "password", "current-password", "autofocus")}
            {NewPassword}
            """, """Other browsers in which you are signed in are signed out. <a href="me">Back</a>""");

    /// <summary>Only a path of ours: an address from outside could lead a person who just signed in elsewhere.</summary>
    internal static string Local(HttpContext context, string? returnUrl)
    {
        var site = $"{context.Request.PathBase}/";
        return returnUrl is ['/', ..] and not ['/', '/' or '\\', ..] && returnUrl.StartsWith(site, StringComparison.Ordinal) && !returnUrl.Any(char.IsControl) ? returnUrl : site;
    }

    /// <summary>For the browser's store of passwords, which would not know otherwise whose it is.</summary>
    private static string UserName(string name) => $"""<input type="text" value="{HtmlEncoder.Default.Encode(name)}" autocomplete="username" readonly hidden>""";

    private static string NameField(string label, string? typed) => Field("name", label, "text", "username",
        $"value=\"{HtmlEncoder.Default.Encode(typed ?? "")}\" {(string.IsNullOrEmpty(typed) ? "autofocus" : "")} maxlength=\"64\" autocapitalize=\"none\" spellcheck=\"false\"");

    private static string Field(string name, string label, string type, string autocomplete, string more = "") =>
        $"""<label for="{name}">{label}</label><input id="{name}" name="{name}" type="{type}" autocomplete="{autocomplete}" required {more}>""";

    /// <param name="fields">HTML.</param>
    /// <param name="note">HTML.</param>
    private IResult Page(HttpContext context, string title, string action, string button, string? complaint, string fields, string note)
    {
        var token = antiforgery.GetAndStoreTokens(context);
        var html = HtmlEncoder.Default;
        var scheme = context.Request.Cookies[DarkCookie] switch { "1" => "dark", "0" => "light", _ => "light dark" };
        return Results.Content($$"""
            <!doctype html>
            <html lang="en">
            <head>
              <meta charset="utf-8">
              <meta name="viewport" content="width=device-width, initial-scale=1">
              <base href="{{html.Encode(context.Request.PathBase)}}/">
              <title>{{html.Encode(title)}} - BulkImporter</title>
              <link rel="icon" type="image/svg+xml" href="favicon.svg">
              <style>
                :root { color-scheme: {{scheme}}; font-family: system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif;
                  --page: light-dark(#f5f6fa, #12151d); --card: light-dark(#fff, #1a1f2a); --line: light-dark(#e2e5ee, #2c3342); --field: light-dark(#b9c0d0, #4a5367);
                  --text: light-dark(#1c2333, #e8ebf3); --quiet: light-dark(#565f73, #a3acbf); --accent: light-dark(#3450c8, #8da2ff); --on-accent: light-dark(#fff, #12151d); --bad: light-dark(#cf3030, #ff7a72); }
                * { box-sizing: border-box; }
                body { display: grid; place-items: center; min-height: 100vh; margin: 0; background: var(--page); color: var(--text); }
                main { width: min(25rem, 92vw); background: var(--card); border: 1px solid var(--line); border-radius: 12px; padding: 1.6rem; margin: 1rem 0; }
                form { display: grid; gap: .75rem; }
                h1 { display: flex; align-items: center; gap: .6rem; font-size: 1.3rem; margin: 0 0 .9rem; overflow-wrap: anywhere; }
                p { margin: 0; line-height: 1.45; color: var(--quiet); }
                a { color: var(--accent); }
                label { font-weight: 600; font-size: .9rem; margin-bottom: -.4rem; }
                input, button { font: inherit; padding: .6rem .7rem; border-radius: 8px; border: 1px solid var(--field); background: transparent; color: inherit; width: 100%; }
                button { background: var(--accent); color: var(--on-accent); border-color: transparent; cursor: pointer; font-weight: 600; }
                :focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
                .complaint { color: var(--bad); font-weight: 600; }
              </style>
            </head>
            <body>
              <main>
                <h1><img src="favicon.svg" alt="" width="28" height="28"> {{html.Encode(title == "Sign in" ? "BulkImporter" : title)}}</h1>
                <form method="post" action="{{action}}">
                  {{(complaint is null ? "" : $"<p class=\"complaint\" role=\"alert\">{html.Encode(complaint)}</p>")}}
                  {{fields}}
                  <input type="hidden" name="{{html.Encode(token.FormFieldName)}}" value="{{html.Encode(token.RequestToken!)}}">
                  <button type="submit">{{html.Encode(button)}}</button>
                  <p><small>{{note}}</small></p>
                </form>
              </main>
            </body>
            </html>
            """, "text/html; charset=utf-8", statusCode: complaint is null ? StatusCodes.Status200OK : StatusCodes.Status400BadRequest);
    }
}
