using System.Collections.Concurrent;
using BulkImporter.Data;
using Npgsql;

namespace BulkImporter.Accounts;

/// <summary>
/// Suspends an account whose credential is rejected three times in a row, whose quota is used up, or whose address is not the API's. The rows are not to blame: their
/// attempts are given back, and nothing is called until a person resumes the account or replaces its token.
/// </summary>
public sealed class AccountBreaker(NpgsqlDataSource database, ILogger<AccountBreaker> log)
{
    public const int RejectionsThatSuspend = 3;

    private const string CountRejection = """
        WITH counted AS (
            UPDATE importer.account
            SET rejected_in_a_row = rejected_in_a_row + $5,
                state = CASE WHEN rejected_in_a_row + $5 >= $2 THEN 'suspended' ELSE state END,
                reason = CASE WHEN rejected_in_a_row + $5 >= $2 THEN $3 ELSE reason END,
                updated_at = CASE WHEN rejected_in_a_row + $5 >= $2 THEN now() ELSE updated_at END
            WHERE id = $1 AND state = 'active' AND updated_at = $4
            RETURNING id, state, reason
        ), told AS (
            INSERT INTO importer.notification (kind, at, account_id, reason) SELECT 'account_suspended', now(), id, reason FROM counted WHERE state = 'suspended'
        )
        SELECT state = 'suspended' FROM counted
        """;

    private const string Suspend = """
        WITH suspended AS (
            UPDATE importer.account SET state = 'suspended', reason = replace($2, '{address}', base_url), updated_at = now()
            WHERE id = $1 AND state = 'active' AND updated_at = $3
            RETURNING id, reason
        ), told AS (
            INSERT INTO importer.notification (kind, at, account_id, reason) SELECT 'account_suspended', now(), id, reason FROM suspended
        )
        SELECT true FROM suspended
        """;

    private const string Forget = "UPDATE importer.account SET rejected_in_a_row = 0 WHERE id = $1 AND rejected_in_a_row > 0 AND state = 'active'";

    private readonly ConcurrentDictionary<int, bool> forgotten = new();

    /// <summary>The token was not accepted, or lacks a permission; so many calls one after another said so.</summary>
    public async Task CredentialRejectedAsync(int accountId, DateTimeOffset version, int times, string message, CancellationToken cancellationToken)
    {
        forgotten[accountId] = false;
        var reason = $"Cincopa rejected the token {RejectionsThatSuspend} times in a row: {Sentence(message)} Check or replace the token, then resume the account.";
        var suspended = await database.QueryAsync(CountRejection, r => r.GetBoolean(0), cancellationToken, accountId, RejectionsThatSuspend, reason, version, times);
        if (suspended.Contains(true)) Log.AccountSuspended(log, accountId, reason);
    }

    /// <summary>Storage or assets are used up.</summary>
    public Task QuotaExceededAsync(int accountId, DateTimeOffset version, string message, CancellationToken cancellationToken) => SuspendAsync(accountId, version,
        $"Cincopa says that the account's quota is used up: {Sentence(message)} Make room or extend the plan, then resume the account.", cancellationToken);

    /// <summary>The ping named the token's permissions, and one that every row needs is not among them.</summary>
    public Task PermissionMissingAsync(int accountId, DateTimeOffset version, string sentence, CancellationToken cancellationToken) =>
        SuspendAsync(accountId, version, $"{sentence} Then resume the account.", cancellationToken);

    /// <summary>Something answers at the account's address that does not speak the API.</summary>
    public Task AnsweredByPageAsync(int accountId, DateTimeOffset version, string message, CancellationToken cancellationToken) => SuspendAsync(accountId, version,
        $"The address {{address}} answers with a page and not as the API does: {message} Correct the address, or resume the account.", cancellationToken);

    /// <summary>A call was accepted: the row of rejections is broken.</summary>
    public async Task CredentialWorkedAsync(int accountId, CancellationToken cancellationToken)
    {
        if (forgotten.GetValueOrDefault(accountId)) return;
        await database.ExecuteAsync(Forget, cancellationToken, accountId);
        forgotten[accountId] = true;
    }

    /// <summary>What the other side said, which seldom ends with a full stop, before a sentence of ours.</summary>
    private static string Sentence(string message) => message.TrimEnd('.', ' ') + ".";

    private async Task SuspendAsync(int accountId, DateTimeOffset version, string reason, CancellationToken cancellationToken)
    {
        var suspended = await database.QueryAsync(Suspend, r => r.GetBoolean(0), cancellationToken, accountId, reason, version);
        if (suspended.Count > 0) Log.AccountSuspended(log, accountId, reason);
    }
}
