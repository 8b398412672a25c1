using BulkImporter.Imports;

namespace BulkImporter.Dashboard.HangfirePages;

/// <summary>
/// What Hangfire's pages show of our imports. They ask again and again where ours watch, and are answered from the same feed.
/// </summary>
internal sealed class PolledFeed(ImportFeed feed, TimeProvider clock) : IDisposable
{
    /// <summary>The newest imports.</summary>
    public Polled<ListedPage<ImportView>> Imports { get; } = new(changed => feed.WatchList(ImportFilter.All, null, changed), clock);

    /// <summary>The records of all imports.</summary>
    public Polled<StateCounts> Totals { get; } = new(feed.WatchTotals, clock);

    public void Dispose()
    {
        Imports.Dispose();
        Totals.Dispose();
    }
}

/// <summary>
/// Answers many who ask with the latest that one watcher was told. It watches while somebody asks, and stops when nobody has asked for
/// a while: however many pages are open, the feed has one more watcher.
/// </summary>
internal sealed class Polled<T>(Func<Action<Reading<T>>, IDisposable> watch, TimeProvider clock) : IDisposable where T : class
{
    /// <summary>Longer than any page waits between two questions.</summary>
    internal static readonly TimeSpan StopAfter = TimeSpan.FromSeconds(30);

    private readonly Lock gate = new();
    private Watched? watched;
    private ITimer? stop;
    private long askedAt;

    /// <summary>
    /// The latest reading. Waits only when nobody has asked for a while, for the first one; stale and empty when that does not come.
    /// </summary>
    public async Task<Reading<T>> NowAsync(CancellationToken cancellationToken)
    {
        Watched current;
        lock (gate)
        {
            askedAt = clock.GetTimestamp();
            current = watched ??= new Watched(watch);
            stop ??= clock.CreateTimer(_ => StopUnlessAsked(), null, StopAfter, StopAfter);
        }
        return await current.LatestAsync(cancellationToken);
    }

    public void Dispose()
    {
        lock (gate) Stop();
    }

    private void StopUnlessAsked()
    {
        lock (gate)
        {
            if (clock.GetElapsedTime(askedAt) >= StopAfter) Stop();
        }
    }

    private void Stop()
    {
        watched?.Dispose();
        stop?.Dispose();
        (watched, stop) = (null, null);
    }

    /// <summary>One watch and what it was told: a late word of an earlier watch cannot be taken for a fresh one.</summary>
    private sealed class Watched : IDisposable
    {
        private readonly TaskCompletionSource first = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly IDisposable watching;
        private volatile Reading<T>? latest;

        public Watched(Func<Action<Reading<T>>, IDisposable> watch) => watching = watch(Tell);

        public async Task<Reading<T>> LatestAsync(CancellationToken cancellationToken)
        {
            await first.Task.WaitAsync(cancellationToken);
            return latest ?? new(null, default, IsStale: true);
        }

        /// <summary>Lets go of who still waits, too.</summary>
        public void Dispose()
        {
            watching.Dispose();
            first.TrySetResult();
        }

        private void Tell(Reading<T> reading)
        {
            latest = reading;
            first.TrySetResult();
        }
    }
}
