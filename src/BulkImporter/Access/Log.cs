namespace BulkImporter.Access;

internal static partial class Log
{
    [LoggerMessage(EventName = "ProviderFailed", Level = LogLevel.Warning, Message = "A sign-in by the identity provider failed: {Reason}")]
    public static partial void ProviderFailed(ILogger logger, string reason);
}
