using BulkImporter.Dispatch;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;

namespace BulkImporter.Tests.Dispatch;

public sealed class BandwidthTests
{
    [Fact]
    public async Task All_pushes_together_send_no_more_than_the_limit_and_nothing_is_saved_up()
    {
        var clock = new FakeTimeProvider();
        var bandwidth = new Bandwidth(Options.Create(new PushOptions { BytesPerSecond = 1000 }), clock);
        clock.Advance(TimeSpan.FromHours(1));

        Assert.True(bandwidth.TakeAsync(500, TestContext.Current.CancellationToken).AsTask().IsCompletedSuccessfully);
        var second = bandwidth.TakeAsync(500, TestContext.Current.CancellationToken).AsTask();
        var third = bandwidth.TakeAsync(1, TestContext.Current.CancellationToken).AsTask();
        clock.Advance(TimeSpan.FromMilliseconds(499));
        Assert.False(second.IsCompleted);
        clock.Advance(TimeSpan.FromMilliseconds(1));
        await second;
        Assert.False(third.IsCompleted);
        clock.Advance(TimeSpan.FromMilliseconds(500));
        await third;
    }

    [Fact]
    public void Without_a_limit_nobody_waits()
    {
        var bandwidth = new Bandwidth(Options.Create(new PushOptions()), new FakeTimeProvider());
        for (var i = 0; i < 10; i++)
            Assert.True(bandwidth.TakeAsync(int.MaxValue, TestContext.Current.CancellationToken).AsTask().IsCompletedSuccessfully);
    }
}
