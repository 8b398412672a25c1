namespace BulkImporter.Retention;

internal static partial class Log
{
    [LoggerMessage(EventName = "RowsRemoved", Level = LogLevel.Information,
        Message = "{Count} {What} older than {Age} were removed, as retention says")]
    public static partial void RowsRemoved(ILogger logger, int count, string what, TimeSpan age);

    [LoggerMessage(EventName = "ImportDeletedByAge", Level = LogLevel.Information,
        Message = "Import {ImportId} ended more than {Age} ago and is deleted, as retention says")]
    public static partial void ImportDeletedByAge(ILogger logger, int importId, TimeSpan age);

    [LoggerMessage(EventName = "ImportRemoved", Level = LogLevel.Information,
        Message = "Import {ImportId} was deleted, and nothing of it is left")]
    public static partial void ImportRemoved(ILogger logger, int importId);
}
