namespace BulkImporter.Notify;

public static class NotifySetup
{
    /// <summary>What posts, on a worker.</summary>
    public static IServiceCollection AddNotify(this IServiceCollection services)
    {
        services.AddOptions<MailOptions>().BindConfiguration(MailOptions.Section).ValidateDataAnnotations()
            .Validate(o => o.Host is not { Length: > 0 }
                || MimeKit.MailboxAddress.TryParse(o.From, out _), "BulkImporter:Mail:From must be a mail address when Host is set.")
            .ValidateOnStart();
        return services.AddSingleton(new DeliveryPace()).AddSingleton<PostNotification>().AddSingleton<MailNotification>()
            .AddSingleton<SendNotifications>().AddNotifyCommon();
    }

    /// <summary>What admins do with targets and notifications, behind the doors.</summary>
    public static IServiceCollection AddNotifyDoors(this IServiceCollection services) =>
        services.AddSingleton<ChangeTargets>().AddSingleton<ReadNotifications>().AddSingleton<ReplayNotification>().AddNotifyCommon();

    // A process that serves and works asks twice.
    private static IServiceCollection AddNotifyCommon(this IServiceCollection services) => services.AddSingleton<ProtectSecret>();
}
