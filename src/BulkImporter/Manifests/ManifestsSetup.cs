namespace BulkImporter.Manifests;

public static class ManifestsSetup
{
    public static IServiceCollection AddManifests(this IServiceCollection services)
    {
        services.AddOptions<ManifestOptions>().BindConfiguration(ManifestOptions.Section).ValidateDataAnnotations().ValidateOnStart();
        return services
            .AddSingleton<UploadManifest>()
            .AddSingleton<ManifestBytes>()
            .AddSingleton<SweepManifests>();
    }
}
