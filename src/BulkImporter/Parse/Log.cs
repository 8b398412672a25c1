namespace BulkImporter.Parse;

internal static partial class Log
{
    [LoggerMessage(EventName = "ManifestParsed", Level = LogLevel.Information,
        Message = "Import {ImportId}: {Rows} rows read in {Seconds:F1} s, {Duplicates} duplicates")]
    public static partial void ManifestParsed(ILogger logger, int importId, int rows, int duplicates, double seconds);

    [LoggerMessage(EventName = "ManifestRejected", Level = LogLevel.Warning,
        Message = "Import {ImportId}: the manifest was rejected: {Reason}")]
    public static partial void ManifestRejected(ILogger logger, int importId, string reason);

    [LoggerMessage(EventName = "ParseFailed", Level = LogLevel.Error,
        Message =
            "Import {ImportId}: reading the manifest met an unexpected error, {Tries} times by now; "
                + "it is tried again until it is rejected")]
    public static partial void ParseFailed(ILogger logger, int importId, int tries, Exception error);

    [LoggerMessage(EventName = "RowCheckFailed", Level = LogLevel.Error,
        Message =
            "Row {Row} (line {Line}) of a manifest could not be checked and is blocked; further rows of it that fail so are not logged")]
    public static partial void RowCheckFailed(ILogger logger, Exception exception, int row, long line);
}
