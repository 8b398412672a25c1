using BulkImporter.Records;
using Microsoft.Extensions.Options;

namespace BulkImporter.Dispatch;

public static class DispatchSetup
{
    public static IServiceCollection AddDispatch(this IServiceCollection services)
    {
        services.AddOptions<DispatchOptions>().BindConfiguration(DispatchOptions.Section).ValidateDataAnnotations()
            .Validate(o => o.LeaseRenewal * 3 <= o.LeaseDuration, "BulkImporter:Dispatch:LeaseRenewal must be at most a third of LeaseDuration.")
            .ValidateOnStart();
        services.AddOptions<PushOptions>().BindConfiguration(PushOptions.Section).ValidateDataAnnotations()
            .Validate(o => o.Roots.All(Path.IsPathFullyQualified), "BulkImporter:Push:Roots takes absolute paths of folders.")
            .Validate(o => o.RangeWait >= TimeSpan.Zero, "BulkImporter:Push:RangeWait must not be negative.")
            .ValidateOnStart();
        return services
            .AddSingleton<Bandwidth>()
            .AddSingleton<PushSource>()
            .AddSingleton<PushProgress>()
            .AddSingleton<PushFile>()
            .AddSingleton<LeaseKeeper>()
            .AddSingleton<DispatchChunk>()
            .AddSingleton<ChunkGivenBack>()
            .AddSingleton<ChunkFeeder>()
            .AddSingleton<RescueLeases>()
            .AddSingleton<ResubmitUnknown>()
            .AddSingleton(p =>
            {
                var options = p.GetRequiredService<IOptions<DispatchOptions>>().Value;
                return new RetrySchedule(options.RetryBase, options.RetryCap, p.GetRequiredService<Func<double>>());
            });
    }
}
