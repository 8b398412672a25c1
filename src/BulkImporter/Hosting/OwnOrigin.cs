namespace BulkImporter.Hosting;

/// <summary>
/// Refuses a browser's request that would change something and comes from another site's page. The session cookie is not sent across
/// sites, but a page on another port of the same host is the same site to the browser. Programs send neither header and are not concerned.
/// </summary>
internal static class OwnOrigin
{
    public static IApplicationBuilder UseOwnOrigin(this IApplicationBuilder app) => app.Use((context, next) =>
    {
        if (IsOwn(context.Request)) return next(context);
        context.Response.StatusCode = StatusCodes.Status403Forbidden;
        return context.Response.WriteAsync("A page of another site may not do this.", context.RequestAborted);
    });

    internal static bool IsOwn(HttpRequest request)
    {
        if (HttpMethods.IsGet(request.Method) || HttpMethods.IsHead(request.Method) || HttpMethods.IsOptions(request.Method)) return true;
        // Browsers send it to https and to this machine; behind a proxy it stays right where the host's name does not.
        if (request.Headers["Sec-Fetch-Site"].ToString() is { Length: > 0 } site) return site is "same-origin" or "none";
        var origin = request.Headers.Origin.ToString();
        return origin.Length == 0 || Uri.TryCreate(origin, UriKind.Absolute, out var from) && from.Authority == request.Host.Value;
    }
}
