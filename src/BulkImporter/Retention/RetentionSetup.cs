namespace BulkImporter.Retention;

public static class RetentionSetup
{
    public static IServiceCollection AddRetention(this IServiceCollection services)
    {
        services.AddOptions<RetentionOptions>().BindConfiguration(RetentionOptions.Section)
            .Validate(o => new[] { o.Imports, o.Details, o.Manifests, o.Files, o.Audit }.All(t => t is null || t > TimeSpan.Zero),
                "BulkImporter:Retention: each time must be greater than 0, or absent.")
            .ValidateOnStart();
        return services.AddSingleton<SweepEnded>().AddSingleton<RemoveDeleted>();
    }
}
