namespace BulkImporter.Telemetry;

internal static partial class Log
{
    [LoggerMessage(EventName = "RoundFailed", Level = LogLevel.Error,
        Message = "The {Loop} failed and will try again; failures in a row: {Rounds}")]
    public static partial void RoundFailed(ILogger logger, string loop, int rounds, Exception error);

    [LoggerMessage(EventName = "ItemsFailed", Level = LogLevel.Error,
        Message = "The {Loop} met an unexpected error {Count} times, first with {Item}; the others are done")]
    public static partial void ItemsFailed(ILogger logger, string loop, int count, string item, Exception error);

    [LoggerMessage(EventName = "ResultsKept", Level = LogLevel.Warning,
        Message = "The {Loop} could not write {Count} results; they are kept and written again")]
    public static partial void ResultsKept(ILogger logger, string loop, int count, Exception error);
}
