using System.Net;
using BulkImporter.Sources;
using Microsoft.Extensions.Options;

namespace BulkImporter.Manifests;

public static class ManifestsSetup
{
    public static IServiceCollection AddManifests(this IServiceCollection services)
    {
        services.AddOptions<ManifestOptions>().BindConfiguration(ManifestOptions.Section)
            .Validate(o => o.UploadLimitBytes > 0, "BulkImporter:Manifests:UploadLimitBytes must be greater than 0.")
            .Validate(o => o.MaxRows > 0, "BulkImporter:Manifests:MaxRows must be greater than 0.")
            .Validate(o => o.KeepUnused > TimeSpan.Zero, "BulkImporter:Manifests:KeepUnused must be greater than 0.")
            .ValidateOnStart();
        services.AddOptions<ProbeOptions>().BindConfiguration(ProbeOptions.Section)
            .Validate(o => o.RatePerSecond is > 0 and <= 1000 && o.Concurrency is > 0 and <= 100, "BulkImporter:Probe: RatePerSecond is up to 1,000, Concurrency from 1 to 100.")
            .Validate(o => o.AgainAfter >= TimeSpan.FromMinutes(1), "BulkImporter:Probe:AgainAfter is at least a minute.")
            .ValidateOnStart();
        return services
            .AddSingleton<UploadManifest>()
            .AddSingleton<CreateImport>()
            .AddSingleton<CreateImportOfFiles>()
            .AddSingleton<ReviseImport>()
            .AddSingleton<PreviewManifest>()
            .AddSingleton<CorrectRecords>()
            .AddSingleton<SaveTemplate>()
            .AddSingleton<ReadTemplates>()
            .AddSingleton<DeleteTemplate>()
            .AddSingleton<ManifestBytes>()
            .AddSingleton<ReadFindings>()
            .AddSingleton<StartProbe>()
            .AddSingleton<ReadProbe>()
            .AddSingleton<QueueProbes>()
            .AddSingleton<ProbeSources>()
            .AddSingleton<SweepManifests>()
            .AddSingleton<QueueParsing>()
            .AddSingleton<ParseManifest>()
            .AddSingleton(p => new SourceUrlRules(new SourceUrlOptions
            {
                AllowPrivateHosts = p.GetRequiredService<IOptions<ManifestOptions>>().Value.AllowPrivateHosts,
                PushNetworks = [.. p.GetRequiredService<IOptions<SourceOptions>>().Value.AllowedNetworks.Select(network => IPNetwork.Parse(network))],
                MaxEncodedLength = p.GetRequiredService<IOptions<ManifestOptions>>().Value.MaxEncodedUrlLength,
            }));
    }
}
