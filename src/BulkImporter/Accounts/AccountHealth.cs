using BulkImporter.Records;
using Cincopa.Client;

namespace BulkImporter.Accounts;

/// <summary>What a call's outcome says about its account, whoever made the call: a bad credential, a full quota, or a remote side that wants to be left alone.</summary>
public sealed class AccountHealth(CallGovernor governor, AccountBreaker breaker)
{
    /// <param name="version">The account's version that the call was made with: a token that was replaced meanwhile is not judged by it.</param>
    public Task FailedAsync(int accountId, DateTimeOffset version, CallKind kind, RemoteError error) => error.Code() switch
    {
        FailureCode.TokenRejected or FailureCode.PermissionMissing => breaker.CredentialRejectedAsync(accountId, version, error.Message, CancellationToken.None),
        FailureCode.QuotaExceeded => breaker.QuotaExceededAsync(accountId, version, error.Message, CancellationToken.None),
        _ => governor.BlockAsync(accountId, kind, error.RetryAfter, error.Message, CancellationToken.None),
    };

    public async Task WorkedAsync(int accountId, CallKind kind)
    {
        await governor.CallWorkedAsync(accountId, kind, CancellationToken.None);
        await breaker.CredentialWorkedAsync(accountId, CancellationToken.None);
    }
}
