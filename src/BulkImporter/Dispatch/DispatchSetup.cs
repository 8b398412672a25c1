using BulkImporter.Records;

namespace BulkImporter.Dispatch;

public static class DispatchSetup
{
    /// <summary>The first wait before another attempt: a hiccup of the remote side is over by then.</summary>
    private static readonly TimeSpan RetryBase = TimeSpan.FromSeconds(2);

    public static IServiceCollection AddDispatch(this IServiceCollection services)
    {
        services.AddOptions<PushOptions>().BindConfiguration(PushOptions.Section).ValidateDataAnnotations()
            .Validate(o => o.Roots.All(Path.IsPathFullyQualified), "BulkImporter:Push:Roots takes absolute paths of folders.")
            .ValidateOnStart();
        return services
            .AddSingleton<Bandwidth>()
            .AddSingleton<PushSource>()
            .AddSingleton<PushProgress>()
            .AddSingleton<PushFile>()
            .AddSingleton<LeaseKeeper>()
            .AddSingleton<SendingNeeds>()
            .AddSingleton<DispatchChunk>()
            .AddSingleton<ChunkGivenBack>()
            .AddSingleton<ChunkFeeder>()
            .AddSingleton<RescueLeases>()
            .AddSingleton<ResubmitUnknown>()
            .AddSingleton(p =>
                new RetrySchedule(RetryBase, p.GetRequiredService<IOptions<WorkOptions>>().Value.RetryCap,
                    p.GetRequiredService<Func<double>>()));
    }
}
