using System.Net;
using BulkImporter.Access;
using Microsoft.AspNetCore.HttpOverrides;

namespace BulkImporter.Hosting;

/// <summary>
/// What a proxy in front of us says about the caller is believed only from the proxies that <c>BulkImporter:Web:TrustedProxies</c> names
/// (addresses and networks, separated by commas). From anybody else it would be a way to pretend to be another address at the sign-in.
/// </summary>
internal static class BehindProxy
{
    public const string TrustedProxiesKey = $"{WebOptions.Section}:{nameof(WebOptions.TrustedProxies)}";

    /// <summary>
    /// The path of another site below which everything of ours is found, as in <c>/media/import</c>, by the address of our pages; empty for
    /// the root of the host.
    /// </summary>
    /// <exception cref="StartupException">The address has a path with characters that are not plain.</exception>
    public static PathString PathBase(IConfiguration configuration)
    {
        if (!Uri.TryCreate(configuration[OwnAddress.PagesKey], UriKind.Absolute, out var pages)) return PathString.Empty;
        var path = pages.AbsolutePath.TrimEnd('/');
        return path.All(c => char.IsAsciiLetterOrDigit(c) || c is '/' or '-' or '_' or '.')
            && !path.Contains("//", StringComparison.Ordinal)
            ? new PathString(path)
            : throw new StartupException(
                $"{OwnAddress.PagesKey}: '{path}' cannot be the path of a site. Use letters, digits and - _ . only.");
    }

    /// <summary>
    /// Every link we write begins with the path. A request may come with it or without: some proxies take off what they have matched.
    /// </summary>
    public static void UsePathBaseOfSite(this WebApplication app)
    {
        var pathBase = PathBase(app.Configuration);
        if (!pathBase.HasValue) return;
        app.Use((context, next) =>
        {
            if (context.Request.Path.StartsWithSegments(pathBase, out var rest)) context.Request.Path = rest;
            context.Request.PathBase = pathBase;
            return next(context);
        });
    }

    /// <exception cref="StartupException">The setting holds something that is neither an address nor a network.</exception>
    public static void UseTrustedProxies(this WebApplication app)
    {
        var named = (app.Configuration[TrustedProxiesKey] ?? "")
            .Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        if (named.Length == 0) return;
        var options = new ForwardedHeadersOptions
        { ForwardedHeaders = ForwardedHeaders.XForwardedFor | ForwardedHeaders.XForwardedProto | ForwardedHeaders.XForwardedHost };
        // The host that a proxy forwards is judged like the one that a caller sends (AllowedHosts).
        options.AllowedHosts = [.. OwnAddress.Hosts(app.Configuration)];
        options.KnownProxies.Clear();
        options.KnownIPNetworks.Clear();
        foreach (var name in named)
        {
            if (IPAddress.TryParse(name, out var address)) options.KnownProxies.Add(address);
            else if (System.Net.IPNetwork.TryParse(name, out var network)) options.KnownIPNetworks.Add(network);
            else throw new StartupException($"{TrustedProxiesKey}: '{name}' is neither an address (10.0.0.7) nor a network (10.0.0.0/24).");
        }
        app.UseForwardedHeaders(options);
    }
}
