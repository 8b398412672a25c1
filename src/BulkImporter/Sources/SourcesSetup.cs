using System.Net;
using BulkImporter.Manifests;

namespace BulkImporter.Sources;

public static class SourcesSetup
{
    public static IServiceCollection AddSources(this IServiceCollection services)
    {
        services.AddOptions<SourceOptions>().BindConfiguration(SourceOptions.Section).ValidateDataAnnotations()
            .Validate(o => o.AllowedNetworks.All(network => IPNetwork.TryParse(network, out _)),
                "BulkImporter:Sources:AllowedNetworks takes networks such as 10.20.0.0/16 or fd00::/8, with no bit set after the prefix.")
            .ValidateOnStart();
        return services
            .AddSingleton<SourceNetworks>()
            .AddSingleton<ResolveName>(_ => Dns.GetHostAddressesAsync)
            .AddSingleton<ReachSource>()
            .AddSingleton<KeepSourceFile>()
            .AddSingleton<ReadSourceFile>()
            .AddSingleton(p => new SourceUrlRules(
                p.GetRequiredService<IOptions<ManifestOptions>>().Value, p.GetRequiredService<SourceNetworks>().Allowed));
    }
}
