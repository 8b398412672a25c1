namespace BulkImporter.Notify;

internal static partial class Log
{
    [LoggerMessage(EventName = "NotificationNotDelivered", Level = LogLevel.Warning,
        Message = "Notification {NotificationId} was not delivered to {Target} (try {Tries}): {Problem}")]
    public static partial void NotificationNotDelivered(ILogger logger, long notificationId, string target, int tries, string problem);
}
