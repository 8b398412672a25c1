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
        return services
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
