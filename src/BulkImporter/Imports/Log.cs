namespace BulkImporter.Imports;

internal static partial class Log
{
    [LoggerMessage(EventName = "ImportFinished", Level = LogLevel.Information, Message = "Import {ImportId} finished")]
    public static partial void ImportFinished(ILogger logger, int importId);

    [LoggerMessage(EventName = "ImportReopened", Level = LogLevel.Information,
        Message = "Import {ImportId} runs again: a late answer let records of it move")]
    public static partial void ImportReopened(ILogger logger, int importId);

    [LoggerMessage(EventName = "CountersDiffer", Level = LogLevel.Critical,
        Message = "Import {ImportId} chunk {Chunk}: the counters differ from the records; please report this with the log")]
    public static partial void CountersDiffer(ILogger logger, int importId, int chunk);

    [LoggerMessage(EventName = "GaugesNotRead", Level = LogLevel.Warning,
        Message = "The numbers about all imports could not be read: {Error}")]
    public static partial void GaugesNotRead(ILogger logger, string error);

    [LoggerMessage(EventName = "ImportPausedByBreaker", Level = LogLevel.Error, Message = "Import {ImportId}: {Reason}")]
    public static partial void ImportPausedByBreaker(ILogger logger, int importId, string reason);

    [LoggerMessage(EventName = "TrialEnded", Level = LogLevel.Information,
        Message = "Import {ImportId} is paused: the first records have ended, and somebody has to send the rest")]
    public static partial void TrialEnded(ILogger logger, int importId);

    [LoggerMessage(EventName = "UndoEnded", Level = LogLevel.Information, Message = "Import {ImportId}: its undo has ended")]
    public static partial void UndoEnded(ILogger logger, int importId);

    [LoggerMessage(EventName = "ImportPausedByZone", Level = LogLevel.Error, Message = "Import {ImportId}: {Reason}")]
    public static partial void ImportPausedByZone(ILogger logger, int importId, string reason);

    [LoggerMessage(Level = LogLevel.Warning, EventName = "ImportsNotRead",
        Message = "The imports could not be read for the open pages, which show older numbers and say so")]
    public static partial void ImportsNotRead(ILogger log, Exception exception);
}
