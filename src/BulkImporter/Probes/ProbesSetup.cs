namespace BulkImporter.Probes;

public static class ProbesSetup
{
    public static IServiceCollection AddProbes(this IServiceCollection services)
    {
        services.AddOptions<ProbeOptions>().BindConfiguration(ProbeOptions.Section)
            .Validate(o => o.RatePerSecond is > 0 and <= 1000 && o.Concurrency is > 0 and <= 100, "BulkImporter:Probe: RatePerSecond is up to 1,000, Concurrency from 1 to 100.")
            .Validate(o => o.AgainAfter >= TimeSpan.FromMinutes(1), "BulkImporter:Probe:AgainAfter is at least a minute.")
            .ValidateOnStart();
        return services
            .AddSingleton<StartProbe>()
            .AddSingleton<ReadProbe>()
            .AddSingleton<QueueProbes>()
            .AddSingleton<ProbeSources>();
    }
}
