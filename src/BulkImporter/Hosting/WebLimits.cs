using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Options;

namespace BulkImporter.Hosting;

/// <summary><c>BulkImporter:Web</c>.</summary>
public sealed class WebLimitOptions
{
    public const string Section = "BulkImporter:Web";

    /// <summary>Connections that are open at once; more are closed as they come. An open page takes one or two. Default 2000.</summary>
    public int MaxConnections { get; set; } = 2000;
}

/// <summary>
/// What everybody may cost us before we know who it is. A body is small: an endpoint that needs more says so, and an upload raises the limit itself, when
/// the caller is known and may upload, before anything of it is read.
/// </summary>
internal static class WebLimits
{
    /// <summary>Enough for every form and nearly every order.</summary>
    private const int Body = 64 * 1024;

    public static IServiceCollection AddWebLimits(this IServiceCollection services)
    {
        services.AddOptions<WebLimitOptions>().BindConfiguration(WebLimitOptions.Section)
            .Validate(o => o.MaxConnections > 0, "BulkImporter:Web:MaxConnections must be greater than 0.").ValidateOnStart();
        services.AddOptions<KestrelServerOptions>().Configure<IOptions<WebLimitOptions>>((kestrel, limits) =>
        {
            // What we are is nobody's business.
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = Body;
            kestrel.Limits.MaxConcurrentConnections = kestrel.Limits.MaxConcurrentUpgradedConnections = limits.Value.MaxConnections;
            kestrel.Limits.RequestHeadersTimeout = TimeSpan.FromSeconds(15);
        });
        return services;
    }
}
