using BulkImporter.Access;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;

namespace BulkImporter.Hosting;

/// <summary>
/// What everybody may cost us before we know who it is. A body is small: an endpoint that needs more says so, and an upload raises the
/// limit itself, when the caller is known and may upload, before anything of it is read.
/// </summary>
internal static class WebLimits
{
    /// <summary>Connections that are open at once; more are closed as they come. An open page takes one or two.</summary>
    private const int MaxConnections = 2000;

    /// <summary>Enough for every form and nearly every order.</summary>
    private const int Body = 64 * 1024;

    /// <summary>
    /// What a connection buffers of an upload that is not read yet, in the socket and again in the request. It lies in pinned memory, which
    /// is given back late, and would be 1 MB each.
    /// </summary>
    private const int RequestBuffer = 128 * 1024;

    public static IServiceCollection AddWebLimits(this IServiceCollection services)
    {
        services.AddOptions<WebOptions>().BindConfiguration(WebOptions.Section)
            .Validate(o => o.PageBaseUrl is null or
            { IsAbsoluteUri: true, Scheme: "http" or "https", UserInfo: "", Query: "", Fragment: "" },
                "BulkImporter:Web:PageBaseUrl must be an absolute http or https address without credentials, query and fragment.")
            .ValidateOnStart();
        services.Configure<KestrelServerOptions>(kestrel =>
        {
            // What we are is nobody's business.
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = Body;
            kestrel.Limits.MaxConcurrentConnections = kestrel.Limits.MaxConcurrentUpgradedConnections = MaxConnections;
            kestrel.Limits.MaxRequestBufferSize = RequestBuffer;
            kestrel.Limits.RequestHeadersTimeout = TimeSpan.FromSeconds(15);
        });
        services.Configure<SocketTransportOptions>(socket => socket.MaxReadBufferSize = RequestBuffer);
        return services;
    }
}
