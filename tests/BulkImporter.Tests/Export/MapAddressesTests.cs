using System.Text.Json.Nodes;
using BulkImporter.Imports;
using BulkImporter.Records;
using BulkImporter.Tests.Api;

namespace BulkImporter.Tests.Export;

/// <summary>
/// The map from old addresses to new ones, read back by what each format's reader does. That a real nginx takes it is tried by
/// <c>OldAddressesTests</c>.
/// </summary>
public sealed class MapAddressesTests(ImporterServer server) : IClassFixture<ImporterServer>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private static string Embed(string rid) => $"https://www.cincopa.com/media-platform/iframe.aspx?fid=G$1!{rid}".Replace("$", "%24");

    [Fact]
    public async Task The_old_address_is_the_rows_own_or_its_source_and_only_what_is_imported_is_in_the_map()
    {
        var id = await ImportAsync(["https://Old.Example.com:8080/Watch?v=7#top", null, "/watch/3"], RecordState.Imported,
            RecordState.Imported, RecordState.Imported, RecordState.Failed);
        Assert.Equal(
        [
            "old_url,new_url,rid,import,row",
            $"/watch/3,{Embed("r3")},r3,{id},3",
            $"https://Old.Example.com:8080/Watch?v=7#top,{Embed("r1")},r1,{id},1",
            $"https://media.example/2.mp4,{Embed("r2")},r2,{id},2",
        ], await LinesAsync($"import={id}"));
        Assert.Equal((3, 0, 0, 0), await CheckAsync($"import={id}"));

        var json = JsonNode.Parse(await TextAsync($"import={id}&format=json&to=hls"))!.AsArray();
        Assert.Equal([("/watch/3", "https://rt.cincopa.com/r3.m3u8")],
            json.Take(1).Select(e => ((string)e!["old_url"]!, (string)e["new_url"]!)));
        Assert.Equal([3, 1, 2], json.Select(e => (int)e!["row"]!));
    }

    [Fact]
    public async Task Each_format_holds_addresses_as_a_server_meets_them()
    {
        var id = await ImportAsync(
        [
            "HTTP://user:pw@Old.Example.com:80/a b/\"ü\".html?x=1&y=$2#top", "https://old.example.com", "https://old.example.com?v=%41", "/w/*/:id",
            "https://bücher.example/x",
        ], [.. Enumerable.Repeat(RecordState.Imported, 5)]);
        string[] old =
        [
            "/w/*/:id", "old.example.com/a%20b/%22%C3%BC%22.html?x=1&y=$2", "old.example.com/", "old.example.com/?v=%41",
            "xn--bcher-kva.example/x",
        ];
        int[] rows = [4, 1, 2, 3, 5];
        Assert.Equal(old.Zip(rows, (a, r) => (a, Embed($"r{r}"))), Nginx(await TextAsync($"import={id}&format=nginx")));
        Assert.Equal(old.Zip(rows, (a, r) => (a, Embed($"r{r}"))),
            (await LinesAsync($"import={id}&format=apache")).Where(l => l[0] != '#').Select(l => (l.Split(' ')[0], l.Split(' ')[1])));
        Assert.Equal(
        [
            $"/w/%2A/%3Aid {Embed("r4")} 301!", $"https://old.example.com/a%20b/%22%C3%BC%22.html x=1 y=$2 {Embed("r1")} 301!",
            $"https://old.example.com/ {Embed("r2")} 301!", $"https://old.example.com/ v=%41 {Embed("r3")} 301!",
            $"https://xn--bcher-kva.example/x {Embed("r5")} 301!",
        ], (await LinesAsync($"import={id}&format=netlify")).Skip(1));
        Assert.Equal(
        [
            "source,target,regex,code", $"/w/*/:id,{Embed("r4")},0,301", $"/a%20b/%22%C3%BC%22.html?x=1&y=$2,{Embed("r1")},0,301",
            $"/,{Embed("r2")},0,301", $"/?v=%41,{Embed("r3")},0,301", $"/x,{Embed("r5")},0,301",
        ], await LinesAsync($"import={id}&format=wordpress"));
    }

    [Fact]
    public async Task One_address_of_two_assets_is_refused_with_the_rows_and_of_one_asset_is_one_entry()
    {
        var first = await ImportAsync(["https://o.test/a", "https://o.test/b"], RecordState.Imported, RecordState.Imported);
        var second = await ImportAsync(["http://o.test/a#x", "https://o.test/c"], RecordState.Imported, RecordState.Imported);
        await server.Database.SqlAsync("UPDATE importer.import_record SET rid = 's' || row_number WHERE import_id = $1", second);

        var (status, problem) = await server.GetAsync(server.OperatorKey, $"/api/v1/map?import={first}&import={second}");
        Assert.Equal((409, "map-refused"), (status, (string?)problem!["type"]));
        Assert.Contains(
            $"1 old address leads to more than one asset: o.test/a: row 1 of import {first} (asset r1), row 1 of import {second} (asset s1).",
            (string?)problem["detail"], StringComparison.Ordinal);
        Assert.Equal((2, 0, 0, 0), await CheckAsync($"import={first}"));

        // The same asset twice is no conflict: the second row of the address is left out.
        await server.Database.SqlAsync("UPDATE importer.import_record SET rid = 'r1' WHERE import_id = $1 AND row_number = 1", second);
        Assert.Equal((3, 1, 0, 0), await CheckAsync($"import={second}&import={first}"));
        Assert.Equal(["o.test/a", "o.test/b", "o.test/c"],
            Nginx(await TextAsync($"import={first}&import={second}&format=nginx")).Select(e => e.Old));
    }

    [Fact]
    public async Task What_a_format_takes_for_one_address_is_a_conflict_in_that_format_only()
    {
        var id = await ImportAsync(["https://one.test/Clip", "https://one.test/clip", "https://two.test/other", "https://one.test/other"],
            [.. Enumerable.Repeat(RecordState.Imported, 4)]);
        Assert.Contains("(nginx does not tell upper from lower case): one.test/Clip", await RefusalAsync($"import={id}&format=nginx"),
            StringComparison.Ordinal);
        Assert.Contains("(WordPress knows the path only): ", await RefusalAsync($"import={id}&format=wordpress"), StringComparison.Ordinal);
        foreach (var format in (string[])["csv", "json", "apache", "netlify"])
            Assert.Equal((4, 0, 0, 0), await CheckAsync($"import={id}&format={format}"));
    }

    [Fact]
    public async Task A_page_that_shows_the_same_film_as_another_leads_to_the_one_asset_of_both()
    {
        var id = await ImportAsync(["https://o.test/page1", "https://o.test/page2", "https://o.test/page3"], RecordState.Imported,
            RecordState.Duplicate, RecordState.Duplicate);
        await server.Database.SqlAsync(
            "UPDATE importer.import_record SET source_key = 'a0000000-0000-0000-0000-000000000001' WHERE import_id = $1 AND row_number < 3", id);
        Assert.Equal([("o.test/page1", Embed("r1")), ("o.test/page2", Embed("r1"))],
            Nginx(await TextAsync($"import={id}&format=nginx")));
    }

    [Fact]
    public async Task What_has_no_target_or_no_address_for_the_format_is_left_out_and_counted()
    {
        var id = await ImportAsync([null, "https://o.test/?only-a-word", $"https://o.test/{new string('x', 900)}", "https://o.test/4"],
            [.. Enumerable.Repeat(RecordState.Imported, 4)]);
        await server.Database.SqlAsync(
            "UPDATE importer.import_record SET source_url = 'upload:///abc/1.jpg' WHERE import_id = $1 AND row_number = 1", id);
        Assert.Equal((3, 0, 0, 1), await CheckAsync($"import={id}"));
        Assert.Equal((2, 0, 0, 2), await CheckAsync($"import={id}&format=netlify"));
        Assert.Equal((2, 0, 0, 2), await CheckAsync($"import={id}&format=apache"));

        await server.Database.AddAsync(new RecordAsset
        {
            ImportId = id,
            RowNumber = 4,
            Rid = "r4",
            Type = "image",
            FileUrl = "https://cdn.test/a b\"c.jpg",
            SeenAt = DateTimeOffset.UnixEpoch,
        });
        Assert.Equal((2, 0, 1, 1), await CheckAsync($"import={id}&to=hls"));
        Assert.Equal((1, 0, 2, 1), await CheckAsync($"import={id}&to=file"));
        Assert.Equal(["old_url,new_url,rid,import,row", $"https://o.test/4,https://cdn.test/a%20b%22c.jpg,r4,{id},4"],
            await LinesAsync($"import={id}&to=file"));

        await server.Database.SqlAsync("UPDATE importer.import_record SET reference_id = CASE WHEN row_number = 4 THEN 'R/4' END WHERE import_id = $1", id);
        Assert.Equal(["old_url,new_url,rid,import,row", $"https://o.test/4,/watch/R%2F4,r4,{id},4"],
            await LinesAsync($"import={id}&page=/watch/{{reference_id}}"));

        await server.Database.SqlAsync("UPDATE importer.import SET fid = NULL WHERE id = $1", id);
        Assert.Contains("needs a player template of the account, or a gallery", await RefusalAsync($"import={id}"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Rows_of_many_ranges_are_each_in_it_once()
    {
        const int Rows = 12_000;
        var id = await server.Database.ImportAsync(ImportState.Finished, [.. Enumerable.Repeat(RecordState.Imported, Rows)], chunkSize: 500);
        await server.Database.SqlAsync("UPDATE importer.import SET fid = 'G' WHERE id = $1", id);
        // Every second one repeats the one before, asset and all, beyond the ranges' ends too.
        await server.Database.SqlAsync("""
            UPDATE importer.import_record SET rid = 'r' || (row_number / 2 * 2), source_url = 'https://o.test/' || (row_number / 2 * 2)
            WHERE import_id = $1
            """, id);
        Assert.Equal((6001, 5999, 0, 0), await CheckAsync($"import={id}"));
        Assert.Equal(Enumerable.Range(0, 6001).Select(n => $"https://o.test/{2 * n}"),
            (await LinesAsync($"import={id}")).Skip(1).Select(l => l.Split(',')[0]));
    }

    [Theory]
    [InlineData("import=999999", 404, null)]
    [InlineData("format=csv", 400, "import")]
    [InlineData("import=1&format=iis", 400, "format")]
    [InlineData("import=1&to=moon", 400, "to")]
    [InlineData("import=1&to=hls&page=/x/{rid}", 400, "page")]
    [InlineData("import=1&to=page", 400, "page")]
    [InlineData("import=1&page=/x", 400, "page")]
    public async Task What_cannot_be_meant_is_told(string query, int expected, string? argument)
    {
        var (status, problem) = await server.GetAsync(server.OperatorKey, $"/api/v1/map/check?{query}");
        Assert.Equal((expected, argument), (status, (string?)problem!["argument"]));
    }

    [Fact]
    public async Task A_viewer_gets_no_map_and_a_download_is_in_the_audit_log()
    {
        var id = await ImportAsync([null], RecordState.Imported);
        Assert.Equal(403, (await server.GetAsync(server.ViewerKey, $"/api/v1/map?import={id}")).Status);
        using var response = await server.Client(server.OperatorKey).GetAsync($"/api/v1/map?import={id}&format=netlify", Token);
        Assert.Equal("_redirects", response.Content.Headers.ContentDisposition?.FileName);
        Assert.Equal("netlify, to embed, with whole source addresses", await server.Database.OneAsync<string>(
            "SELECT detail FROM importer.audit_entry WHERE action = 'map_exported' AND import_id = $1", id));
    }

    /// <summary>Both blocks, in their order, as nginx's reader of quoted words takes them.</summary>
    private static List<(string Old, string New)> Nginx(string text)
    {
        var entries = new List<(string, string)>();
        foreach (var line in text.Split('\n').Where(l => l.StartsWith("    \"", StringComparison.Ordinal)))
        {
            Assert.EndsWith("\";", line, StringComparison.Ordinal);
            var words = line.Trim().TrimEnd(';').Trim('"').Split("\" \"");
            Assert.Equal(2, words.Length);
            Assert.DoesNotContain('$', words[1]);
            Assert.All(words, w => Assert.DoesNotContain('"', w));
            entries.Add((words[0], words[1]));
        }
        return entries;
    }

    private async Task<int> ImportAsync(string?[] oldUrls, params RecordState[] records)
    {
        var id = await server.Database.ImportAsync(ImportState.Finished, records);
        await server.Database.SqlAsync("UPDATE importer.import SET fid = 'G$1' WHERE id = $1", id);
        await server.Database.SqlAsync(
            "UPDATE importer.import_record SET rid = 'r' || row_number WHERE import_id = $1 AND state = 'imported'", id);
        for (var row = 1; row <= oldUrls.Length; row++)
        {
            if (oldUrls[row - 1] is { } old)
                await server.Database.AddAsync(new RecordMeta { ImportId = id, RowNumber = row, OldUrl = old });
        }
        return id;
    }

    private async Task<(long, long, long, long)> CheckAsync(string query)
    {
        var (status, report) = await server.GetAsync(server.OperatorKey, $"/api/v1/map/check?{query}");
        Assert.True(status == 200, report?.ToString());
        return ((long)report!["addresses"]!, (long)report["repeated"]!, (long)report["withoutTarget"]!, (long)report["withoutAddress"]!);
    }

    private async Task<string> RefusalAsync(string query)
    {
        var (status, problem) = await server.GetAsync(server.OperatorKey, $"/api/v1/map/check?{query}");
        Assert.Equal((409, "map-refused"), (status, (string?)problem!["type"]));
        return (string)problem["detail"]!;
    }

    private async Task<string[]> LinesAsync(string query) => (await TextAsync(query)).TrimEnd('\n').Split('\n');

    private async Task<string> TextAsync(string query)
    {
        using var response = await server.Client(server.OperatorKey).GetAsync($"/api/v1/map?{query}", Token);
        var text = await response.Content.ReadAsStringAsync(Token);
        Assert.True(response.IsSuccessStatusCode, text);
        return text;
    }
}
