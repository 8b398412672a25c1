using BulkImporter.Access;

namespace BulkImporter.Dashboard;

/// <summary>
/// What the browser told about its viewer in cookies that <c>look.js</c> keeps, so that the first paint has the right colours and
/// times already. A browser that was never here gets light and UTC, and corrects it as soon as the page is live.
/// </summary>
/// <param name="Zone">An IANA time zone name, or null when not known.</param>
/// <param name="Pictures">A person has turned pictures of other hosts on.</param>
public sealed record Look(bool Dark, string? Zone, bool Pictures = false)
{
    private const string DarkCookie = "bulkimporter-dark";
    private const string ZoneCookie = "bulkimporter-zone";

    public static Look Of(HttpContext context) =>
        new(context.Request.Cookies[DarkCookie] == "1", context.Request.Cookies[ZoneCookie] is { Length: > 0 and < 64 } zone ? zone : null,
            PictureHosts.IsOn(context));

    /// <summary>The time as the viewer's clock shows it, and the name of that clock's zone.</summary>
    public (DateTimeOffset Time, string ZoneName) Local(DateTimeOffset time) =>
        Zone is not null && TimeZoneInfo.TryFindSystemTimeZoneById(Zone, out var zone)
            ? (TimeZoneInfo.ConvertTime(time, zone), Zone)
            : (time.ToUniversalTime(), "UTC");
}
