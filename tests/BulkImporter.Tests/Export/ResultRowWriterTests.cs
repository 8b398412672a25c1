using System.Text;
using BulkImporter.Export;
using BulkImporter.Tests.Manifests;

namespace BulkImporter.Tests.Export;

public class ResultRowWriterTests
{
    private const string ResultHeader =
        "import_row,import_state,import_status_id,import_rid,import_attempts,import_error_code,import_error,import_submitted_at,import_finished_at,"
            + "import_hls_url,import_embed_url,import_file_url,import_thumbnail_url,import_fid,import_playable,"
            + "import_verified,import_expected_size,import_size,import_expected_duration,import_duration,import_sent_sha256";

    /// <summary>Behind the attempts of a row of which no more is known.</summary>
    private const string Nothing = ",,,,,,,,,,,,,,,";

    private static async Task<string> ExportAsync(string manifest, RowResult? result = null, string? map = null) =>
        Encoding.UTF8.GetString(await WholeManifest.ExportAsync(Encoding.UTF8.GetBytes(manifest), map, result));

    [Fact]
    public async Task Original_text_is_repeated_with_its_quotes_and_line_breaks()
    {
        var exported = await ExportAsync("url,\"caption\"\r\nhttps://a.test/1,\"One\ntwo \"\"x\"\"\"\r\n\"https://a.test/2\",Two");
        Assert.Equal(
            $"url,\"caption\",{ResultHeader}\r\nhttps://a.test/1,\"One\ntwo "
                + $"\"\"x\"\"\",1,imported,st-1,Rid1,1,{Nothing}\r\n\"https://a.test/2\",Two,2,imported,st-1,Rid1,1,{Nothing}\r\n", exported);
    }

    [Fact]
    public async Task Times_are_utc_and_texts_are_quoted_and_guarded()
    {
        var at = new DateTimeOffset(2026, 1, 15, 13, 0, 0, 250, TimeSpan.FromHours(1));
        var exported = await ExportAsync("url\nhttps://a.test/1\n",
            new RowResult("failed", "=s", "-r", 3, "stalled", "said \"no\", twice", at, at));
        Assert.EndsWith(",1,failed,'=s,'-r,3,stalled,\"said \"\"no\"\", twice\",2026-01-15T12:00:00.250Z,2026-01-15T12:00:00.250Z,,,,,,,,,,,,\n",
            exported, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Byte_order_mark_separator_line_and_separator_are_those_of_the_manifest()
    {
        var exported = await ExportAsync("\uFEFFsep=;\r\nurl;caption\r\nhttps://a.test/1;One\r\n");
        Assert.Equal($"\uFEFFsep=;\r\nurl;caption;{ResultHeader.Replace(',', ';')}\r\nhttps://a.test/1;One;1;imported;st-1;Rid1;1;{Nothing.Replace(',', ';')}\r\n",
            exported);
    }

    [Fact]
    public async Task Short_row_is_filled_up_and_surplus_fields_move_behind_the_result()
    {
        var exported = await ExportAsync("url,a,b\nhttps://a.test/1\nhttps://a.test/2,x,y,\"z,z\"\n");
        Assert.Contains($"\nhttps://a.test/1,,,1,imported,st-1,Rid1,1,{Nothing}\nhttps://a.test/2,x,y,2,imported,st-1,Rid1,1,{Nothing},\"z,z\"\n",
            exported, StringComparison.Ordinal);
        var reread = await WholeManifest.ReadAsync(exported);
        Assert.Equal("z,z", reread.Rows[1].Fields[^1]);
    }

    [Fact]
    public async Task Unclosed_quote_becomes_text_and_swallows_nothing()
    {
        var exported = await ExportAsync("url,caption\nhttps://a.test/1,\"One, two\nhttps://a.test/2,Two\n");
        Assert.Contains("\nhttps://a.test/1,\"\"\"One, two\",1,imported,", exported, StringComparison.Ordinal);
        Assert.Contains("\nhttps://a.test/2,Two,2,imported,", exported, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Formula_is_guarded_inside_its_quotes_and_comes_back_on_re_upload()
    {
        var exported = await ExportAsync("url,caption\nhttps://a.test/1,\"=1,\"\"2\"\"\"\nhttps://a.test/2,@x\nhttps://a.test/3,-12.5\n");
        Assert.Contains("https://a.test/1,\"'=1,\"\"2\"\"\",1,", exported, StringComparison.Ordinal);
        Assert.Contains("https://a.test/2,'@x,2,", exported, StringComparison.Ordinal);
        Assert.Contains("https://a.test/3,-12.5,3,", exported, StringComparison.Ordinal);
        Assert.Equal(["=1,\"2\"", "@x", "-12.5"], (await WholeManifest.ReadAsync(exported)).Rows.Select(row => row.Checked.Caption!));
        Assert.Equal(exported, await ExportAsync(exported));
    }

    [Theory]
    [InlineData("url,caption\nhttps://a.test/1,x;=1+1\n", "https://a.test/1,x;'=1+1,1,")]
    [InlineData("url,caption\nhttps://a.test/1,\"x;\"\"=1\"\"\"\n", "https://a.test/1,\"x;'\"\"=1\"\"\",1,")]
    [InlineData("url;caption\nhttps://a.test/1;\"x,=1+1;,-2\"\n", "https://a.test/1;\"x,'=1+1;,'-2\";1;")]
    [InlineData("url,caption\nhttps://a.test/1,\"One\n+two, -three\"\n", "https://a.test/1,\"One\n'+two, -three\",1,")]
    [InlineData("caption,url\n-12.5,https://a.test/1\n", "\n'-12.5,https://a.test/1,1,")]
    public async Task A_spreadsheet_that_takes_another_separator_sees_no_formula_and_the_cell_comes_back(string manifest, string row)
    {
        var exported = await ExportAsync(manifest);
        Assert.Contains(row, exported, StringComparison.Ordinal);
        Assert.Equal((await WholeManifest.ReadAsync(manifest)).Rows[0].Checked.Caption,
            (await WholeManifest.ReadAsync(exported)).Rows[0].Checked.Caption);
        Assert.Equal(exported, await ExportAsync(exported));
    }

    [Fact]
    public async Task Manifest_without_header_gets_one_that_can_be_uploaded_again()
    {
        var exported = await ExportAsync("https://a.test/1,https://a.test/1.jpg,One\n");
        Assert.StartsWith($"url,column2,column3,{ResultHeader}\nhttps://a.test/1,https://a.test/1.jpg,One,1,", exported,
            StringComparison.Ordinal);
        Assert.Equal("https://a.test/1", (await WholeManifest.ReadAsync(exported)).Rows[0].Checked.Url);
    }

    [Fact]
    public async Task Result_columns_that_a_person_moved_are_still_replaced()
    {
        var exported = await ExportAsync("import_state,url,import_row,note\nfailed,https://a.test/1,7,x\n");
        Assert.Equal($"url,note,{ResultHeader}\nhttps://a.test/1,x,1,imported,st-1,Rid1,1,{Nothing}\n", exported);
    }

    [Fact]
    public async Task Apostrophes_stay_in_a_manifest_that_is_no_result_file()
    {
        Assert.Equal("'=1", (await WholeManifest.ReadAsync("url,caption\nhttps://a.test/1,'=1\n")).Rows[0].Checked.Caption);
        Assert.Contains(",''=1,1,", await ExportAsync("url,caption\nhttps://a.test/1,'=1\n"), StringComparison.Ordinal);
    }
}
