using System.Text;
using System.Text.Json.Nodes;
using BulkImporter.Finish;
using BulkImporter.Imports;
using BulkImporter.Manifests;
using BulkImporter.Records;
using BulkImporter.Tests.Api;
using Microsoft.Extensions.DependencyInjection;

namespace BulkImporter.Tests.Export;

/// <summary>Where the assets of an import play: in the result file, in the API, and as the account says.</summary>
public sealed class PlayableResultsTests(ImporterServer server) : IClassFixture<ImporterServer>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_result_file_and_the_record_say_where_an_asset_plays_and_what_Cincopa_said_of_it()
    {
        var id = await ImportAsync();
        await PlayerAsync("""{"playerTemplate":""}""");
        var rows = await ResultsAsync(id);
        // The import's gallery; the row's; the one that the row names; the picture has no playlist; the failed row has nothing.
        Assert.Equal(
        [
            "https://rt.cincopa.com/rid1.m3u8|https://www.cincopa.com/media-platform/iframe.aspx?fid=Gall!rid1|||Gall|",
            "https://rt.cincopa.com/rid2.m3u8|https://www.cincopa.com/media-platform/iframe.aspx?fid=Own!rid2|"
                + "https://cdn.test/2.mp4|https://cdn.test/2.jpg|Own|false",
            "|https://www.cincopa.com/media-platform/iframe.aspx?fid=Named!rid3|||Named|",
            "|||||",
        ], rows.Select(r => string.Join('|', ManifestFormat.ResultColumns.Skip(9).Take(6).Select(c => r[c]?.ToString()))));

        // What is expected of an asset that was not asked is told too.
        Assert.Equal(["unverifiable|||||", "size_differs|21|20|62|62.5|abc", "unverifiable|9||||", "|||||"],
            rows.Select(r => string.Join('|', ManifestFormat.ResultColumns.Skip(15).Select(c => r[c]?.ToString()))));
        using var csv = await server.Client(server.ViewerKey).GetAsync($"/api/v1/imports/{id}/results?arrival=size_differs", Token);
        Assert.EndsWith(",false,size_differs,21,20,62,62.5,abc", (await csv.Content.ReadAsStringAsync(Token)).TrimEnd('\n'),
            StringComparison.Ordinal);

        await PlayerAsync("""{"playerTemplate":" Tmpl ","hlsAddress":"https://rtcdn.cincopa.com/{rid}.m3u8"}""");
        var asset = (await server.GetAsync(server.ViewerKey, $"/api/v1/imports/{id}/records/2")).Body!["asset"]!;
        Assert.Equal(("https://rtcdn.cincopa.com/rid2.m3u8", "https://www.cincopa.com/media-platform/iframe.aspx?fid=Tmpl!rid2", "Own"),
            ((string?)asset["hlsUrl"], (string?)asset["embedUrl"], (string?)asset["fid"]));
        Assert.Equal(("video", 20L, 62.5, false),
            ((string?)asset["type"], (long?)asset["sizeBytes"], (double?)asset["seconds"], (bool?)asset["playable"]));
        Assert.Null((await server.GetAsync(server.ViewerKey, $"/api/v1/imports/{id}/records/4")).Body!["asset"]);
        await PlayerAsync("""{"playerTemplate":"","hlsAddress":""}""");
    }

    [Fact]
    public async Task What_was_said_of_another_asset_of_the_record_counts_no_more()
    {
        var id = await ImportAsync();
        await server.Database.SqlAsync("UPDATE importer.import_record SET rid = 'other' WHERE import_id = $1 AND row_number = 2", id);
        var asset = (await server.GetAsync(server.ViewerKey, $"/api/v1/imports/{id}/records/2")).Body!["asset"]!;
        Assert.Equal("https://rt.cincopa.com/other.m3u8", (string?)asset["hlsUrl"]);
        Assert.Null(asset["fileUrl"]);
        Assert.Null(asset["playable"]);
    }

    [Fact]
    public async Task A_result_file_is_a_manifest_whose_addresses_of_assets_are_no_sources()
    {
        var id = await ImportAsync();
        using var response = await server.Client(server.OperatorKey).GetAsync($"/api/v1/imports/{id}/results", Token);
        var file = await response.EnsureSuccessStatusCode().Content.ReadAsByteArrayAsync(Token);
        var reread = await Manifests.WholeManifest.ReadAsync(file, null);
        Assert.Equal("https://media.example/1.mp4", reread.Rows[0].Checked.Url);
    }

    [Theory]
    [InlineData("""{"hlsAddress":"https://x.test/all"}""", "hlsAddress")]
    [InlineData("""{"embedAddress":"https://x.test/{reference_id}"}""", "embedAddress")]
    [InlineData("""{"playerTemplate":"two words"}""", "playerTemplate")]
    public async Task What_cannot_lead_to_assets_is_refused(string change, string argument)
    {
        var (status, problem) = await server.SendAsync(server.AdminKey, HttpMethod.Patch, "/api/v1/accounts/default",
            new StringContent(change, Encoding.UTF8, "application/json"));
        Assert.Equal((400, argument), (status, (string?)problem!["argument"]));
    }

    private async Task PlayerAsync(string change) => Assert.Equal(200, (await server.SendAsync(server.AdminKey, HttpMethod.Patch,
        "/api/v1/accounts/default", new StringContent(change, Encoding.UTF8, "application/json"))).Status);

    private async Task<List<JsonObject>> ResultsAsync(int id)
    {
        using var response = await server.Client(server.ViewerKey).GetAsync($"/api/v1/imports/{id}/results?format=jsonl", Token);
        var text = await response.EnsureSuccessStatusCode().Content.ReadAsStringAsync(Token);
        return [.. text.TrimEnd('\n').Split('\n').Select(line => JsonNode.Parse(line)!.AsObject())];
    }

    private async Task<int> ImportAsync()
    {
        var id = await server.Database.ImportAsync(ImportState.Running,
            [RecordState.Imported, RecordState.Imported, RecordState.Imported, RecordState.Failed]);
        var manifest = "url\nhttps://media.example/1.mp4\nhttps://media.example/2.mp4\nhttps://media.example/3.jpg\nhttps://media.example/4.mp4\n";
        var uploaded = await server.Services.GetRequiredService<UploadManifest>()
            .RunAsync(new MemoryStream(Encoding.UTF8.GetBytes(manifest)), "library.csv", Token);
        await server.Database.SqlAsync("UPDATE importer.import SET manifest_id = $2, fid = 'Gall' WHERE id = $1", id, uploaded.Id);
        await server.Database.SqlAsync(
            "UPDATE importer.import_record SET source_url = 'https://media.example/3.jpg' WHERE import_id = $1 AND row_number = 3", id);
        var account = await server.Database.OneAsync<int>("SELECT account_id FROM importer.import WHERE id = $1", id);
        await server.Database.SqlAsync("DELETE FROM importer.named_gallery");
        await server.Database.AddAsync(
            new RecordMeta { ImportId = id, RowNumber = 2, Fid = "Own" },
            new RecordMeta { ImportId = id, RowNumber = 3, Gallery = "Spring", SourceBytes = 9 },
            new NamedGallery { AccountId = account, Name = "Spring", Fid = "Named", ClaimedUntil = DateTimeOffset.UnixEpoch },
            new RecordAsset
            {
                ImportId = id,
                RowNumber = 2,
                Rid = "rid2",
                Type = "video",
                SizeBytes = 20,
                Seconds = 62.5,
                FileUrl = "https://cdn.test/2.mp4",
                ThumbnailUrl = "https://cdn.test/2.jpg",
                Playable = false,
                SeenAt = DateTimeOffset.UnixEpoch,
                ExpectedBytes = 21,
                ExpectedSeconds = 62,
                SentSha256 = "abc",
            });
        return id;
    }
}
