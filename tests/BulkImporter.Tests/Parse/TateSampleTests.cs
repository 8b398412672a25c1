using System.Text;
using BulkImporter.Manifests;
using BulkImporter.Parse;
using BulkImporter.Tests.Manifests;

namespace BulkImporter.Tests.Parse;

/// <summary>A manifest that nobody made for us; see docs/samples/README.md.</summary>
public class TateSampleTests
{
    private const string Map = "url=thumbnailUrl,caption=title,reference_id=accession_number";

    private static readonly byte[] Bytes = File.ReadAllBytes(Path.Combine(AppContext.BaseDirectory, "samples", "tate-artworks.csv"));

    [Fact]
    public async Task Every_row_is_read_and_the_38_without_a_url_are_found()
    {
        var content = await WholeManifest.ReadAsync(Bytes, Map);
        Assert.Equal(2134, content.Rows.Count);
        Assert.Equal(38, content.Findings.Count(finding => finding.Code == FindingCode.UrlMissing));
        Assert.Equal(38, content.Rows.Count(row => row.Checked.IsBlocked));
        Assert.All(content.Findings, finding => Assert.Equal(FindingCode.UrlMissing, finding.Code));
    }

    [Fact]
    public async Task No_row_repeats_another()
    {
        var content = await WholeManifest.ReadAsync(Bytes, Map);
        var duplicates = new DuplicateRows(content.Layout);
        var findings = new List<Finding>();
        Assert.All(content.Rows, row => Assert.False(duplicates.Check(row.Checked, findings)));
        Assert.Empty(findings);
    }

    [Fact]
    public async Task Accession_number_is_the_reference_when_mapped_and_id_otherwise()
    {
        Assert.Equal("A00001", (await WholeManifest.ReadAsync(Bytes, Map)).Rows[0].Checked.ReferenceId);
        var unmapped = await WholeManifest.ReadAsync(Bytes);
        Assert.Equal("1035", unmapped.Rows[0].Checked.ReferenceId);
        Assert.Equal("thumbnailUrl", unmapped.Layout.ColumnOf(ManifestColumn.Url));
    }

    [Fact]
    public async Task Export_repeats_every_original_line_byte_for_byte()
    {
        var content = await WholeManifest.ReadAsync(Bytes, Map);
        var exported = await WholeManifest.ExportAsync(Bytes, Map);
        var reread = await WholeManifest.ReadAsync(exported, Map);

        Assert.Equal(content.Rows.Count, reread.Rows.Count);
        var expected = new StringBuilder();
        foreach (var row in content.Rows)
            expected.Append(row.RawText).Append($",{row.RowNumber},imported,st-1,Rid1,1,,,,,,,,,,,,,,,,").Append(content.Layout.LineEnding);
        var text = Encoding.UTF8.GetString(exported);
        Assert.Equal(expected.ToString(), text[(text.IndexOf('\n') + 1)..]);
        foreach (var (before, after) in content.Rows.Zip(reread.Rows))
            Assert.Equal(before.Fields, after.Fields[..before.Fields.Length]);
    }

    [Fact]
    public async Task Export_of_an_export_replaces_the_result_columns()
    {
        var once = await WholeManifest.ExportAsync(Bytes, Map);
        Assert.Equal(once, await WholeManifest.ExportAsync(once, Map));
    }
}
