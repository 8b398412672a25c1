namespace BulkImporter.Imports;

/// <summary>What was read last, and whether that is still so.</summary>
/// <param name="IsStale">The last look failed: the value is older than it should be, or was never there.</param>
public sealed record Reading<T>(T? Value, DateTimeOffset At, bool IsStale);

/// <summary>Things of one kind, each read again and again while somebody looks at it, once for all who do.</summary>
/// <param name="read">Reads the thing of a key; null when there is none.</param>
/// <param name="pace">How long to wait after a reading before the next.</param>
internal sealed class SharedReadings<TKey, T>(
    Func<TKey, CancellationToken, Task<T?>> read, Func<T?, TimeSpan> pace, TimeProvider clock, ILogger log)
    where TKey : notnull
    where T : class
{
    private readonly Lock gate = new();
    private readonly Dictionary<TKey, Topic> topics = [];

    /// <summary>Things that somebody looks at.</summary>
    public int Count
    {
        get
        {
            lock (gate) return topics.Count;
        }
    }

    /// <summary>Calls <paramref name="changed"/> with what is known, and whenever it was read, until the answer is disposed of.</summary>
    public IDisposable Watch(TKey key, Action<Reading<T>> changed)
    {
        lock (gate)
        {
            if (!topics.TryGetValue(key, out var topic))
            {
                topics[key] = topic = new Topic(stop => read(key, stop), pace, clock, log);
                topic.Start();
            }
            topic.Add(changed);
            return new Watcher(() => Leave(key, topic, changed));
        }
    }

    /// <summary>Reads at once: somebody here has just changed it.</summary>
    public void Hurry(TKey key)
    {
        lock (gate)
        {
            if (topics.TryGetValue(key, out var topic)) topic.Hurry();
        }
    }

    public void HurryAll()
    {
        lock (gate)
        {
            foreach (var topic in topics.Values) topic.Hurry();
        }
    }

    private void Leave(TKey key, Topic topic, Action<Reading<T>> changed)
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

    private sealed class Topic(Func<CancellationToken, Task<T?>> read, Func<T?, TimeSpan> pace, TimeProvider clock, ILogger log)
        : IDisposable
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
            // The first look must not run on the caller, who holds the lock.
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
