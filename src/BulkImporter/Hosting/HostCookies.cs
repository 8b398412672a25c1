using Microsoft.Net.Http.Headers;

namespace BulkImporter.Hosting;

/// <summary>
/// Over https every cookie of ours is called <c>__Host-…</c>: browsers then take it from this very host and over https only, so that no
/// neighbouring name and nobody on the network can plant one. Only https can have such names; over http, which is for this machine, they
/// are the same without it. The rest of the program knows the short names.
/// </summary>
internal static class HostCookies
{
    public const string Prefix = "__Host-";

    /// <summary>Stands behind whatever tells that the caller came by https.</summary>
    public static IApplicationBuilder UseHostCookies(this IApplicationBuilder app) => app.Use((context, next) =>
    {
        if (!context.Request.IsHttps) return next(context);
        if (context.Request.Headers.Cookie.Count > 0) context.Request.Headers.Cookie = Received(context.Request.Headers.Cookie.ToString());
        context.Response.OnStarting(() =>
        {
            var set = context.Response.Headers.SetCookie;
            if (set.Count > 0) context.Response.Headers.SetCookie = set.Select(Sent).ToArray();
            return Task.CompletedTask;
        });
        return next(context);
    });

    /// <summary>The cookies with their short names; one that has a name of ours without the prefix was planted.</summary>
    private static string Received(string header) =>
        string.Join("; ", header.Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
        .Where(cookie => !IsOurs(cookie))
            .Select(cookie => cookie.StartsWith(Prefix, StringComparison.Ordinal) ? cookie[Prefix.Length..] : cookie));

    /// <summary>The look's cookies are set by a script and say nothing but how a page is painted; they have no prefix.</summary>
    private static bool IsOurs(string cookie) => cookie.StartsWith(".AspNetCore.", StringComparison.Ordinal)
        || cookie.StartsWith("bulkimporter", StringComparison.Ordinal)
            && !cookie.StartsWith("bulkimporter-dark=", StringComparison.Ordinal)
                && !cookie.StartsWith("bulkimporter-zone=", StringComparison.Ordinal);

    private static string? Sent(string? header)
    {
        if (!SetCookieHeaderValue.TryParse(header, out var cookie)) return header;
        (cookie.Name, cookie.Path, cookie.Domain, cookie.Secure) = (Prefix + cookie.Name, "/", default, true);
        return cookie.ToString();
    }
}
