using BulkImporter.Data;

namespace BulkImporter.Tests.Data;

public sealed class PlainNumberTests
{
    /// <summary>What people and programs write that is not plainly one number. Every door refuses each of them.</summary>
    public static TheoryData<string> NotPlain { get; } =
    [
        "2,5", "0,5", "1,000", "1,000.5", "1.000,5", "1.000.000", "1 000", "1\u00A0000", "1_000", "1'000", "1e5", "1E-2", "+5", "5.", ".5",
        "--5", "5-", "(5)",
        "0x10", "#10", "&h10", "1d", "5%", "½", "５", "٥", "−5", "NaN", "Infinity", "-Infinity", "∞", "five", "", " ", " 5", "5 ", "5\n",
        "\t5", "5\0", "\uFEFF5",
    ];

    [Theory]
    [MemberData(nameof(NotPlain))]
    public void What_is_not_plainly_one_number_is_none(string text)
    {
        Assert.False(PlainNumber.TryWhole<long>(text, out _));
        Assert.False(PlainNumber.TryDecimal(text, out _));
        Assert.Contains("Write ", Assert.Throws<InvalidArgumentException>(() => PlainNumber.Number("rate", text)).Message,
            StringComparison.Ordinal);
        Assert.Contains("Write ", Assert.Throws<InvalidArgumentException>(() => PlainNumber.Whole<int>("rate", text)).Message,
            StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("0", 0)]
    [InlineData("25", 25)]
    [InlineData("-3", -3)]
    [InlineData("007", 7)]
    [InlineData("2147483647", int.MaxValue)]
    public void Digits_are_a_whole_number(string text, int number)
    {
        Assert.True(PlainNumber.TryWhole(text, out int read));
        Assert.Equal(number, read);
        Assert.True(PlainNumber.TryDecimal(text, out var same));
        Assert.Equal(number, same);
    }

    [Theory]
    [InlineData("2.5", 2.5)]
    [InlineData("-0.25", -0.25)]
    [InlineData("1000.0", 1000)]
    public void A_point_stands_before_decimals(string text, double number)
    {
        Assert.True(PlainNumber.TryDecimal(text, out var read));
        Assert.Equal(number, read);
        Assert.False(PlainNumber.TryWhole<long>(text, out _));
    }

    [Fact]
    public void Decimal_comma_is_answered_with_the_point_and_what_may_be_thousands_is_not()
    {
        Assert.Contains("Write 2.5, with", PlainNumber.DecimalComplaint("2,5"), StringComparison.Ordinal);
        Assert.DoesNotContain("1.000", PlainNumber.DecimalComplaint("1,000"), StringComparison.Ordinal);
    }

    [Fact]
    public void Number_beyond_its_bounds_is_refused_and_not_cut()
    {
        Assert.Contains("too large", Assert.Throws<InvalidArgumentException>(() => PlainNumber.Whole<int>("limit", "2147483648")).Message,
            StringComparison.Ordinal);
        Assert.False(PlainNumber.TryDecimal(new string('9', 400), out _));
    }
}
