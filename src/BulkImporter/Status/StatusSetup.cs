namespace BulkImporter.Status;

public static class StatusSetup
{
    /// <summary>Between two polls of one record at first: a small file is in within seconds.</summary>
    private static readonly TimeSpan ShortestInterval = TimeSpan.FromSeconds(2);

    /// <summary>
    /// Between two polls of one record at last, unless the account's status rate stretches it. People look at a page about as often.
    /// </summary>
    private static readonly TimeSpan LongestInterval = TimeSpan.FromSeconds(60);

    public static IServiceCollection AddStatus(this IServiceCollection services) => services
        .AddSingleton<StatusPoller>()
        .AddSingleton<AbortRemote>()
        .AddSingleton(p => new PollSchedule(ShortestInterval, LongestInterval, p.GetRequiredService<Func<double>>()));
}
