namespace BulkImporter.Notify;

public static class NotifySetup
{
    /// <summary>What posts, on a worker.</summary>
    public static IServiceCollection AddNotify(this IServiceCollection services)
    {
        services.AddOptions<NotifyOptions>().BindConfiguration(NotifyOptions.Section).ValidateDataAnnotations()
            .Validate(o => o.Timeout > TimeSpan.Zero && o.RetryBase > TimeSpan.Zero && o.RetryCap >= o.RetryBase, "BulkImporter:Notify: Timeout and RetryBase must be more than 0, and RetryCap not less than RetryBase.")
            .Validate(o => o.KeepFor >= TimeSpan.FromDays(1), "BulkImporter:Notify:KeepFor must be at least a day.")
            .Validate(o => o.PageBaseUrl is null or { IsAbsoluteUri: true, Scheme: "http" or "https", UserInfo: "", Query: "", Fragment: "" },
                "BulkImporter:Notify:PageBaseUrl must be an absolute http or https address without credentials, query and fragment.")
            .ValidateOnStart();
        services.AddOptions<MailOptions>().BindConfiguration(MailOptions.Section).ValidateDataAnnotations()
            .Validate(o => o.Host is not { Length: > 0 } || MimeKit.MailboxAddress.TryParse(o.From, out _), "BulkImporter:Mail:From must be a mail address when Host is set.")
            .ValidateOnStart();
        return services.AddSingleton<PostNotification>().AddSingleton<MailNotification>().AddSingleton<SendNotifications>().AddNotifyCommon();
    }

    /// <summary>What admins do with targets and notifications, behind the doors.</summary>
    public static IServiceCollection AddNotifyDoors(this IServiceCollection services) =>
        services.AddSingleton<ChangeTargets>().AddSingleton<ReadNotifications>().AddSingleton<ReplayNotification>().AddNotifyCommon();

    // A process that serves and works asks twice.
    private static IServiceCollection AddNotifyCommon(this IServiceCollection services) => services.AddSingleton<ProtectSecret>();
}
