namespace BulkImporter.Undo;

internal static partial class Log
{
    [LoggerMessage(EventName = "AssetNotDeleted", Level = LogLevel.Warning,
        Message = "Import {ImportId} record {RecordId}: the undo did not delete its asset ({Code}): {Error}")]
    public static partial void AssetNotDeleted(ILogger logger, int importId, int recordId, string code, string error);

    [LoggerMessage(EventName = "AssetsDeleted", Level = LogLevel.Information,
        Message = "Account {AccountId}: {Count} assets were deleted in Cincopa, as undos say")]
    public static partial void AssetsDeleted(ILogger logger, int accountId, long count);
}
