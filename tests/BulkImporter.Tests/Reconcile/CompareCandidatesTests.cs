using BulkImporter.Reconcile;

namespace BulkImporter.Tests.Reconcile;

public sealed class CompareCandidatesTests
{
    private static readonly DateTimeOffset Began = new(2026, 11, 30, 17, 41, 0, TimeSpan.Zero);

    [Theory]
    // The nearest, when it is clearly nearer.
    [InlineData("3:- 60:-", null, "a")]
    [InlineData("60:- 3:-", null, "b")]
    [InlineData("-3:- 60:-", null, "a")]
    [InlineData("3:- 6:-", null, null)]
    [InlineData("3:- 7:-", null, "a")]
    // The size, when only one has it.
    [InlineData("3:7 60:9", 9L, "b")]
    [InlineData("3:7 60:9", 8L, "a")]
    [InlineData("3:9 60:9 1:7", 9L, "a")]
    [InlineData("3:9 4:9 1:7", 9L, null)]
    // One alone is not compared with anything.
    [InlineData("3:-", null, null)]
    public void Likeliest_is_marked_only_when_it_is_clearly_ahead(string assets, long? sourceSize, string? likeliest)
    {
        var judged = CompareCandidates.Judged(Assets(assets), Began, sourceSize);
        Assert.Equal(likeliest, judged.SingleOrDefault(c => c.IsLikeliest)?.Rid);
    }

    [Fact]
    public void Each_says_what_speaks_for_it()
    {
        Assert.Equal(
            ["same size as the source, uploaded 3 s after the attempt", "another size than the source, uploaded 12 min before the attempt",
                "uploaded 5 h after the attempt", "uploaded within a second of the attempt"],
            CompareCandidates.Judged(Assets("3:7 -720:9 18000:- 0:-"), Began, 7).Select(c => c.Reason));
        Assert.Equal(["", ""], CompareCandidates.Judged(Assets("3:7 60:9"), null, null).Select(c => c.Reason));
    }

    [Fact]
    public void Size_that_the_source_says_later_judges_anew()
    {
        var view = new CandidatesView(CompareCandidates.Judged(Assets("3:7 60:9"), Began, null), Began, null, Began, null);
        Assert.Equal("a", view.Items.Single(c => c.IsLikeliest).Rid);
        Assert.Equal("b", view.Of(9).Items.Single(c => c.IsLikeliest).Rid);
    }

    /// <summary>Seconds after the attempt, and bytes, of the assets a, b, c.</summary>
    private static List<CandidateView> Assets(string assets) =>
    [
        .. assets.Split(' ').Select((asset, n) => asset.Split(':') is [var seconds, var size]
            ? new CandidateView($"{(char)('a' + n)}", "clip.mp4", size == "-" ? null : long.Parse(size),
                Began.AddSeconds(int.Parse(seconds)), null, "video", "", false)
            : throw new ArgumentException(asset)),
    ];
}
