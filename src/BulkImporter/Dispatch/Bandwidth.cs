namespace BulkImporter.Dispatch;

/// <summary>The bytes per second of all pushes of this process: each piece is given the time at which it may leave.</summary>
public sealed class Bandwidth(IOptions<PushOptions> options, TimeProvider clock)
{
    private readonly Lock gate = new();
    private long next = clock.GetTimestamp();

    /// <summary>Waits until these bytes may leave.</summary>
    public async ValueTask TakeAsync(int bytes, CancellationToken cancellationToken)
    {
        var rate = options.Value.BytesPerSecond;
        if (rate == 0) return;
        TimeSpan wait;
        lock (gate)
        {
            var now = clock.GetTimestamp();
            // What was not used while nothing was sent is not saved up.
            next = Math.Max(next, now);
            wait = clock.GetElapsedTime(now, next);
            next += (long)((double)bytes / rate * clock.TimestampFrequency);
        }
        if (wait > TimeSpan.Zero) await Task.Delay(wait, clock, cancellationToken);
    }
}
