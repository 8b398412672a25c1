namespace BulkImporter.Imports;

internal static partial class Log
{
    [LoggerMessage(EventName = "ImportFinished", Level = LogLevel.Information, Message = "Import {ImportId} finished")]
    public static partial void ImportFinished(ILogger logger, int importId);

    [LoggerMessage(EventName = "ImportPausedByBreaker", Level = LogLevel.Error, Message = "Import {ImportId}: {Reason}")]
    public static partial void ImportPausedByBreaker(ILogger logger, int importId, string reason);
}
