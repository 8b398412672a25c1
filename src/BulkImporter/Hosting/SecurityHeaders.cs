using BulkImporter.Access;

namespace BulkImporter.Hosting;

/// <summary>
/// What every answer tells the browser: load nothing from elsewhere (but pictures of named hosts, when a
/// person has turned them on), be framed by nobody, tell nobody where you came from, keep nothing,
/// stay with https.
/// </summary>
internal static class SecurityHeaders
{
    // Components position themselves with style attributes, so styles may stand in the page; scripts may not.
    private static string Policy(string scripts = "", string pictures = "") =>
        $"default-src 'self'; script-src 'self'{scripts}; style-src 'self' 'unsafe-inline'; img-src 'self' data:{pictures}; "
            + "font-src 'self' data:; connect-src 'self'; object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'";

    // The page of the API's documentation begins with a script of its own inside it.
    private static readonly string ApiPage = Policy(scripts: " 'unsafe-inline'");

    public static void UseSecurityHeaders(this WebApplication app)
    {
        var hosts = app.Services.GetRequiredService<PictureHosts>().Policy;
        var (withoutPictures, withPictures) = (Policy(), Policy(pictures: hosts.Length == 0 ? "" : " " + hosts));
        app.Use((context, next) => Secure(context, next, withoutPictures, withPictures));
    }

    private static Task Secure(HttpContext context, RequestDelegate next, string withoutPictures, string withPictures)
    {
        // At the last moment: who answers an exception clears what was set before.
        var isApiPage = context.Request.Path.StartsWithSegments("/scalar");
        context.Response.OnStarting(() =>
        {
            var headers = context.Response.Headers;
            headers.ContentSecurityPolicy = isApiPage ? ApiPage : PictureHosts.IsOn(context) ? withPictures : withoutPictures;
            headers.XContentTypeOptions = "nosniff";
            headers.XFrameOptions = "DENY";
            headers["Referrer-Policy"] = "same-origin";
            // Who came by https once comes by nothing else.
            if (context.Request.IsHttps) headers.StrictTransportSecurity = "max-age=31536000";
            // Secrets that are shown once, result files and pages: nothing of it is kept by a browser or a proxy. Files without secrets say
            // otherwise themselves.
            if (headers.CacheControl.Count == 0) headers.CacheControl = "no-store";
            return Task.CompletedTask;
        });
        return next(context);
    }
}
