namespace BulkImporter.Probes;

public static class ProbesSetup
{
    public static IServiceCollection AddProbes(this IServiceCollection services) => services
        .AddSingleton<StartProbe>()
        .AddSingleton<ReadProbe>()
        .AddSingleton<QueueProbes>()
        .AddSingleton<ProbeSources>();
}
