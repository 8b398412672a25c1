using BulkImporter.Manifests;
using BulkImporter.Parse;

namespace BulkImporter.Tests.Manifests;

public class FindingTests
{
    [Theory]
    [InlineData("plain", "plain")]
    [InlineData("https://media.example.org/a.mp4", "https://media.example.org/a.mp4")]
    [InlineData("https://media.example.org/a.mp4?X-Amz-Signature=secret", "https://media.example.org/a.mp4?…")]
    [InlineData("https://media.example.org/a.mp4#access_token=secret", "https://media.example.org/a.mp4#…")]
    [InlineData("https://me:secret@media.example.org/a.mp4", "https://***@media.example.org/a.mp4")]
    [InlineData("https://me:se@cret@media.example.org/a.mp4", "https://***@media.example.org/a.mp4")]
    [InlineData("see https://me:secret@a.test/b?sig=secret\nand more", "see https://***@a.test/b?…")]
    [InlineData("a\tb\0c", "a b c")]
    [InlineData("what?", "what?")]
    public void Value_is_masked(string value, string expected) => Assert.Equal(expected, FindingMask.Mask(value));

    [Fact]
    public void Masked_value_is_never_longer_than_120_characters_and_splits_no_character()
    {
        Assert.Equal(new string('x', 120), FindingMask.Mask(new string('x', 120)));
        Assert.Equal(new string('x', 119) + "…", FindingMask.Mask(new string('x', 121)));
        Assert.Equal(new string('x', 118) + "…", FindingMask.Mask(new string('x', 118) + "🎬🎬"));
    }

    [Fact]
    public void Every_code_has_its_own_name_and_a_hint()
    {
        var codes = Enum.GetValues<FindingCode>();
        Assert.Equal(codes.Length, codes.Select(code => code.Name()).Distinct().Count());
        Assert.All(codes, code =>
        {
            Assert.Matches("^[a-z]+(_[a-z]+)+$", code.Name());
            Assert.Equal(code, FindingCodes.Named(code.Name()));
            Assert.EndsWith(".", code.Hint(), StringComparison.Ordinal);
        });
        Assert.Null(FindingCodes.Named("url_Missing"));
    }

    [Fact]
    public async Task Finding_tells_row_line_column_and_a_masked_value()
    {
        var content =
            await WholeManifest.ReadAsync(
                "caption,Source URL\n\"two\nlines\",https://media.example.org/a.mp4\nOld,https://b.s3.amazonaws.com/b.mp4?Expires=1&Signature=secret\n");
        var finding = Assert.Single(content.Findings);
        Assert.Equal((2, 4L, "Source URL", "https://b.s3.amazonaws.com/b.mp4?…", FindingCode.UrlExpired),
            (finding.RowNumber, finding.LineNumber, finding.Column, finding.MaskedValue, finding.Code));
        Assert.Equal(FindingSeverity.Error, finding.Severity);
        Assert.True(content.Rows[1].Checked.IsBlocked);
        Assert.Null(content.Rows[1].Checked.Key);
    }

    [Fact]
    public async Task Duplicates_are_found_by_url_and_by_reference_and_name_the_first_row()
    {
        var content =
            await WholeManifest.ReadAsync(
                "url,id\nhttps://a.test/1,R1\nHTTPS://A.test:443/1#x,R2\nhttps://a.test/2,R1\nftp://a.test/2,R1\nhttps://a.test/3,\nhttps://a.test/4,\n");
        var duplicates = new DuplicateRows(content.Layout);
        var findings = new List<Finding>();
        Assert.Equal([false, true, false, false, false, false], content.Rows.Select(row => duplicates.Check(row.Checked, findings)));
        Assert.Equal(
            [(2, FindingCode.DuplicateUrl, 1), (3, FindingCode.DuplicateReferenceId, 1)],
            findings.Select(finding => (finding.RowNumber, finding.Code, finding.OtherRowNumber!.Value)));
    }

    [Fact]
    public async Task Row_to_be_pushed_may_be_longer_than_the_remote_call_and_may_be_a_file()
    {
        var url = "https://media.example.org/" + new string('a', 2000);
        var content = await WholeManifest.ReadAsync(
            $"url,transfer\n{url}b,push\n{url}c,pull\nfile:///srv/media/a.mp4,push\nfile:///srv/media/b.mp4,\n");
        Assert.Equal([(2, FindingCode.UrlTooLong), (4, FindingCode.UrlScheme)],
            content.Findings.Select(finding => (finding.RowNumber, finding.Code)));
        Assert.Equal([Transfer.Push, Transfer.Pull, Transfer.Push, Transfer.Pull], content.Rows.Select(row => row.Checked.Transfer));
    }
}
