namespace BulkImporter.Accounts;

internal static partial class Log
{
    [LoggerMessage(EventName = "AccountSuspended", Level = LogLevel.Error, Message = "Account {AccountId} was suspended. {Reason}")]
    public static partial void AccountSuspended(ILogger logger, int accountId, string reason);

    [LoggerMessage(EventName = "VerbChanged", Level = LogLevel.Warning,
        Message = "Account {AccountId}: Cincopa does not accept upload_from_url by GET (HTTP 405); POST is tried from now on")]
    public static partial void VerbChanged(ILogger logger, int accountId);

    [LoggerMessage(EventName = "PermissionsMissing", Level = LogLevel.Warning, Message = "Account {AccountId}: {Warning}")]
    public static partial void PermissionsMissing(ILogger logger, int accountId, string warning);

    [LoggerMessage(EventName = "CallsEnded", Level = LogLevel.Information,
        Message = "Account {AccountId}: no further status call for now: {Error}")]
    public static partial void CallsEnded(ILogger logger, int accountId, string error);
}
