using BulkImporter.Records;
using Cincopa.Client;

namespace BulkImporter.Accounts;

/// <summary>
/// The right of one round to call Cincopa for one account: permits, some at a time where the account has a rate and none where it has not,
/// and the end of all calls when one says that the account should not be called. Its calls come out of the account's status budget.
/// </summary>
/// <param name="items">What the round has for the account, which is how many calls it will make at least.</param>
/// <param name="late">Cancelled when the claim is half over: what is not begun by then is left to its end.</param>
internal sealed class AccountCalls(
    RoundNeeds needs, int accountId, CurrentAccess current, int items, CancellationToken late, CancellationToken stop) : IDisposable
{
    private CancellationTokenSource closed = CancellationTokenSource.CreateLinkedTokenSource(late, stop);
    private readonly SemaphoreSlim turn = new(1);
    private Permits permits;
    private int used;
    private int open = items;

    public CincopaAccess Access => current.Access;

    /// <summary>The round's time for calls is over.</summary>
    public bool IsLate => late.IsCancellationRequested;

    /// <summary>A call spoke against the account.</summary>
    internal bool IsTroubled { get; private set; }

    /// <summary>A call was answered as it should be.</summary>
    internal bool HasWorked { get; private set; }

    /// <summary>Waits until the next call may start. False when none may any more.</summary>
    public async Task<bool> MayCallAsync()
    {
        if (closed.IsCancellationRequested) return false;
        if (current.StatusRate <= 0) return true;
        try
        {
            var (mine, place) = await NextPermitAsync();
            return await needs.Governor.MayStartAsync(accountId, CallKind.Status, mine, place, closed.Token);
        }
        catch (OperationCanceledException) when (closed.IsCancellationRequested)
        {
            return false;
        }
    }

    /// <summary>Between two stages of a round: the next one has its own time for calls, unless one spoke against the account.</summary>
    /// <param name="later">As <c>late</c>.</param>
    public void GoOn(CancellationToken later)
    {
        if (IsTroubled) return;
        closed.Dispose();
        closed = CancellationTokenSource.CreateLinkedTokenSource(later, stop);
    }

    /// <summary>The account answers: a block that stands against it may go when the round is over.</summary>
    public void Worked() => HasWorked = true;

    /// <summary>No further call is made in this round, and the account hears why, once.</summary>
    public async Task CloseAsync(RemoteError error)
    {
        if (IsTroubled || closed.IsCancellationRequested) return;
        IsTroubled = true;
        await closed.CancelAsync();
        Log.CallsEnded(needs.Log, accountId, error.Message);
        await needs.Health.FailedAsync(accountId, current.Version, CallKind.Status, error);
    }

    /// <summary>
    /// True, and the round is closed, when an error says something about the account as a whole. A token that may upload and not do this
    /// must not suspend an account that imports, so the ping decides whether token or address are at fault.
    /// </summary>
    public async Task<bool> BlameAsync(RemoteError error)
    {
        switch (error.Code())
        {
            case FailureCode.RateLimited or FailureCode.ApiUnreachable:
                await CloseAsync(error);
                return true;
            case FailureCode.TokenRejected or FailureCode.PermissionMissing or FailureCode.NotTheApi
                when await needs.Cincopa.PingAsync(Access, CancellationToken.None) is PingResult.Failed { Error: var ping }
                    && ping.Code() is FailureCode.TokenRejected or FailureCode.NotTheApi:
                await CloseAsync(ping);
                return true;
            default:
                return false;
        }
    }

    internal void ItemEnded() => Interlocked.Decrement(ref open);

    public void Dispose()
    {
        closed.Dispose();
        turn.Dispose();
    }

    private async Task<(Permits Permits, int Place)> NextPermitAsync()
    {
        await turn.WaitAsync(closed.Token);
        try
        {
            if (used >= permits.Count)
            {
                // Half a second's worth at most, as for submit calls, and not more than will be needed: what is left over passes unused.
                var most = (int)Math.Clamp(current.StatusRate / 2, 1, Math.Max(1, Volatile.Read(ref open)));
                (permits, used) = (await needs.Governor.TakeAsync(accountId, CallKind.Status, most, closed.Token), 0);
            }
            return (permits, used++);
        }
        finally
        {
            turn.Release();
        }
    }
}
