using BulkImporter.Data;
using BulkImporter.Imports;

namespace BulkImporter.Dashboard;

/// <summary>What was read last, and whether that is still so.</summary>
/// <param name="IsStale">The last look failed: the value is older than it should be, or was never there.</param>
public sealed record Reading<T>(T? Value, DateTimeOffset At, bool IsStale);

/// <summary>
/// Keeps every open page of this process current. Each import, and each page of the list, is read once a second for all who look at
/// it, while somebody does: fifty open pages cost what one costs. What stands still is looked at less often.
/// </summary>
public sealed class ImportFeed(ReadImports imports, TimeProvider clock, ILogger<ImportFeed> log)
{
    /// <summary>Imports on one page of the list.</summary>
    public const int ListLength = 25;

    private static readonly TimeSpan WhileMoving = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan WhileStill = TimeSpan.FromSeconds(4);

    private readonly Lock gate = new();
    private readonly Dictionary<int, Topic<ImportView>> ones = [];
    private readonly Dictionary<int, Topic<Page<ImportView>>> lists = [];

    /// <summary>Calls <paramref name="changed"/> with the import now and whenever it was read; its value is null when there is no such import.</summary>
    public IDisposable Watch(int importId, Action<Reading<ImportView>> changed) =>
        Watch(ones, importId, cancellationToken => imports.FindAsync(importId, cancellationToken), Moves, changed);

    /// <summary>The same for a page of the list.</summary>
    /// <param name="after">The <see cref="Page{T}.Next"/> of the page before, or null for the first.</param>
    public IDisposable WatchList(int? after, Action<Reading<Page<ImportView>>> changed) =>
        Watch(lists, after ?? 0, async cancellationToken => await imports.ListAsync(ListLength, after, null, cancellationToken), p => p.Items.Any(Moves), changed);

    /// <summary>Looks at an import at once: somebody here has just changed it.</summary>
    public void Hurry(int importId)
    {
        lock (gate)
        {
            if (ones.TryGetValue(importId, out var one)) one.Hurry();
            foreach (var list in lists.Values) list.Hurry();
        }
    }

    internal int TopicCount
    {
        get
        {
            lock (gate) return ones.Count + lists.Count;
        }
    }

    /// <summary>A cancelled import still moves while Cincopa works on what it was sent.</summary>
    private static bool Moves(ImportView import) =>
        import.State is ImportState.Parsing or ImportState.Running || import.Counts is { Submitting: > 0 } or { Submitted: > 0 };

    private Watcher Watch<T>(
        Dictionary<int, Topic<T>> topics, int key, Func<CancellationToken, Task<T?>> read, Func<T, bool> moves, Action<Reading<T>> changed) where T : class
    {
        lock (gate)
        {
            if (!topics.TryGetValue(key, out var topic))
            {
                topics[key] = topic = new Topic<T>(read, v => v is not null && moves(v) ? WhileMoving : WhileStill, clock, log);
                topic.Start();
            }
            topic.Add(changed);
            return new Watcher(() => Leave(topics, key, topic, changed));
        }
    }

    private void Leave<T>(Dictionary<int, Topic<T>> topics, int key, Topic<T> topic, Action<Reading<T>> changed) where T : class
    {
        lock (gate)
        {
            if (topic.Remove(changed)) return;
            topics.Remove(key);
            topic.Dispose();
        }
    }

    private sealed class Watcher(Action leave) : IDisposable
    {
        private Action? leave = leave;

        public void Dispose() => Interlocked.Exchange(ref leave, null)?.Invoke();
    }

    /// <summary>One thing that is read for all who look at it.</summary>
    private sealed class Topic<T>(Func<CancellationToken, Task<T?>> read, Func<T?, TimeSpan> pace, TimeProvider clock, ILogger log) : IDisposable where T : class
    {
        private readonly Lock gate = new();
        private readonly List<Action<Reading<T>>> watchers = [];
        private readonly CancellationTokenSource stop = new();
        private TaskCompletionSource hurry = NewHurry();
        private Reading<T>? last;

        public void Start() => _ = RunAsync(stop.Token);

        public void Dispose()
        {
            stop.Cancel();
            stop.Dispose();
        }

        public void Add(Action<Reading<T>> watcher)
        {
            Reading<T>? known;
            lock (gate)
            {
                watchers.Add(watcher);
                known = last;
            }
            if (known is not null) watcher(known);
        }

        /// <summary>False when that was the last one.</summary>
        public bool Remove(Action<Reading<T>> watcher)
        {
            lock (gate)
            {
                watchers.Remove(watcher);
                return watchers.Count > 0;
            }
        }

        public void Hurry()
        {
            lock (gate) hurry.TrySetResult();
        }

        private static TaskCompletionSource NewHurry() => new(TaskCreationOptions.RunContinuationsAsynchronously);

        private async Task RunAsync(CancellationToken cancellationToken)
        {
            // The first look must not run on the caller, who holds the lock of the feed.
            await Task.Yield();
            while (!cancellationToken.IsCancellationRequested)
            {
                Task hurried;
                lock (gate)
                {
                    if (hurry.Task.IsCompleted) hurry = NewHurry();
                    hurried = hurry.Task;
                }
                var reading = await ReadAsync(cancellationToken);
                if (cancellationToken.IsCancellationRequested) return;
                Tell(reading);
                await Task.WhenAny(hurried, Task.Delay(pace(reading.Value), clock, cancellationToken));
            }
        }

        private async Task<Reading<T>> ReadAsync(CancellationToken cancellationToken)
        {
            try
            {
                return new(await read(cancellationToken), clock.GetUtcNow(), IsStale: false);
            }
            catch (Exception e)
            {
                // Whatever it was, the pages go on showing the last numbers and say that these are not fresh.
                if (!cancellationToken.IsCancellationRequested) Log.ImportsNotRead(log, e);
                return last is null ? new(null, clock.GetUtcNow(), IsStale: true) : last with { IsStale = true };
            }
        }

        private void Tell(Reading<T> reading)
        {
            Action<Reading<T>>[] all;
            lock (gate)
            {
                last = reading;
                all = [.. watchers];
            }
            foreach (var watcher in all) watcher(reading);
        }
    }
}
