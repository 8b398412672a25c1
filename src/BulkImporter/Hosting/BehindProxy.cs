using System.Net;
using Microsoft.AspNetCore.HttpOverrides;

namespace BulkImporter.Hosting;

/// <summary>
/// What a proxy in front of us says about the caller is believed only from the proxies that <c>BulkImporter:Web:TrustedProxies</c> names
/// (addresses and networks, separated by commas). From anybody else it would be a way to pretend to be another address at the sign-in.
/// </summary>
internal static class BehindProxy
{
    public const string TrustedProxiesKey = "BulkImporter:Web:TrustedProxies";

    /// <exception cref="StartupException">The setting holds something that is neither an address nor a network.</exception>
    public static void UseTrustedProxies(this WebApplication app)
    {
        var named = (app.Configuration[TrustedProxiesKey] ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        if (named.Length == 0) return;
        var options = new ForwardedHeadersOptions { ForwardedHeaders = ForwardedHeaders.XForwardedFor | ForwardedHeaders.XForwardedProto | ForwardedHeaders.XForwardedHost };
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
