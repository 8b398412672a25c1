using System.Collections.Concurrent;
using BulkImporter.Records;
using Cincopa.Client;

namespace BulkImporter.Accounts;

/// <summary>
/// What a call's outcome says about its account, whoever made the call: a bad credential, a full quota, or a remote side that wants to be
/// left alone.
/// </summary>
public sealed class AccountHealth(CallGovernor governor, AccountBreaker breaker, IOptions<AccountsOptions> options)
{
    /// <summary>Submit calls one after another without a readable answer after which the account is left alone for a while.</summary>
    public const int UnansweredThatSilence = 5;

    /// <summary>How long nobody calls when the verb has changed: the windows that still have the other one stop at it.</summary>
    private static readonly TimeSpan VerbChange = TimeSpan.FromSeconds(1);

    // Counted by each process for itself: when it alone hears nothing, it is its own network that is broken.
    private readonly ConcurrentDictionary<int, int> unanswered = new();

    // The version of each account of which an acceptance was seen, and of which it is stored.
    private readonly ConcurrentDictionary<int, DateTimeOffset> accepted = new();
    private readonly ConcurrentDictionary<int, DateTimeOffset> stored = new();

    // The version of each account whose verb was refused.
    private readonly ConcurrentDictionary<int, DateTimeOffset> refused = new();

    /// <summary>
    /// No submit call of this process was answered lately. Whoever calls now does it one at a time, because each call may leave a record
    /// in doubt; the first answer ends it.
    /// </summary>
    public bool IsSilent(int accountId) => unanswered.GetValueOrDefault(accountId) >= UnansweredThatSilence;

    /// <summary>
    /// Notes the result of a submit call. Returns what it says against the account, for <see cref="FailedAsync"/>, or null.
    /// </summary>
    public RemoteError? Noted(int accountId, SubmitResult result) =>
        Noted(accountId, result is SubmitResult.Unknown, result is SubmitResult.NeverSent, (result as IFailure)?.Error);

    /// <summary>The same for the end of a push.</summary>
    public RemoteError? Noted(int accountId, PushResult result) =>
        Noted(accountId, result is PushResult.Unknown, result is PushResult.NeverSent, (result as IFailure)?.Error);

    private RemoteError? Noted(int accountId, bool isUnanswered, bool isUnsent, RemoteError? error)
    {
        if (isUnsent) return error;
        if (!isUnanswered)
        {
            unanswered[accountId] = 0;
            return error is not null && error.Code().IsNotTheRows() ? error : null;
        }
        // Whatever it was, it is the same trouble for the account: calls leave and nobody knows what became of them.
        var inARow = unanswered.AddOrUpdate(accountId, 1, (_, before) => before + 1);
        if (inARow < UnansweredThatSilence) return null;
        var message = $"{inARow} calls one after another had no readable answer. The last: {error!.Message}";
        return error with { Kind = RemoteErrorKind.Timeout, Message = message };
    }

    /// <summary>
    /// A page in place of a submit call's answer speaks against the account, and not against the row, when ping has one too.
    /// </summary>
    public async Task<RemoteError?> OfPageAsync(
        ICincopaClient cincopa, CincopaAccess access, SubmitResult result, CancellationToken cancellationToken) =>
        options.Value.SuspendOnForeignReplies && result is SubmitResult.Refused { Error: { Kind: RemoteErrorKind.NotTheApi } page }
            && await cincopa.IsElsewhereAsync(access, cancellationToken)
            ? page : null;

    /// <summary>
    /// What the result of a submit call says against an account of which Cincopa has not accepted one yet: it does not take the verb, or
    /// what answers is not the API. Null when it says nothing of the kind, or when Cincopa has accepted one: then it is the row's trouble.
    /// </summary>
    public RemoteError? OfFirstCalls(int accountId, CurrentAccess current, SubmitResult result)
    {
        if (result is SubmitResult.Accepted) accepted[accountId] = current.Version;
        if (!options.Value.SuspendOnForeignReplies || current.HasAccepted
            || accepted.GetValueOrDefault(accountId) == current.Version) return null;
        if (result is SubmitResult.Refused { Error: { Kind: RemoteErrorKind.MethodNotAllowed } verb })
        {
            refused[accountId] = current.Version;
            return verb;
        }
        return result switch
        {
            SubmitResult.Refused { Error: { Kind: RemoteErrorKind.NotTheApi } or { HttpStatus: < 400 and >= 300 } } page =>
                NotUnderstood(page.Error),
            SubmitResult.Unknown
            {
                Error: { Kind: RemoteErrorKind.UnreadableReply, HttpStatus: < 300 }
                or { HttpStatus: < 400 and >= 300 }
            } unknown => NotUnderstood(unknown.Error),
            _ => null,
        };

        static RemoteError NotUnderstood(RemoteError error) => error with { Kind = RemoteErrorKind.UnreadableReply };
    }

    /// <summary>The verb of this access was refused since: whoever holds it makes no further call, and reads the account again.</summary>
    public bool IsOutdated(int accountId, CurrentAccess current) =>
        !current.HasAccepted && refused.GetValueOrDefault(accountId) == current.Version;

    /// <summary>Stores that Cincopa accepted a submit call. Done once for each version of an account.</summary>
    public async Task AcceptedAsync(int accountId, CurrentAccess current)
    {
        if (current.HasAccepted || stored.GetValueOrDefault(accountId) == current.Version) return;
        await breaker.AcceptedAsync(accountId, current.Version);
        stored[accountId] = current.Version;
    }

    /// <param name="version">The account's version that the call was made with: a token that was replaced meanwhile is not judged by
    /// it.</param>
    /// <param name="times">As many calls one after another said it.</param>
    public async Task FailedAsync(int accountId, DateTimeOffset version, CallKind kind, RemoteError error, int times = 1)
    {
        switch (error.Code())
        {
            case FailureCode.TokenRejected or FailureCode.PermissionMissing:
                await breaker.CredentialRejectedAsync(accountId, version, times, error.Message);
                break;
            case FailureCode.QuotaExceeded:
                await breaker.QuotaExceededAsync(accountId, version, error.Message);
                break;
            case FailureCode.NotTheApi when options.Value.SuspendOnForeignReplies:
                await breaker.AnsweredByPageAsync(accountId, version, error.Message);
                break;
            case FailureCode.ReplyUnreadable when kind == CallKind.Submit:
                await breaker.NotUnderstoodAsync(accountId, version, times, error.Message);
                break;
            case FailureCode.RemoteRejected when kind == CallKind.Submit && error.Kind == RemoteErrorKind.MethodNotAllowed:
                if (await breaker.VerbRefusedAsync(accountId, version, error.Message))
                    await governor.BlockAsync(accountId, kind, VerbChange, "Cincopa does not accept submit calls by GET; POST is tried.");
                break;
            default:
                await governor.BlockAsync(accountId, kind, error.RetryAfter, error.Message);
                break;
        }
    }

    public async Task WorkedAsync(int accountId, CallKind kind)
    {
        await governor.CallWorkedAsync(accountId, kind);
        await breaker.CredentialWorkedAsync(accountId);
    }
}
