namespace BulkImporter.Notify;

public static class NotifySetup
{
    /// <summary>What posts, on a worker.</summary>
    public static IServiceCollection AddNotify(this IServiceCollection services)
    {
        services.AddOptions<NotifyOptions>().BindConfiguration(NotifyOptions.Section).ValidateDataAnnotations()
            .Validate(o => o.Timeout > TimeSpan.Zero && o.RetryBase > TimeSpan.Zero && o.RetryCap >= o.RetryBase, "BulkImporter:Notify: Timeout and RetryBase must be more than 0, and RetryCap not less than RetryBase.")
            .Validate(o => o.KeepFor >= TimeSpan.FromDays(1), "BulkImporter:Notify:KeepFor must be at least a day.")
            .ValidateOnStart();
        return services.AddSingleton<PostNotification>().AddSingleton<SendNotifications>().AddNotifyCommon();
    }

    /// <summary>What admins do with targets and notifications, behind the doors.</summary>
    public static IServiceCollection AddNotifyDoors(this IServiceCollection services) =>
        services.AddSingleton<ChangeTargets>().AddSingleton<ReadNotifications>().AddSingleton<ReplayNotification>().AddNotifyCommon();

    // A process that serves and works asks twice.
    private static IServiceCollection AddNotifyCommon(this IServiceCollection services) => services.AddSingleton<ProtectSecret>();
}
