using BulkImporter.Manifests;
using FsCheck;
using FsCheck.Fluent;

namespace BulkImporter.Tests.Manifests;

public class FormulaGuardTests
{
    [Theory]
    [InlineData("=1+1", "'=1+1")]
    [InlineData("+SUM(A1)", "'+SUM(A1)")]
    [InlineData("-2+3", "'-2+3")]
    [InlineData("@cmd", "'@cmd")]
    [InlineData("\t=1", "'\t'=1")]
    [InlineData("\r=1", "'\r'=1")]
    [InlineData("＝1", "'＝1")]
    [InlineData("＋1", "'＋1")]
    [InlineData("－1", "'－1")]
    [InlineData("＠x", "'＠x")]
    [InlineData("'=1", "''=1")]
    [InlineData("''-5", "'''-5")]
    [InlineData("-", "'-")]
    [InlineData("-12.5.1", "'-12.5.1")]
    [InlineData("a;=1+1", "a;'=1+1")]
    [InlineData("a\t@cmd", "a\t'@cmd")]
    [InlineData("a| +1", "a|' +1")]
    [InlineData("a;\"=1+1\"", "a;'\"=1+1\"")]
    [InlineData("One\n- two", "One\n'- two")]
    [InlineData("a;-5;b;＝1", "a;'-5;b;'＝1")]
    [InlineData("=1;=2", "'=1;'=2")]
    [InlineData("a;'=1", "a;''=1")]
    public void Cell_that_would_run_is_guarded(string cell, string guarded) => Assert.Equal(guarded, FormulaGuard.Guard(cell));

    [Theory]
    [InlineData("")]
    [InlineData("plain")]
    [InlineData("-12.5")]
    [InlineData("+4")]
    [InlineData("-3,25")]
    [InlineData("'quoted'")]
    [InlineData("a=b")]
    [InlineData("a; b\tc\n\nd, -e")]
    [InlineData("https://media.example.org/?a=1")]
    [InlineData("日本")]
    public void Other_cells_stay(string cell) => Assert.Equal(cell, FormulaGuard.Guard(cell));

    [Fact]
    public void Unguarding_gives_back_any_cell() =>
        Prop.ForAll(Cells(), cell => FormulaGuard.Unguard(FormulaGuard.Guard(cell)) == cell).QuickCheckThrowOnFailure();

    [Fact]
    public void Guarded_cell_never_begins_like_a_formula_unless_it_is_a_plain_number() =>
        Prop.ForAll(Cells(), cell =>
        {
            var guarded = FormulaGuard.Guard(cell);
            return guarded.Length == 0 || !"=+-@\t\r\n＝＋－＠".Contains(guarded[0], StringComparison.Ordinal)
                || decimal.TryParse(guarded.Replace(',', '.'), System.Globalization.NumberStyles.Float,
                    System.Globalization.CultureInfo.InvariantCulture, out _) || guarded[1..].All(char.IsAsciiDigit);
        }).QuickCheckThrowOnFailure();

    [Theory]
    [InlineData(',')]
    [InlineData(';')]
    [InlineData('\t')]
    [InlineData('|')]
    public void Unguarding_gives_back_any_cell_of_a_file_with_any_separator(char separator) =>
        Prop.ForAll(Cells(), cell => FormulaGuard.Unguard(FormulaGuard.Guard(cell, (byte)separator), (byte)separator) == cell)
            .QuickCheckThrowOnFailure();

    [Fact]
    public void No_part_of_a_guarded_cell_begins_like_a_formula_for_whoever_splits_by_another_separator() =>
        Prop.ForAll(Cells(), cell => FormulaGuard.Guard(cell).Split(';', '\t', '|', '\r', '\n').Skip(1)
            .All(part => !part.TrimStart('"', ' ').StartsWith('=') && !part.TrimStart('"', ' ').StartsWith('-')))
                .QuickCheckThrowOnFailure();

    /// <summary>Any text, and text made of what the guard looks at.</summary>
    private static Arbitrary<string> Cells() => Gen.OneOf(
        ArbMap.Default.GeneratorFor<NonNull<string>>().Select(text => text.Get),
        Gen.ListOf(Gen.Elements("'", "=", "+", "-", "@", "\t", "\r", "\n", "＝", "－", "1", ".", ",", ";", "|", "\"", "a", "é", " "))
            .Select(string.Concat)).ToArbitrary();
}
