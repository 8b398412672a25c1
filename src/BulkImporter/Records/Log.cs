namespace BulkImporter.Records;

internal static partial class Log
{
    [LoggerMessage(EventName = "HostWaits", Level = LogLevel.Warning,
        Message = "Account {AccountId}: {Host} has failed {Failures} times in a row ({Code}) and waits; it is asked again at {AskedAt}")]
    public static partial void HostWaits(
        ILogger logger, int accountId, string host, int failures, string code, DateTimeOffset? askedAt);

    [LoggerMessage(EventName = "HostsNotSeen", Level = LogLevel.Warning,
        Message = "The waiting source hosts could not be read, the last known ones are used: {Error}")]
    public static partial void HostsNotSeen(ILogger logger, string error);

    [LoggerMessage(EventName = "HostsNotCounted", Level = LogLevel.Warning,
        Message = "What the ends of {Count} records say of their source hosts was not counted: {Error}")]
    public static partial void HostsNotCounted(ILogger logger, int count, string error);

    [LoggerMessage(EventName = "HostAsked", Level = LogLevel.Information,
        Message = "Account {AccountId}: {Host} is asked for one file; if that fails, again in {Wait}")]
    public static partial void HostAsked(ILogger logger, int accountId, string host, TimeSpan wait);

    [LoggerMessage(EventName = "HostWorks", Level = LogLevel.Information, Message = "Account {AccountId}: {Host} works again")]
    public static partial void HostWorks(ILogger logger, int accountId, string host);
}
