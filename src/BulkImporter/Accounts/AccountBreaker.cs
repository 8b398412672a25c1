using System.Collections.Concurrent;

namespace BulkImporter.Accounts;

/// <summary>
/// Suspends an account whose credential is rejected three times in a row, whose quota is used up, whose address is not the API's, or that
/// cannot be called by any verb. The rows are not to blame: their attempts are given back, and nothing is called until a person resumes the
/// account or replaces its token. Nothing of it is cancelled: it is what calls have told.
/// </summary>
public sealed class AccountBreaker(NpgsqlDataSource database, ILogger<AccountBreaker> log)
{
    public const int RejectionsThatSuspend = 3;

    private const string CountRejection = $$"""
        WITH counted AS (
            UPDATE importer.account
            SET rejected_in_a_row = rejected_in_a_row + $5,
                state = CASE WHEN rejected_in_a_row + $5 >= $2 THEN 'suspended' ELSE state END,
                reason = CASE WHEN rejected_in_a_row + $5 >= $2 THEN $3 ELSE reason END,
                updated_at = CASE WHEN rejected_in_a_row + $5 >= $2 THEN now() ELSE updated_at END
            WHERE id = $1 AND state = 'active' AND updated_at = $4
            RETURNING id, state, reason
        ), suspended AS (
            SELECT id, reason FROM counted WHERE state = 'suspended'
        ), {{Facts.AccountSuspended}}
        SELECT state = 'suspended' FROM counted
        """;

    private const string Suspend = $$"""
        WITH suspended AS (
            UPDATE importer.account SET state = 'suspended', reason = replace($2, '{address}', base_url), updated_at = now()
            WHERE id = $1 AND state = 'active' AND updated_at = $3
            RETURNING id, reason
        ), {{Facts.AccountSuspended}}
        SELECT true FROM suspended
        """;

    private const string RefuseVerb = $$"""
        WITH refused AS (
            UPDATE importer.account SET
                verb_in_use = CASE WHEN submit_verb = 'auto' AND verb_in_use = 'get' THEN 'post' ELSE verb_in_use END,
                state = CASE WHEN submit_verb = 'auto' AND verb_in_use = 'get' THEN state ELSE 'suspended' END,
                reason = CASE WHEN submit_verb = 'auto' AND verb_in_use = 'get' THEN reason
                    ELSE replace(replace($3, '{address}', base_url), '{verb}',
                        CASE submit_verb WHEN 'auto' THEN 'GET and POST' ELSE upper(submit_verb) END) END,
                updated_at = now()
            WHERE id = $1 AND state = 'active' AND updated_at = $2 AND first_accepted_at IS NULL
            RETURNING id, state, reason
        ), suspended AS (
            SELECT id, reason FROM refused WHERE state = 'suspended'
        ), {{Facts.AccountSuspended}}
        SELECT state = 'suspended' AS is_suspended, coalesce(reason, '') AS reason FROM refused
        """;

    private const string NoteAccepted =
        "UPDATE importer.account SET first_accepted_at = now() WHERE id = $1 AND updated_at = $2 AND first_accepted_at IS NULL";

    private const string Forget =
        "UPDATE importer.account SET rejected_in_a_row = 0 WHERE id = $1 AND rejected_in_a_row > 0 AND state = 'active'";

    private readonly ConcurrentDictionary<int, bool> forgotten = new();

    /// <summary>The token was not accepted, or lacks a permission; so many calls one after another said so.</summary>
    public Task CredentialRejectedAsync(int accountId, DateTimeOffset version, int times, string message) =>
        CountAsync(accountId, version, times,
            $"Cincopa rejected the token {RejectionsThatSuspend} times in a row: {Sentence(message)} Check or replace the token, then "
                + "resume the account.");

    /// <summary>
    /// Nothing was accepted yet, and so many replies one after another were not the API's, although ping is answered as it should be.
    /// </summary>
    public Task NotUnderstoodAsync(int accountId, DateTimeOffset version, int times, string message) =>
        CountAsync(accountId, version, times,
            $"The first {RejectionsThatSuspend} submit calls (upload_from_url) had replies that are not the API's: {Sentence(message)} "
                + "Check the account's address and verb, then resume it.");

    /// <summary>
    /// Nothing was accepted yet, and the verb is not taken (405). Returns true when the account goes on with the other verb, which only
    /// auto does and only once; otherwise it is suspended.
    /// </summary>
    public async Task<bool> VerbRefusedAsync(int accountId, DateTimeOffset version, string message)
    {
        var reason =
            $"The address {{address}} does not accept upload_from_url by {{verb}} (HTTP 405): {Sentence(message)} Check the address, or "
                + "set the account's verb to auto, get or post; then resume the account.";
        var refused = await database.QueryAsync<Refused>(RefuseVerb, CancellationToken.None, accountId, version, reason);
        if (refused is [{ IsSuspended: true } suspended]) Log.AccountSuspended(log, accountId, suspended.Reason);
        else if (refused is [_]) Log.VerbChanged(log, accountId);
        return refused is [{ IsSuspended: false }];
    }

    /// <summary>Cincopa accepted a submit call: from now on a reply that is not the API's is the row's trouble.</summary>
    public Task AcceptedAsync(int accountId, DateTimeOffset version) =>
        database.ExecuteAsync(NoteAccepted, CancellationToken.None, accountId, version);

    /// <summary>Storage or assets are used up.</summary>
    public Task QuotaExceededAsync(int accountId, DateTimeOffset version, string message) => SuspendAsync(accountId, version,
        $"Cincopa says that the account's quota is used up: {Sentence(message)} Make room or extend the plan, then resume the account.");

    /// <summary>Something answers at the account's address that does not speak the API.</summary>
    public Task AnsweredByPageAsync(int accountId, DateTimeOffset version, string message) => SuspendAsync(accountId, version,
        $"The address {{address}} answers with a page, not as the API does: {message} Correct the address, or resume the account. "
            + "(BulkImporter:Accounts:SuspendOnForeignReplies=false leaves such replies to the rows.)");

    /// <summary>A call was accepted: the row of rejections is broken.</summary>
    public async Task CredentialWorkedAsync(int accountId)
    {
        if (forgotten.GetValueOrDefault(accountId)) return;
        await database.ExecuteAsync(Forget, CancellationToken.None, accountId);
        forgotten[accountId] = true;
    }

    private async Task CountAsync(int accountId, DateTimeOffset version, int times, string reason)
    {
        forgotten[accountId] = false;
        var suspended = await database.QueryAsync<bool>(
            CountRejection, CancellationToken.None, accountId, RejectionsThatSuspend, reason, version, times);
        if (suspended.Contains(true)) Log.AccountSuspended(log, accountId, reason);
    }

    private sealed record Refused(bool IsSuspended, string Reason);

    /// <summary>What the other side said, which seldom ends with a full stop, before a sentence of ours.</summary>
    private static string Sentence(string message) => message.TrimEnd('.', ' ') + ".";

    private async Task SuspendAsync(int accountId, DateTimeOffset version, string reason)
    {
        var suspended = await database.QueryAsync<bool>(Suspend, CancellationToken.None, accountId, reason, version);
        if (suspended.Count > 0) Log.AccountSuspended(log, accountId, reason);
    }
}
