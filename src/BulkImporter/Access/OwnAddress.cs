using System.Net;

namespace BulkImporter.Access;

/// <summary>
/// Where browsers find our pages. What a request writes into its <c>Host</c> is believed for comparing it with its own <c>Origin</c>, and
/// for nothing else: a link that lets somebody in is written with a name only that the settings, or this machine, know.
/// </summary>
public sealed class OwnAddress(IConfiguration configuration)
{
    public const string HostsKey = "AllowedHosts";

    /// <summary>The setting of the pages' address.</summary>
    public const string PagesKey = $"{WebOptions.Section}:{nameof(WebOptions.PageBaseUrl)}";

    private readonly Uri? pages = Uri.TryCreate(configuration[PagesKey], UriKind.Absolute, out var address) ? address : null;

    /// <summary>
    /// Names that the setting lists, without the star that stands for every name; <c>*.example.com</c> is every name below that one.
    /// </summary>
    public static string[] Hosts(IConfiguration configuration) =>
        [.. (configuration[HostsKey] ?? "").Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
            .Where(name => name != "*")];

    /// <summary>Whether a name is the one of a setting, or below it when that is <c>*.example.com</c>.</summary>
    internal static bool IsNamed(string host, string setting) => setting.StartsWith("*.", StringComparison.Ordinal)
        ? host.EndsWith(setting[1..], StringComparison.OrdinalIgnoreCase) : host.Equals(setting, StringComparison.OrdinalIgnoreCase);

    /// <summary>Whether an <c>Origin</c> is that of our own pages: the same name and port, and https where we are asked by https.</summary>
    internal bool IsOrigin(string origin, HttpRequest request)
    {
        if (!Uri.TryCreate(origin, UriKind.Absolute, out var from) || from.Scheme is not ("http" or "https")) return false;
        if (pages is not null
            && Uri.Compare(from, pages, UriComponents.SchemeAndServer, UriFormat.SafeUnescaped,
                StringComparison.OrdinalIgnoreCase) == 0) return true;
        // A proxy that ends TLS and was not named leaves us with http: its https pages are ours. The other way round they are not.
        return (from.Scheme == request.Scheme || request.Scheme == "http")
            && Uri.TryCreate($"{from.Scheme}://{request.Host.Value}", UriKind.Absolute, out var here)
            && Uri.Compare(from, here, UriComponents.HostAndPort, UriFormat.SafeUnescaped, StringComparison.OrdinalIgnoreCase) == 0;
    }

    /// <summary>The address of our first page, without a slash at its end, for a link that is given away.</summary>
    /// <exception cref="InvalidArgumentException">No setting names the pages' address, and the request came for a name that nobody knows
    /// here.</exception>
    internal string Of(HttpRequest request)
    {
        if (pages is not null) return pages.AbsoluteUri.TrimEnd('/');
        return IsKnown(request)
            ? $"{request.Scheme}://{request.Host}{request.PathBase}"
            : throw new InvalidArgumentException("Host",
                $"No setting says that this server is '{request.Host.Host}', so it writes no link with that name. Set {PagesKey} to the "
                    + $"address of its pages, or {HostsKey} to its names.");
    }

    private bool IsKnown(HttpRequest request)
    {
        var host = request.Host.Host;
        if (Hosts(configuration).Any(name => IsNamed(host, name))) return true;
        if (IPAddress.TryParse(host, out var address))
            return IPAddress.IsLoopback(address) || request.HttpContext.Connection.LocalIpAddress is { } local
                && address.MapToIPv6().Equals(local.MapToIPv6());
        return host.Equals("localhost", StringComparison.OrdinalIgnoreCase)
            || host.Equals(Environment.MachineName, StringComparison.OrdinalIgnoreCase);
    }
}
