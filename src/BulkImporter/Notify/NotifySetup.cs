namespace BulkImporter.Notify;

public static class NotifySetup
{
    /// <summary>What posts, on a worker.</summary>
    public static IServiceCollection AddNotify(this IServiceCollection services)
    {
        services.AddOptions<MailOptions>().BindConfiguration(MailOptions.Section)
            .Validate(o => o.IsServerClear, "BulkImporter:Mail:Server must be like smtp://name:password@mail.example.com:587 or smtps://…; "
                + "percent-encode special characters in name and password, and append ?starttls=never for a server without TLS.")
            .Validate(o => o.Server is null || MimeKit.MailboxAddress.TryParse(o.From, out _),
                "BulkImporter:Mail:From must be a mail address when Server is set.")
            .ValidateOnStart();
        return services.AddSingleton(new DeliveryPace()).AddSingleton<PostNotification>().AddSingleton<MailNotification>()
            .AddSingleton<SendNotifications>();
    }

    /// <summary>What admins do with targets and notifications, behind the doors.</summary>
    public static IServiceCollection AddNotifyDoors(this IServiceCollection services) =>
        services.AddSingleton<ChangeTargets>().AddSingleton<ReadNotifications>().AddSingleton<ReplayNotification>();
}
