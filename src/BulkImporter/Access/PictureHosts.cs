using System.Text.RegularExpressions;

namespace BulkImporter.Access;

/// <summary>
/// The hosts whose pictures the pages may show. Whoever loads a picture tells its host his address and when he looked, so a browser loads
/// none until its person has turned them on.
/// </summary>
public sealed partial class PictureHosts(IOptions<WebOptions> options)
{
    /// <summary>Set by <c>look.js</c> when a person turns pictures on.</summary>
    public const string Cookie = "bulkimporter-pictures";

    private readonly IReadOnlyList<string> hosts = Parse(options.Value.PictureHosts) ?? [];

    /// <summary>As they stand in a Content-Security-Policy.</summary>
    public string Policy => string.Join(' ', hosts);

    public static bool IsOn(HttpContext context) => context.Request.Cookies[Cookie] == "1";

    /// <summary>Whether the browser would load this picture when pictures are on.</summary>
    public bool Allow(string url) => Uri.TryCreate(url, UriKind.Absolute, out var uri) && hosts.Any(host =>
    {
        var (scheme, name) = (host[..host.IndexOf(':')], host[(host.IndexOf("//", StringComparison.Ordinal) + 2)..]);
        var from = uri.IsDefaultPort ? uri.Host : uri.Authority;
        return uri.Scheme == scheme && uri.UserInfo.Length == 0 && OwnAddress.IsNamed(from, name);
    });

    /// <summary>Null when one of them is none. Nothing else may get into the policy.</summary>
    internal static IReadOnlyList<string>? Parse(string hosts)
    {
        var named = hosts.Split([',', ' '], StringSplitOptions.RemoveEmptyEntries);
        return Array.TrueForAll(named, host => Host().IsMatch(host)) ? named : null;
    }

    [GeneratedRegex(@"^https?://(\*\.)?[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*(:\d{1,5})?$")]
    private static partial Regex Host();
}
