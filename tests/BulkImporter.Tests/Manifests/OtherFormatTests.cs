using System.Text;
using BulkImporter.Manifests;

namespace BulkImporter.Tests.Manifests;

/// <summary>What is no manifest is named for what it is, with what to do instead; what only looks like it is read.</summary>
public class OtherFormatTests
{
    [Theory]
    [InlineData("[{\"url\": \"https://a.test/1.mp4\", \"title\": \"One\"}]", "JSON, but not JSON lines")]
    [InlineData("  {\n  \"files\": [{\"url\": \"https://a.test/1.mp4\"}]\n}\n", "jq -c")]
    [InlineData("{\"videos\": [{\"url\": \"https://a.test/1.mp4\"}, {\"url\": \"https://a.test/2.mp4\"}]}\n", "JSON, but not JSON lines")]
    [InlineData("[\"url\", \"title\"]\n[\"https://a.test/1.mp4\", \"One\"]\n", "JSON lines of lists")]
    [InlineData("{\"url\": \"https://a.test/1.mp4\", title: 1}", "JSON, but not JSON lines")]
    [InlineData("<!DOCTYPE html>\n<html><body>Sign in</body></html>", "web page (HTML)")]
    [InlineData("<?xml version=\"1.0\"?><html xmlns=\"x\"></html>", "web page (HTML)")]
    [InlineData("\n<table>\n<tr><td>https://a.test/1.mp4</td></tr></table>", "web page (HTML)")]
    [InlineData("<?xml version=\"1.0\"?>\n<rss><channel/></rss>", "XML, not CSV")]
    [InlineData("{\\rtf1\\ansi url}", "rich text")]
    [InlineData("%PDF-1.7\n%âãÏÓ", "PDF")]
    public async Task Text_that_is_no_table_is_named(string text, string named)
    {
        foreach (var bytes in (byte[][])[Encoding.UTF8.GetBytes(text),
            [.. Encoding.Unicode.GetPreamble(), .. Encoding.Unicode.GetBytes(text)]])
        {
            if (named == "PDF" && bytes[0] != (byte)'%')
                continue; // a PDF is bytes, and never UTF-16
            var rejection = await Assert.ThrowsAsync<ManifestRejectedException>(() => WholeManifest.ReadAsync(bytes));
            Assert.Equal(RejectionCode.NotCsv, rejection.Code);
            Assert.Contains(named, rejection.Message, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("504B0304140000000800", "Excel workbook (.xlsx)")]
    [InlineData("504B0506000000000000", "zip archive")]
    [InlineData("D0CF11E0A1B11AE10000", "old Excel workbook")]
    [InlineData("89504E470D0A1A0A0000", "PNG image")]
    [InlineData("FFD8FFE000104A464946", "JPEG image")]
    [InlineData("474946383961010001000000", "GIF image")]
    [InlineData("52494646000000005745425056503820", "WebP image")]
    [InlineData("0000001866747970697361636D", "media file")]
    [InlineData("1A45DFA39F4286810142F78101", "media file")]
    [InlineData("377ABCAF271C000400000000", "compressed archive")]
    [InlineData("53514C69746520666F726D6174203300", "SQLite")]
    public async Task Bytes_that_are_no_text_are_named(string hex, string named)
    {
        var rejection = await Assert.ThrowsAsync<ManifestRejectedException>(() => WholeManifest.ReadAsync(Convert.FromHexString(hex)));
        Assert.Equal(RejectionCode.NotCsv, rejection.Code);
        Assert.Contains(named, rejection.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("[url],[title]\nhttps://a.test/1.mp4,One\n", "url=[url]")]
    [InlineData("{link},title\nhttps://a.test/1.mp4,One\n", "url={link}")]
    [InlineData("BMW,url\n1,https://a.test/1.mp4\n", null)]
    [InlineData("ID3,url\n1,https://a.test/1.mp4\n", null)]
    [InlineData("RIFF,url\n1,https://a.test/1.mp4\n", null)]
    [InlineData("#EXTM3U\nhttps://a.test/1.mp4\n", null)]
    public async Task A_table_that_begins_like_something_else_is_read(string text, string? map) =>
        Assert.Equal("https://a.test/1.mp4", Assert.Single((await WholeManifest.ReadAsync(text, map)).Rows).Checked.Url);
}
