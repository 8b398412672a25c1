using Microsoft.Extensions.Options;

namespace BulkImporter.Status;

public static class StatusSetup
{
    /// <summary>What takes hints that a file is in, behind the doors.</summary>
    public static IServiceCollection AddPollHints(this IServiceCollection services) =>
        services.AddSingleton<PollHints>().AddHostedService(p => p.GetRequiredService<PollHints>());

    public static IServiceCollection AddStatus(this IServiceCollection services)
    {
        services.AddOptions<StatusOptions>().BindConfiguration(StatusOptions.Section).ValidateDataAnnotations()
            .Validate(o => o.ShortestInterval > TimeSpan.Zero && o.LongestInterval >= o.ShortestInterval, "BulkImporter:Status: the intervals must be positive, the longest not below the shortest.")
            .ValidateOnStart();
        return services
            .AddSingleton<StatusPoller>()
            .AddSingleton<AbortRemote>()
            .AddSingleton(p =>
            {
                var options = p.GetRequiredService<IOptions<StatusOptions>>().Value;
                return new PollSchedule(options.ShortestInterval, options.LongestInterval, p.GetRequiredService<Func<double>>());
            });
    }
}
