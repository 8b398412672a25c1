namespace BulkImporter.Probes;

internal static partial class Log
{
    [LoggerMessage(EventName = "ProbeFailed", Level = LogLevel.Error,
        Message = "Import {ImportId}: the probe met an unexpected error; it is tried again until it is stopped")]
    public static partial void ProbeFailed(ILogger logger, int importId, Exception error);

    [LoggerMessage(EventName = "SourcesNotProbed", Level = LogLevel.Error,
        Message = "Import {ImportId}: {Count} sources met an unexpected error when they were probed, first row {Row}")]
    public static partial void SourcesNotProbed(ILogger logger, int importId, int count, int row, Exception error);

    [LoggerMessage(EventName = "ProbeWithoutHeaders", Level = LogLevel.Warning,
        Message =
            "Import {ImportId}: the probe was stopped, for the source headers of account {AccountId} cannot be decrypted: the key ring "
                + "has lost their key. Set them again")]
    public static partial void ProbeWithoutHeaders(ILogger logger, int importId, int accountId);
}
