namespace BulkImporter.Finish;

internal static partial class Log
{
    [LoggerMessage(EventName = "FinishFailed", Level = LogLevel.Warning,
        Message = "Import {ImportId} record {RecordId}: the asset was not finished ({Code}): {Error}")]
    public static partial void FinishFailed(ILogger logger, int importId, int recordId, string code, string error);

    [LoggerMessage(EventName = "RecordsFinished", Level = LogLevel.Debug, Message = "{Count} records were finished")]
    public static partial void RecordsFinished(ILogger logger, int count);

    [LoggerMessage(EventName = "GalleryFound", Level = LogLevel.Information,
        Message = "Account {AccountId}: the gallery '{Name}' is {Fid}")]
    public static partial void GalleryFound(ILogger logger, int accountId, string name, string fid);

    [LoggerMessage(EventName = "GalleryCreated", Level = LogLevel.Information,
        Message = "Account {AccountId}: the gallery '{Name}' was created as {Fid}")]
    public static partial void GalleryCreated(ILogger logger, int accountId, string name, string fid);
}
