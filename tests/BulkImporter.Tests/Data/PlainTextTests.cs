using BulkImporter.Data;

namespace BulkImporter.Tests.Data;

public sealed class PlainTextTests
{
    // Halves of surrogate pairs do not survive in the arguments of an attribute.
    public static TheoryData<char[], int> Texts { get; } = new()
    {
        { [], -1 }, { [.. "plain"], -1 }, { [.. "ä 漢 😀"], -1 }, { ['\0'], 0 }, { [.. "ab\0"], 2 }, { [.. "😀", '\uD83D'], 2 },
        { ['\uDE00', .. "😀"], 0 }, { ['a', '\uD83D', 'b'], 1 }, { ['\uD83D', '\uD83D', '\uDE00'], 0 },
    };

    [Theory]
    [MemberData(nameof(Texts))]
    public void What_PostgreSQL_cannot_hold_is_found(char[] signs, int at)
    {
        var text = new string(signs);
        Assert.Equal(at, PlainText.Unstorable(text));
        Assert.Equal(-1, PlainText.Unstorable(PlainText.Storable(text)));
    }

    [Fact]
    public void What_cannot_be_held_becomes_the_sign_for_no_character() =>
        Assert.Equal("a\uFFFDb\uFFFD😀", PlainText.Storable("a\0b\uD83D😀"));

    [Theory]
    [InlineData("key\r")]
    [InlineData("key\r\n")]
    [InlineData(" key\t")]
    [InlineData("\uFEFFkey\u200B")]
    [InlineData("\u00A0key\u2028\0")]
    public void What_nobody_sees_at_the_ends_goes(string text) => Assert.Equal("key", PlainText.Trimmed(text));

    [Theory]
    [InlineData("a\rb")]
    [InlineData("a b")]
    [InlineData("schlüssel")]
    [InlineData("a\u200Bb")]
    public void What_no_client_could_send_is_refused_and_not_repeated(string text)
    {
        var refused = Assert.Throws<InvalidArgumentException>(() => PlainText.RequireSendable("BULKIMPORTER_API_KEY", text));
        Assert.StartsWith("BULKIMPORTER_API_KEY holds a character that cannot be sent: U+", refused.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(text, refused.Message, StringComparison.Ordinal);
    }
}
