using System.Collections.Concurrent;
using BulkImporter.Records;
using BulkImporter.Telemetry;
using Cincopa.Client;

namespace BulkImporter.Accounts;

/// <summary>What every <see cref="AccountRound{TItem, TEnd}"/> works with.</summary>
internal sealed record RoundNeeds(
    NpgsqlDataSource Database, AccountAccess Accounts, CallGovernor Governor, AccountHealth Health, ICincopaClient Cincopa,
    LoopHealth Loops, IOptions<WorkOptions> Work, TimeProvider Clock, ILogger<RoundNeeds> Log);

/// <summary>
/// A round of claimed work that calls Cincopa: claim, permits, calls, end, write; account by account beside each other. Each item ends in a
/// result of its own, whatever its work throws, and the results of the others are written whatever happens: they are kept until the
/// database takes them, and when it refuses what is in one, that one gets another result. What is left without a result comes again when
/// its claim runs out.
/// </summary>
/// <param name="loop">The loop's name, in the log and the measures.</param>
internal abstract class AccountRound<TItem, TEnd>(RoundNeeds needs, string loop)
    where TEnd : class
{
    protected NpgsqlDataSource Database => needs.Database;

    protected ICincopaClient Cincopa => needs.Cincopa;

    protected TimeProvider Clock => needs.Clock;

    protected WorkOptions Work => needs.Work.Value;

    /// <summary>
    /// Items that are worked on at the same time of an account that limits its calls in flight or their rate. Of one without, as many as
    /// are dispatched: otherwise the stages after dispatch would be what an import waits for.
    /// </summary>
    protected abstract int CallsInFlight { get; }

    /// <summary>How long what was claimed is left to this worker.</summary>
    protected abstract TimeSpan ClaimFor { get; }

    /// <summary>
    /// How long calls may begin after the claim; what is not begun by then is left to the claim's end, when it is as due as it was.
    /// </summary>
    protected virtual TimeSpan Patience => ClaimFor / 2;

    /// <summary>One round. Returns the number of items that were claimed.</summary>
    public async Task<int> RunAsync(CancellationToken cancellationToken)
    {
        var due = await ClaimAsync(cancellationToken);
        if (due.Count == 0) return 0;
        using var late = new CancellationTokenSource(Patience, needs.Clock);
        // What is done together has waited for the others, and would never come if its time were over with theirs.
        using var last = new CancellationTokenSource(1.5 * Patience, needs.Clock);
        await Task.WhenAll(due.GroupBy(AccountOf).Select(account =>
            RunAsync(account.Key, [.. account], late.Token, last.Token, cancellationToken)));
        return due.Count;
    }

    /// <summary>Takes what is due, so that nobody else does while it is worked on.</summary>
    protected abstract Task<IReadOnlyList<TItem>> ClaimAsync(CancellationToken cancellationToken);

    /// <summary>The parameters of <see cref="WorkBatch.Claim"/> and <see cref="WorkBatch.Due"/>.</summary>
    /// <param name="most">Records of an account that one round claims: some seconds of calls.</param>
    protected object?[] ClaimLimits(int most) => [most, ClaimFor, ClaimFor.TotalSeconds / 6, 4 * Work.MostInFlight];

    protected abstract int AccountOf(TItem item);

    /// <summary>What a person calls an item.</summary>
    protected abstract string NameOf(TItem item);

    /// <summary>
    /// Does what is to be done about one item. Returns what is to be written, or null for nothing: the item comes again when its claim runs
    /// out.
    /// </summary>
    protected abstract Task<TEnd?> WorkAsync(TItem item, AccountCalls calls, CancellationToken stop);

    /// <summary>
    /// Does with one call what several items need, after each has had its own. Returns all results, as they are then.
    /// </summary>
    /// <param name="ends">What came of each item.</param>
    /// <param name="calls">As for <see cref="WorkAsync"/>.</param>
    /// <param name="limits">How many calls may be made at the same time.</param>
    /// <param name="failed">Gets what threw.</param>
    protected virtual Task<IReadOnlyCollection<TEnd>> TogetherAsync(
        IReadOnlyCollection<TEnd> ends, AccountCalls calls, ParallelOptions limits, ConcurrentBag<FailedItem> failed) =>
        Task.FromResult(ends);

    /// <summary>The result of an item whose work threw. Null as for <see cref="WorkAsync"/>.</summary>
    protected abstract TEnd? Broken(TItem item, Exception error);

    /// <summary>Writes results. May be called again with the same ones, which then changes nothing.</summary>
    protected abstract Task WriteAsync(List<TEnd> ends);

    /// <summary>What is written instead of a result that the database refuses.</summary>
    protected abstract TEnd Unstorable(TEnd end);

    private async Task RunAsync(
        int accountId, IReadOnlyList<TItem> due, CancellationToken late, CancellationToken last, CancellationToken stop)
    {
        var failed = new ConcurrentBag<FailedItem>();
        try
        {
            var current = await needs.Accounts.GetAsync(accountId, stop);
            using var calls = new AccountCalls(needs, accountId, current, due.Count, late, stop);
            var ends = new ConcurrentBag<TEnd>();
            var isLimited = current is { MaxInFlight: > 0 } or { StatusRate: > 0 };
            var limits = new ParallelOptions
            {
                MaxDegreeOfParallelism = isLimited ? CallsInFlight : Work.MostInFlight,
                CancellationToken = CancellationToken.None,
            };
            await Parallel.ForEachAsync(due, limits, async (item, _) =>
            {
                if (await EndAsync(item, calls, failed, stop) is { } end) ends.Add(end);
                calls.ItemEnded();
            });
            calls.GoOn(last);
            await KeepAsync([.. await TogetherAsync(ends, calls, limits, failed)], WriteAsync, Unstorable, stop);
            if (calls is { HasWorked: true, IsTroubled: false }) await needs.Health.WorkedAsync(accountId, CallKind.Status);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // The process ends.
        }
        catch (Exception e)
        {
            // Nobody could be asked: there is no way to the account, or its token cannot be read. The other accounts go on.
            failed.Add(new($"account {accountId}", e));
        }
        needs.Loops.ItemsFailed(loop, failed);
    }

    private async Task<TEnd?> EndAsync(TItem item, AccountCalls calls, ConcurrentBag<FailedItem> failed, CancellationToken stop)
    {
        try
        {
            return await WorkAsync(item, calls, stop);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            return null;
        }
        catch (Exception e)
        {
            failed.Add(new(NameOf(item), e));
            return Broken(item, e);
        }
    }

    /// <summary>Writes what came of calls; see <see cref="KeptResults"/>.</summary>
    protected async Task KeepAsync<T>(IReadOnlyList<T> results, Func<List<T>, Task> write, Func<T, T> unstorable, CancellationToken stop)
    {
        var (lost, error) = await KeptResults.WriteAsync(
            results, write, unstorable, (count, e) => needs.Loops.WriteFailed(loop, count, e), DatabaseAnswersAsync, needs.Clock, stop);
        needs.Loops.ItemsFailed(loop, [.. Enumerable.Repeat(new FailedItem("a result that the database does not take", error!), lost)]);
    }

    private async Task<bool> DatabaseAnswersAsync()
    {
        try
        {
            await needs.Database.ExecuteAsync("SELECT 1", CancellationToken.None);
            return true;
        }
        catch (Exception e) when (e.IsOfTheDatabase())
        {
            return false;
        }
    }
}
