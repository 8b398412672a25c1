using System.Text;
using BulkImporter.Manifests;
using BulkImporter.Parse;
using BulkImporter.Tests.Manifests;

namespace BulkImporter.Tests.Parse;

public class ExpectedFileTests
{
    [Theory]
    [InlineData("1", 1L)]
    [InlineData("9223372036854775807", long.MaxValue)]
    [InlineData("0", null)]
    [InlineData("-1", null)]
    [InlineData("1,234", null)]
    [InlineData("1,234,567", 1_234_567L)]
    [InlineData("12,345,678,901", 12_345_678_901L)]
    [InlineData("1,234,56", null)]
    [InlineData("1234,567,890", null)]
    [InlineData(",123,456", null)]
    [InlineData("1,,234,567", null)]
    [InlineData("1.5", null)]
    [InlineData("12 MB", null)]
    [InlineData("9223372036854775808", null)]
    public void A_size_is_a_whole_number_of_bytes(string text, long? bytes) =>
        Assert.Equal(bytes, ExpectedFile.Bytes(Encoding.UTF8.GetBytes(text)));

    [Theory]
    [InlineData("62", 62.0)]
    [InlineData("62.5", 62.5)]
    [InlineData("1:02", 62.0)]
    [InlineData("00:01:02.3", 62.3)]
    [InlineData("100:00:00", 360_000.0)]
    [InlineData("1:60", null)]
    [InlineData("1:2:3:4", null)]
    [InlineData("1:", null)]
    [InlineData("0", null)]
    [InlineData("-5", null)]
    [InlineData("1e3", null)]
    [InlineData("99999999", null)]
    [InlineData("1 min", null)]
    public void A_duration_is_seconds_or_as_a_clock_shows_it(string text, double? seconds) =>
        Assert.Equal(seconds, ExpectedFile.Seconds(Encoding.UTF8.GetBytes(text)));

    [Theory]
    [InlineData("900150983CD24FB0D6963F7D28E17F72", "900150983cd24fb0d6963f7d28e17f72")]
    [InlineData("kAFQmDzST7DWlj99KOF/cg==", "900150983cd24fb0d6963f7d28e17f72")]
    [InlineData("900150983cd24fb0d6963f7d28e17f7", null)]
    [InlineData("kAFQmDzST7DWlj99KOF/cgAA", null)]
    [InlineData("kAFQmDzST7DWlj99KOF!cg==", null)]
    [InlineData("g00150983cd24fb0d6963f7d28e17f72", null)]
    public void An_md5_is_32_hexadecimal_digits_or_base64(string text, string? md5) =>
        Assert.Equal(md5, ExpectedFile.Md5(Encoding.UTF8.GetBytes(text)));

    [Fact]
    public async Task What_cannot_be_read_is_told_and_the_row_is_imported_all_the_same()
    {
        var read = await WholeManifest.ReadAsync(
            "url,Size,MD5,Duration\nhttps://a.test/1,12,900150983cd24fb0d6963f7d28e17f72,1:02\nhttps://a.test/2,12 MB,,soon\nhttps://a.test/3,,,\n");
        var first = read.Rows[0].Checked;
        Assert.Equal((12L, "900150983cd24fb0d6963f7d28e17f72", 62.0, true),
            (first.ExpectedBytes, first.ExpectedMd5, first.ExpectedSeconds, first.HasMeta));
        var second = read.Rows[1].Checked;
        Assert.Equal((null, null, null, false, false),
            (second.ExpectedBytes, second.ExpectedMd5, second.ExpectedSeconds, second.IsBlocked, second.HasMeta));
        Assert.Equal([(2, "Size", FindingCode.ExpectationUnusable), (2, "Duration", FindingCode.ExpectationUnusable)],
            read.Findings.Select(f => (f.RowNumber, f.Column!, f.Code)));
        Assert.False(read.Rows[2].Checked.HasMeta);
    }
}
