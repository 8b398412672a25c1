using BulkImporter.Access;
using Microsoft.AspNetCore.StaticAssets;

namespace BulkImporter.Hosting;

/// <summary>
/// Refuses what another site's page makes a browser ask of us: every order, every read by a script, and above all the live connection of
/// our pages, which a browser opens across sites without asking. Another port and a neighbouring name are other sites here, though to a
/// browser's cookies they are the same one. What remains is a link to a page, and the files that hold nothing secret. Programs send none of
/// these headers and are not concerned.
/// </summary>
internal static class OwnOrigin
{
    /// <summary>Needs the endpoint, so it stands behind the routing.</summary>
    public static IApplicationBuilder UseOwnOrigin(this WebApplication app)
    {
        var address = app.Services.GetRequiredService<OwnAddress>();
        return app.Use((context, next) =>
        {
            if (IsOwn(context.Request, address)) return next(context);
            context.Response.StatusCode = StatusCodes.Status403Forbidden;
            return context.Response.WriteAsync("A page of another site may not do this.", context.RequestAborted);
        });
    }

    internal static bool IsOwn(HttpRequest request, OwnAddress address)
    {
        var isRead = HttpMethods.IsGet(request.Method) || HttpMethods.IsHead(request.Method);
        if (isRead && request.HttpContext.GetEndpoint()?.Metadata.GetMetadata<StaticAssetDescriptor>() is not null) return true;

        // Browsers send it to https and to this machine, but not with a WebSocket.
        var site = request.Headers["Sec-Fetch-Site"].ToString();
        if (site is "same-origin" or "none") return true;
        // A link that somebody follows. It brings no session along (its cookie is strict), and its answer is not shown to the page that it
        // was on.
        if (site.Length > 0) return isRead && request.Headers["Sec-Fetch-Mode"] == "navigate" && request.Headers.Upgrade.Count == 0;

        var origin = request.Headers.Origin.ToString();
        return origin.Length == 0 || address.IsOrigin(origin, request);
    }
}
