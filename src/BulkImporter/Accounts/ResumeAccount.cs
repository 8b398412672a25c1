using BulkImporter.Data;
using Npgsql;

namespace BulkImporter.Accounts;

/// <summary>Lets a suspended account be called again, and forgets that the API asked everyone to stay away.</summary>
public sealed class ResumeAccount(NpgsqlDataSource database)
{
    private const string Resume = """
        WITH resumed AS (
            UPDATE importer.account SET state = 'active', reason = NULL, rejected_in_a_row = 0, updated_at = now(),
                verb_in_use = CASE WHEN submit_verb = 'auto' AND first_accepted_at IS NULL THEN 'get' ELSE verb_in_use END
            WHERE name = $1 RETURNING id
        ), unblocked AS (
            UPDATE importer.call_budget b SET blocked_until = NULL, blocked_reason = NULL, blocks_in_a_row = 0 FROM resumed r WHERE b.account_id = r.id
        )
        INSERT INTO importer.audit_entry (at, actor, action, account_id) SELECT now(), $2, 'account_resumed', id FROM resumed
        """;

    /// <summary>False when there is no account of this name. An active account stays active.</summary>
    public async Task<bool> RunAsync(string name, string actor, CancellationToken cancellationToken) =>
        await database.ExecuteAsync(Resume, cancellationToken, name, actor) == 1;
}
