using BulkImporter.Access;

namespace BulkImporter.Accounts;

/// <summary>
/// What people want to hear of, noted by the very statement that makes it happen, so that a fact without its notification, or the reverse,
/// cannot be. Notify sends it.
/// </summary>
internal static class Facts
{
    /// <summary>The query with the values follows.</summary>
    internal const string Insert = "INSERT INTO importer.notification (kind, at, import_id, account_id, reason)";

    private const string AreUnderWay = "state IN ('running', 'paused')";

    /// <summary>
    /// Within a statement that has "suspended" (id, reason): tells it, and notes it in the history of each import that it holds up.
    /// </summary>
    internal const string AccountSuspended = $"""
        told AS (
            {Insert} SELECT 'account_suspended', now(), NULL, id, reason FROM suspended
        ), noted AS (
            {Audit.Entry} SELECT now(), 'BulkImporter', 'account_suspended', i.id, s.id, s.reason
            FROM suspended s LEFT JOIN importer.import i ON i.account_id = s.id AND i.{AreUnderWay}
        )
        """;

    /// <summary>Notes with the next save that an account may be called again, in the history of each import that goes on by it.</summary>
    internal static async Task NoteResumedAsync(this ImporterDb db, string actor, Account account, CancellationToken cancellationToken)
    {
        var imports = await db.Database.SqlQueryRaw<int?>(
            $"SELECT id AS \"Value\" FROM importer.import WHERE account_id = {{0}} AND {AreUnderWay}", account.Id)
            .ToListAsync(cancellationToken);
        foreach (var import in imports.DefaultIfEmpty()) db.Note(actor, "account_resumed", importId: import, accountId: account.Id);
    }

    /// <summary>Within a statement that has "paused" (id, account_id, reason).</summary>
    internal const string ImportPaused = $"{Insert} SELECT 'import_paused', now(), id, account_id, reason FROM paused";
}
