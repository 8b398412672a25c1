using System.Net;
using BulkImporter.Manifests;
using Microsoft.Extensions.Options;

namespace BulkImporter.Sources;

public static class SourcesSetup
{
    public static IServiceCollection AddSources(this IServiceCollection services)
    {
        services.AddOptions<SourceOptions>().BindConfiguration(SourceOptions.Section)
            .Validate(o => o.AllowedNetworks.All(network => IPNetwork.TryParse(network, out _)),
                "BulkImporter:Sources:AllowedNetworks takes networks such as 10.20.0.0/16 or fd00::/8, with no bit set behind the prefix.")
            .Validate(o => o.ConnectTimeout > TimeSpan.Zero && o.AnswerTimeout > TimeSpan.Zero && o.StallTimeout > TimeSpan.Zero,
                "BulkImporter:Sources: ConnectTimeout, AnswerTimeout and StallTimeout must be greater than 0.")
            .Validate(o => o.MaxRedirects >= 0, "BulkImporter:Sources:MaxRedirects must not be negative.")
            .Validate(o => o.FileLimitBytes > 0 && o.AllFilesLimitBytes > 0, "BulkImporter:Sources: FileLimitBytes and AllFilesLimitBytes must be greater than 0.")
            .ValidateOnStart();
        return services
            .AddSingleton<SourceNetworks>()
            .AddSingleton<ResolveName>(_ => Dns.GetHostAddressesAsync)
            .AddSingleton<ReachSource>()
            .AddSingleton<KeepSourceFile>()
            .AddSingleton<ReadSourceFile>()
            .AddSingleton(p => new SourceUrlRules(new SourceUrlOptions
            {
                AllowPrivateHosts = p.GetRequiredService<IOptions<ManifestOptions>>().Value.AllowPrivateHosts,
                PushNetworks = [.. p.GetRequiredService<IOptions<SourceOptions>>().Value.AllowedNetworks.Select(network => IPNetwork.Parse(network))],
                MaxEncodedLength = p.GetRequiredService<IOptions<ManifestOptions>>().Value.MaxEncodedUrlLength,
            }));
    }
}
