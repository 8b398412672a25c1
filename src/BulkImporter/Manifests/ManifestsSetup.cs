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
        return services
            .AddSingleton<UploadManifest>()
            .AddSingleton<ManifestBytes>()
            .AddSingleton<SweepManifests>();
    }
}
