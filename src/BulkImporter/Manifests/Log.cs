namespace BulkImporter.Manifests;

internal static partial class Log
{
    [LoggerMessage(EventName = "ManifestParsed", Level = LogLevel.Information, Message = "Import {ImportId}: {Rows} rows read in {Seconds:F1} s, {Duplicates} duplicates")]
    public static partial void ManifestParsed(ILogger logger, int importId, int rows, int duplicates, double seconds);

    [LoggerMessage(EventName = "ManifestRejected", Level = LogLevel.Warning, Message = "Import {ImportId}: the manifest was rejected: {Reason}")]
    public static partial void ManifestRejected(ILogger logger, int importId, string reason);

    [LoggerMessage(EventName = "ProbeWithoutHeaders", Level = LogLevel.Warning, Message = "Import {ImportId}: the probe was stopped, for the source headers of account {AccountId} cannot be decrypted: the key ring has lost their key. Set them again")]
    public static partial void ProbeWithoutHeaders(ILogger logger, int importId, int accountId);

    [LoggerMessage(EventName = "RowCheckFailed", Level = LogLevel.Error, Message = "Row {Row} (line {Line}) of a manifest could not be checked and is blocked; further rows of it that fail so are not logged")]
    public static partial void RowCheckFailed(ILogger logger, Exception exception, int row, long line);
}
