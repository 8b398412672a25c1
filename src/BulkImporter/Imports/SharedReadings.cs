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
                topics[key] = topic = new Topic();
                _ = RunAsync(key, topic, topic.Stop.Token);
            }
            topic.Watchers.Add(changed);
            if (topic.Last is { } known) changed(known);
            return new Watcher(() => Leave(key, topic, changed));
        }
    }

    /// <summary>Reads at once: somebody here has just changed it.</summary>
    public void Hurry(TKey key)
    {
        lock (gate) topics.GetValueOrDefault(key)?.Hurry.TrySetResult();
    }

    public void HurryAll()
    {
        lock (gate)
        {
            foreach (var topic in topics.Values) topic.Hurry.TrySetResult();
        }
    }

    private void Leave(TKey key, Topic topic, Action<Reading<T>> changed)
    {
        lock (gate)
        {
            topic.Watchers.Remove(changed);
            if (topic.Watchers.Count > 0) return;
            topics.Remove(key);
            topic.Dispose();
        }
    }

    private async Task RunAsync(TKey key, Topic topic, CancellationToken stop)
    {
        // The first look must not run on the caller, who holds the lock.
        await Task.Yield();
        while (!stop.IsCancellationRequested)
        {
            Task hurried;
            lock (gate)
            {
                if (topic.Hurry.Task.IsCompleted) topic.Hurry = Topic.NewHurry();
                hurried = topic.Hurry.Task;
            }
            var reading = await ReadAsync(key, topic.Last, stop);
            if (stop.IsCancellationRequested) return;
            Action<Reading<T>>[] all;
            lock (gate)
            {
                topic.Last = reading;
                all = [.. topic.Watchers];
            }
            foreach (var watcher in all) watcher(reading);
            await Task.WhenAny(hurried, Task.Delay(pace(reading.Value), clock, stop));
        }
    }

    private async Task<Reading<T>> ReadAsync(TKey key, Reading<T>? last, CancellationToken stop)
    {
        try
        {
            return new(await read(key, stop), clock.GetUtcNow(), IsStale: false);
        }
        catch (Exception e)
        {
            // Whatever it was, the pages go on showing the last numbers and say that these are not fresh.
            if (!stop.IsCancellationRequested) Log.ImportsNotRead(log, e);
            return last is null ? new(null, clock.GetUtcNow(), IsStale: true) : last with { IsStale = true };
        }
    }

    private sealed class Watcher(Action leave) : IDisposable
    {
        private Action? leave = leave;

        public void Dispose() => Interlocked.Exchange(ref leave, null)?.Invoke();
    }

    /// <summary>A thing that somebody looks at. What changes is under the lock.</summary>
    private sealed class Topic : IDisposable
    {
        public List<Action<Reading<T>>> Watchers { get; } = [];

        public CancellationTokenSource Stop { get; } = new();

        public TaskCompletionSource Hurry { get; set; } = NewHurry();

        public Reading<T>? Last { get; set; }

        public static TaskCompletionSource NewHurry() => new(TaskCreationOptions.RunContinuationsAsynchronously);

        public void Dispose()
        {
            Stop.Cancel();
            Stop.Dispose();
        }
    }
}
