using System.Text.Encodings.Web;

namespace Cincopa.Simulator.Endpoints;

/// <summary>
/// The CDN, as far as somebody looks at it: the thumbnail of an asset is drawn, with its name on a colour of its own. Files are not kept,
/// so there are none. No token is asked for (DOC, for public assets).
/// </summary>
internal static class MediaEndpoint
{
    public static async Task HandleAsync(HttpContext context, Simulator simulator)
    {
        var parts = context.Request.Path.Value!.Split('/', StringSplitOptions.RemoveEmptyEntries);
        if (parts is not [_, var rid, "thumbnail.jpg"] || simulator.Library.FindAsset(rid) is not { } asset)
        {
            context.Response.StatusCode = StatusCodes.Status404NotFound;
            return;
        }

        var hue = asset.Number * 47 % 360;
        var name = HtmlEncoder.Default.Encode(Path.GetFileNameWithoutExtension(asset.FileName).Replace('-', ' '));
        context.Response.ContentType = "image/svg+xml";
        await context.Response.WriteAsync($"""
            <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 400 300"><defs><linearGradient id="g" x1="0" y1="0" x2="1" y2="1">
            <stop offset="0" stop-color="hsl({hue} 45% 38%)"/><stop offset="1" stop-color="hsl({(hue + 50) % 360} 50% 22%)"/>
            </linearGradient></defs><rect width="400" height="300" fill="url(#g)"/>
            <circle cx="{120 + asset.Number * 31 % 160}" cy="110" r="58" fill="#fff" opacity=".14"/>
            <path d="M0 300V210L110 150L190 205L280 130L400 215V300Z" fill="#000" opacity=".25"/>
            <foreignObject x="24" y="206" width="352" height="84"><p xmlns="http://www.w3.org/1999/xhtml"
              style="margin:0;font:600 24px sans-serif;color:#fff">{name}</p></foreignObject></svg>
            """);
    }
}
