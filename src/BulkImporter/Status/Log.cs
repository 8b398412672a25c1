namespace BulkImporter.Status;

internal static partial class Log
{
    [LoggerMessage(EventName = "StatusWordUnknown", Level = LogLevel.Warning,
        Message = "The status call returned an unknown word: {Word}. It is treated as running")]
    public static partial void StatusWordUnknown(ILogger logger, string word);

    [LoggerMessage(EventName = "RecordsConcluded", Level = LogLevel.Debug, Message = "{Count} records came to an end")]
    public static partial void RecordsConcluded(ILogger logger, long count);

    [LoggerMessage(EventName = "AbortsAnswered", Level = LogLevel.Information,
        Message = "Account {AccountId}: {Count} orders to abort an import were answered")]
    public static partial void AbortsAnswered(ILogger logger, int accountId, int count);
}
