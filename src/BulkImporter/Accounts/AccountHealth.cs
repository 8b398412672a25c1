using System.Collections.Concurrent;
using BulkImporter.Records;
using Cincopa.Client;

namespace BulkImporter.Accounts;

/// <summary>What a call's outcome says about its account, whoever made the call: a bad credential, a full quota, or a remote side that wants to be left alone.</summary>
public sealed class AccountHealth(CallGovernor governor, AccountBreaker breaker)
{
    /// <summary>Submit calls one after another without a readable answer after which the account is left alone for a while.</summary>
    public const int UnansweredThatSilence = 5;

    // Counted by each process for itself: when it alone hears nothing, it is its own network that is broken.
    private readonly ConcurrentDictionary<int, int> unanswered = new();

    /// <summary>
    /// No submit call of this process was answered lately. Whoever calls now does it one at a time, because each call may leave a record
    /// in doubt; the first answer ends it.
    /// </summary>
    public bool IsSilent(int accountId) => unanswered.GetValueOrDefault(accountId) >= UnansweredThatSilence;

    /// <summary>Notes the result of a submit call. Answers what it says against the account, for <see cref="FailedAsync"/>, or null.</summary>
    public RemoteError? Noted(int accountId, SubmitResult result)
    {
        switch (result)
        {
            case SubmitResult.Unknown(var error, _):
                // Whatever it was, it is the same trouble for the account: calls leave and nobody knows what became of them.
                var inARow = unanswered.AddOrUpdate(accountId, 1, (_, before) => before + 1);
                return inARow < UnansweredThatSilence ? null
                    : error with { Kind = RemoteErrorKind.Timeout, Message = $"{inARow} calls one after another had no readable answer. The last: {error.Message}" };
            case SubmitResult.NeverSent never:
                return never.Error;
            default:
                unanswered[accountId] = 0;
                return result is SubmitResult.Refused refused && refused.Error.Code().IsNotTheRows() ? refused.Error : null;
        }
    }

    /// <param name="version">The account's version that the call was made with: a token that was replaced meanwhile is not judged by it.</param>
    /// <param name="times">As many calls one after another said it.</param>
    public Task FailedAsync(int accountId, DateTimeOffset version, CallKind kind, RemoteError error, int times = 1) => error.Code() switch
    {
        FailureCode.TokenRejected or FailureCode.PermissionMissing => breaker.CredentialRejectedAsync(accountId, version, times, error.Message, CancellationToken.None),
        FailureCode.QuotaExceeded => breaker.QuotaExceededAsync(accountId, version, error.Message, CancellationToken.None),
        FailureCode.NotTheApi => breaker.AnsweredByPageAsync(accountId, version, error.Message, CancellationToken.None),
        _ => governor.BlockAsync(accountId, kind, error.RetryAfter, error.Message, CancellationToken.None),
    };

    public async Task WorkedAsync(int accountId, CallKind kind)
    {
        await governor.CallWorkedAsync(accountId, kind, CancellationToken.None);
        await breaker.CredentialWorkedAsync(accountId, CancellationToken.None);
    }
}
