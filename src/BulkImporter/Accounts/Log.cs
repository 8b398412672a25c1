namespace BulkImporter.Accounts;

internal static partial class Log
{
    [LoggerMessage(EventName = "AccountSuspended", Level = LogLevel.Error, Message = "Account {AccountId} was suspended. {Reason}")]
    public static partial void AccountSuspended(ILogger logger, int accountId, string reason);
}
