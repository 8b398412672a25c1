namespace BulkImporter.Manifests;

internal static partial class Log
{
    [LoggerMessage(EventName = "ManifestParsed", Level = LogLevel.Information, Message = "Import {ImportId}: {Rows} rows read in {Seconds:F1} s, {Duplicates} duplicates")]
    public static partial void ManifestParsed(ILogger logger, int importId, int rows, int duplicates, double seconds);

    [LoggerMessage(EventName = "ManifestRejected", Level = LogLevel.Warning, Message = "Import {ImportId}: the manifest was rejected: {Reason}")]
    public static partial void ManifestRejected(ILogger logger, int importId, string reason);

    [LoggerMessage(EventName = "ParseFailed", Level = LogLevel.Error, Message = "Import {ImportId}: reading the manifest met an unexpected error, {Tries} times by now; it is tried again until it is rejected")]
    public static partial void ParseFailed(ILogger logger, int importId, int tries, Exception error);

    [LoggerMessage(EventName = "ProbeFailed", Level = LogLevel.Error, Message = "Import {ImportId}: the probe met an unexpected error; it is tried again until it is stopped")]
    public static partial void ProbeFailed(ILogger logger, int importId, Exception error);

    [LoggerMessage(EventName = "SourcesNotProbed", Level = LogLevel.Error, Message = "Import {ImportId}: {Count} sources met an unexpected error when they were probed, first row {Row}")]
    public static partial void SourcesNotProbed(ILogger logger, int importId, int count, int row, Exception error);

    [LoggerMessage(EventName = "ProbeWithoutHeaders", Level = LogLevel.Warning, Message = "Import {ImportId}: the probe was stopped, for the source headers of account {AccountId} cannot be decrypted: the key ring has lost their key. Set them again")]
    public static partial void ProbeWithoutHeaders(ILogger logger, int importId, int accountId);

    [LoggerMessage(EventName = "RowCheckFailed", Level = LogLevel.Error, Message = "Row {Row} (line {Line}) of a manifest could not be checked and is blocked; further rows of it that fail so are not logged")]
    public static partial void RowCheckFailed(ILogger logger, Exception exception, int row, long line);
}
