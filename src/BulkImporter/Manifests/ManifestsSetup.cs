using Microsoft.Extensions.Options;

namespace BulkImporter.Manifests;

public static class ManifestsSetup
{
    public static IServiceCollection AddManifests(this IServiceCollection services)
    {
        services.AddOptions<ManifestOptions>().BindConfiguration(ManifestOptions.Section)
            .Validate(o => o.UploadLimitBytes > 0, "BulkImporter:Manifests:UploadLimitBytes must be greater than 0.")
            .Validate(o => o.KeepUnused > TimeSpan.Zero, "BulkImporter:Manifests:KeepUnused must be greater than 0.")
            .ValidateOnStart();
        return services
            .AddSingleton<UploadManifest>()
            .AddSingleton<CreateImport>()
            .AddSingleton<ReviseImport>()
            .AddSingleton<PreviewManifest>()
            .AddSingleton<CorrectRecords>()
            .AddSingleton<SaveTemplate>()
            .AddSingleton<ReadTemplates>()
            .AddSingleton<DeleteTemplate>()
            .AddSingleton<ManifestBytes>()
            .AddSingleton<ReadFindings>()
            .AddSingleton<SweepManifests>()
            .AddSingleton<QueueParsing>()
            .AddSingleton<ParseManifest>()
            .AddSingleton(p => new SourceUrlRules(new SourceUrlOptions
            {
                AllowPrivateHosts = p.GetRequiredService<IOptions<ManifestOptions>>().Value.AllowPrivateHosts,
                MaxEncodedLength = p.GetRequiredService<IOptions<ManifestOptions>>().Value.MaxEncodedUrlLength,
            }));
    }
}
