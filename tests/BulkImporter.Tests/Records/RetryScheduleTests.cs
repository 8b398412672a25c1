using BulkImporter.Records;
using FsCheck;
using FsCheck.Fluent;
using FsCheck.Xunit;

namespace BulkImporter.Tests.Records;

public sealed class RetryScheduleTests
{
    private static RetrySchedule With(double chance) => new(TimeSpan.FromSeconds(2), TimeSpan.FromMinutes(10), () => chance);

    [Theory]
    [InlineData(1, 2)]
    [InlineData(2, 4)]
    [InlineData(3, 8)]
    [InlineData(9, 512)]
    [InlineData(10, 600)]
    [InlineData(1000, 600)]
    public void The_longest_possible_wait_doubles_up_to_the_cap(int attempt, double seconds) =>
        Assert.Equal(seconds, With(1).Wait(attempt, null).TotalSeconds, 3);

    [Fact]
    public void Jitter_is_full_so_the_wait_may_be_nothing() => Assert.Equal(TimeSpan.Zero, With(0).Wait(5, null));

    [Property]
    public Property A_retry_after_is_never_cut_short() => Prop.ForAll(
        Gen.Choose(1, 50).ToArbitrary(), Gen.Choose(1, 100_000).ToArbitrary(), Gen.Choose(0, 999).ToArbitrary(),
        (attempt, milliseconds, chance) =>
        {
            var asked = TimeSpan.FromMilliseconds(milliseconds);
            var wait = With(chance / 1000.0).Wait(attempt, asked);
            return wait >= asked && wait <= asked * 1.5;
        });

    [Property]
    public Property A_wait_is_never_negative_nor_above_the_cap() => Prop.ForAll(
        Gen.Choose(1, int.MaxValue).ToArbitrary(), Gen.Choose(0, 999).ToArbitrary(),
        (attempt, chance) => With(chance / 1000.0).Wait(attempt, null) is var wait && wait >= TimeSpan.Zero
            && wait <= TimeSpan.FromMinutes(10));
}
