using BulkImporter.Parse;
using BulkImporter.Sources;

namespace BulkImporter.Tests.Parse;

public sealed class SeenBeforeTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(7_777)]
    [InlineData(199_999)]
    public void Value_that_comes_twice_is_never_missed(int repeated)
    {
        var (texts, keys) = Filled();

        texts.Add(Reference(repeated));
        keys.Add(SourceKey.Of(Url(repeated)));

        Assert.True(texts.Maybe);
        Assert.True(keys.Maybe);
    }

    [Fact]
    public void Values_that_differ_are_not_suspected()
    {
        var (texts, keys) = Filled();

        Assert.False(texts.Maybe);
        Assert.False(keys.Maybe);
    }

    /// <summary>
    /// Values that differ in a digit, as those of a manifest do. The hash is the same on every machine, so this is no matter of luck.
    /// </summary>
    private static (SeenBefore Texts, SeenBefore Keys) Filled()
    {
        var (texts, keys) = (new SeenBefore(), new SeenBefore());
        for (var n = 0; n < 200_000; n++)
        {
            texts.Add(Reference(n));
            keys.Add(SourceKey.Of(Url(n)));
        }
        return (texts, keys);
    }

    private static string Reference(int n) => $"REF-{n:D8}";

    private static string Url(int n) => $"https://media.example.com/library/clip-{n:D7}.mp4";
}
