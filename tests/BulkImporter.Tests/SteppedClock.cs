using System.Threading.Channels;
using Microsoft.Extensions.Time.Testing;

namespace BulkImporter.Tests;

/// <summary>A clock that only moves when the test says so, and that tells when somebody begins to wait on it.</summary>
internal sealed class SteppedClock : FakeTimeProvider
{
    private readonly Channel<bool> waiting = Channel.CreateUnbounded<bool>();

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = base.CreateTimer(callback, state, dueTime, period);
        // A timer without a time is only prepared (a cancellation source that is told its time later): nobody waits on it.
        if (dueTime != Timeout.InfiniteTimeSpan) waiting.Writer.TryWrite(true);
        return timer;
    }

    /// <summary>
    /// Waits until a timer was made since the last call: the code under test has done its round and waits for time to pass.
    /// </summary>
    /// <exception cref="TimeoutException">Nobody began to wait on the clock within half a minute.</exception>
    public Task SomeoneWaitsAsync() =>
        waiting.Reader.ReadAsync(TestContext.Current.CancellationToken).AsTask()
            .WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
}
