using Cincopa.Client;

namespace BulkImporter.Reconcile;

internal static partial class Log
{
    [LoggerMessage(EventName = "AssetsLookedThrough", Level = LogLevel.Information,
        Message = "Account {AccountId}: {Pages} pages of assets were looked through for {Count} records in doubt, {Adopted} were adopted")]
    public static partial void AssetsLookedThrough(ILogger logger, int accountId, int pages, int count, int adopted);

    [LoggerMessage(EventName = "AssetAdopted", Level = LogLevel.Information,
        Message = "Import {ImportId} record {RecordId} attempt {Attempt}: its asset {Rid} was found and adopted")]
    public static partial void AssetAdopted(ILogger logger, int importId, int recordId, int attempt, Rid rid);

    [LoggerMessage(EventName = "ListUnavailable", Level = LogLevel.Warning,
        Message = "Account {AccountId}: its assets could not be listed, so records stay in doubt: {Error}")]
    public static partial void ListUnavailable(ILogger logger, int accountId, string error);

    [LoggerMessage(EventName = "PushesSentAgain", Level = LogLevel.Information,
        Message = "Account {AccountId}: {Count} pushed files are not there under their names and are sent again")]
    public static partial void PushesSentAgain(ILogger logger, int accountId, int count);
}
