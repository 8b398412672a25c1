using BulkImporter.Dashboard.HangfirePages;
using BulkImporter.Imports;

namespace BulkImporter.Tests.Dashboard;

public sealed class PolledTests
{
    private readonly SteppedClock clock = new();
    private readonly List<Watch> watches = [];

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private int Open => watches.Count(w => w.IsOpen);

    [Fact]
    public async Task All_who_ask_are_answered_from_one_watch_that_ends_when_nobody_asks_any_more()
    {
        using var polled = Polled();
        var first = polled.NowAsync(Token);
        watches[0].Tell("one");
        Assert.Equal("one", (await first).Value);
        watches[0].Tell("two");
        foreach (var answer in await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => polled.NowAsync(Token))))
            Assert.Equal("two", answer.Value);
        Assert.Single(watches);

        clock.Advance(Polled<string>.StopAfter - TimeSpan.FromSeconds(1));
        Assert.Equal("two", (await polled.NowAsync(Token)).Value);
        clock.Advance(Polled<string>.StopAfter - TimeSpan.FromSeconds(1));
        Assert.Equal(1, Open);
        clock.Advance(Polled<string>.StopAfter);
        Assert.Equal(0, Open);
    }

    [Fact]
    public async Task Who_asks_first_or_after_a_long_while_waits_for_a_fresh_reading()
    {
        using var polled = Polled();
        var first = polled.NowAsync(Token);
        Assert.False(first.IsCompleted);
        watches[0].Tell("old");
        Assert.Equal("old", (await first).Value);

        clock.Advance(2 * Polled<string>.StopAfter);
        var later = polled.NowAsync(Token);
        watches[0].Tell("a late word of the watch that ended");
        Assert.False(later.IsCompleted);
        watches[1].Tell("fresh");
        Assert.Equal("fresh", (await later).Value);
    }

    [Fact]
    public async Task Who_waits_for_a_reading_that_does_not_come_is_told_that_nothing_is_known()
    {
        using var polled = Polled();
        var waiting = polled.NowAsync(Token);
        clock.Advance(2 * Polled<string>.StopAfter);
        var nothing = await waiting.WaitAsync(TimeSpan.FromSeconds(30), Token);
        Assert.True(nothing is { Value: null, IsStale: true });
    }

    private Polled<string> Polled() => new(
        changed =>
        {
            watches.Add(new Watch(changed));
            return watches[^1];
        },
        clock);

    private sealed class Watch(Action<Reading<string>> changed) : IDisposable
    {
        public bool IsOpen { get; private set; } = true;

        public void Tell(string value) => changed(new(value, DateTimeOffset.UnixEpoch, IsStale: false));

        public void Dispose() => IsOpen = false;
    }
}
