namespace BulkImporter.Retention;

public static class RetentionSetup
{
    public static IServiceCollection AddRetention(this IServiceCollection services)
    {
        services.AddOptions<RetentionOptions>().BindConfiguration(RetentionOptions.Section)
            .Validate(o => new[] { o.Imports, o.Attempts, o.Findings, o.Manifests, o.Audit, o.Links }.All(t => t is null || t > TimeSpan.Zero), "BulkImporter:Retention: each time must be greater than 0, or absent.")
            .Validate(o => o.Step is > 0 and <= 100_000, "BulkImporter:Retention:Step is from 1 to 100,000.")
            .ValidateOnStart();
        return services.AddSingleton<SweepEnded>().AddSingleton<RemoveDeleted>();
    }
}
