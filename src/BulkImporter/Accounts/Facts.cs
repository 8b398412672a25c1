namespace BulkImporter.Accounts;

/// <summary>
/// What people want to hear of, noted by the very statement that makes it happen, so that a fact without its notification, or the reverse,
/// cannot be. Notify sends it.
/// </summary>
internal static class Facts
{
    /// <summary>The query with the values follows.</summary>
    internal const string Insert = "INSERT INTO importer.notification (kind, at, import_id, account_id, reason)";

    /// <summary>Within a statement that has "paused" (id, account_id, reason).</summary>
    internal const string ImportPaused = $"{Insert} SELECT 'import_paused', now(), id, account_id, reason FROM paused";
}
