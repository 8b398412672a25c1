using BulkImporter.Status;

namespace BulkImporter.Tests.Status;

public sealed class PollScheduleTests
{
    // A chance of one half is the middle of the jitter.
    private static readonly PollSchedule Schedule = new(TimeSpan.FromSeconds(2), TimeSpan.FromSeconds(60), () => 0.5);

    [Theory]
    [InlineData(0, 2)]
    [InlineData(12, 2)]
    [InlineData(60, 10)]
    [InlineData(360, 60)]
    [InlineData(100_000, 60)]
    public void The_interval_grows_with_the_age_between_its_bounds(double ageSeconds, double expected) =>
        Assert.Equal(expected, Schedule.Interval(TimeSpan.FromSeconds(ageSeconds), outstanding: 1, callsPerSecond: 0).TotalSeconds, 3);

    [Fact]
    public void A_million_outstanding_slow_down_to_what_the_budget_can_serve() =>
        Assert.Equal(100_000, Schedule.Interval(TimeSpan.FromSeconds(1), outstanding: 1_000_000, callsPerSecond: 10).TotalSeconds, 3);
}
