using Cincopa.Client;
using static BulkImporter.Tests.Client.ClientUnderTest;

namespace BulkImporter.Tests.Client;

public sealed class PingAndListTests
{
    [Fact]
    public async Task Ping_tells_the_account_and_what_the_token_may_do()
    {
        await using var server =
            RawServer.Replying(
                RawServer.Json(200,
                    """{"success":true,"ping":"pong","accid":"AMDA1","accemail":"a@x.test","permissions":"|asset.read|Asset.Upload|gallery.*|"}"""));
        using var client = New();

        var ok = Assert.IsType<PingResult.Ok>(await client.PingAsync(To(server), CancellationToken.None));

        Assert.Equal(("AMDA1", "a@x.test"), (ok.AccountId, ok.AccountEmail));
        Assert.Equal((true, true, false), (ok.Permissions!.CanUpload, ok.Permissions.CanRead, ok.Permissions.CanWrite));
        Assert.True(ok.Permissions.Allows("gallery.write"));
        Assert.StartsWith($"GET /v2/ping.json?api_token={Token} HTTP/1.1\r\n", Assert.Single(server.Requests));
    }

    [Theory]
    [InlineData("|asset.*|gallery.*|", true)]
    [InlineData("asset.upload", true)]
    [InlineData("*", true)]
    [InlineData("|ALL|", true)]
    [InlineData("|asset.read|asset.write|", false)]
    [InlineData("|gallery.*|", false)]
    [InlineData("|asset.uploads|asset.|", false)]
    [InlineData("", false)]
    public void Token_can_upload_only_with_an_atom_that_covers_it(string permissions, bool can) =>
        Assert.Equal(can, TokenPermissions.Parse(permissions).CanUpload);

    [Fact]
    public async Task Ping_without_permissions_says_that_they_are_not_known()
    {
        await using var server = RawServer.Replying(RawServer.Json(200, """{"success":true,"ping":"pong"}"""));
        using var client = New();

        Assert.Equal(new PingResult.Ok(null, null, null), await client.PingAsync(To(server), CancellationToken.None));
    }

    [Theory]
    [InlineData(401, "", RemoteErrorKind.TokenRejected)]
    [InlineData(403, """{"message":"bad"}""", RemoteErrorKind.TokenRejected)]
    [InlineData(200, """{"success":false,"message":"Invalid token"}""", RemoteErrorKind.TokenRejected)]
    [InlineData(404, "<html>", RemoteErrorKind.NotTheApi)]
    [InlineData(503, "<html>", RemoteErrorKind.ServerError)]
    [InlineData(200, "<html>", RemoteErrorKind.UnreadableReply)]
    public async Task Ping_fails_with_the_kind_of_the_reply(int status, string body, RemoteErrorKind kind)
    {
        await using var server = RawServer.Replying(RawServer.Json(status, body));
        using var client = New();

        Assert.Equal(kind, Assert.IsType<PingResult.Failed>(await client.PingAsync(To(server), CancellationToken.None)).Error.Kind);
    }

    [Theory]
    // The original before the content, and a version of the film before its pictures.
    [InlineData("""
        "versions":{"jpg_600x450":{"url":"p"},"mp4_hd":{"url":"v"},"original":{"url":"o"}},"content":{"value":"c"},"thumbnail":{"url":"t"}
        """, "o", "t", null)]
    [InlineData(""" "versions":{"jpg_600x450":{"url":"p"},"mp4_hd":{"url":"v"}},"content":{"value":"c"},"thumbnail":{"value":"t"} """, "c", "t", null)]
    [InlineData(""" "versions":{"jpg_600x450":{"url":"p"},"mp4_hd":{"url":"v"}},"thumbnail":"t","exif":{"duration":"00:01:02.5"} """, "v", null, 62.5)]
    [InlineData(""" "versions":{"jpg_600x450":{"url":"p"}},"exif":{"duration":"soon"},"duration":"90" """, null, null, null)]
    [InlineData(""" "versions":[],"content":null,"exif":[],"duration":"90.25" """, null, null, 90.25)]
    [InlineData(""" "duration":-1 """, null, null, null)]
    [InlineData(""" "exif":{"duration":"24:00:01"} """, null, null, 86401.0)]
    [InlineData(""" "exif":{"duration":"1:60:00"} """, null, null, null)]
    public async Task List_reads_where_an_asset_is_and_how_long_it_plays(string fields, string? file, string? thumbnail, double? seconds)
    {
        var ok = await ListAsync($$"""{"success":true,"items":[{"rid":"AbC",{{fields}}}]}""");
        var asset = Assert.Single(ok.Items);
        Assert.Equal((file, thumbnail, seconds), (asset.FileUrl, asset.ThumbnailUrl, asset.Duration?.TotalSeconds));
    }

    [Fact]
    public async Task List_reads_items_with_numbers_as_strings_and_missing_fields()
    {
        var ok = await ListAsync("""
            {"success":true,"items":[
              {"id":"1","rid":"AbC","type":"video","filename":"clip.mp4","caption":"C","filesize":"10000","uploaded":"2025-01-02T03:04:05Z","syncstatus":"synced","reference_id":"r1"},
              {"rid":"DeF","uploaded":"2025-01-02T05:04:05+02:00","filesize":-1,"versions":{"original":{"url":"x","filesize":"777","name":"orig.mov"}}},
              {"rid":"GhI","uploaded":"2025-01-02 03:04:05","filename":null,"filesize":null,"caption":""},
              {"resid":"JkL","uploaded":"yesterday"}],
             "items_data":{"page":"1","items_per_page":"50","items_count":4,"pages_count":"9"}}
            """);

        var time = new DateTimeOffset(2025, 1, 2, 3, 4, 5, TimeSpan.Zero);
        Assert.Equal(
            [
                new RemoteAsset(new Rid("AbC"), "clip.mp4", 10000, time, "C", "r1", "video", "synced"),
                new RemoteAsset(new Rid("DeF"), "orig.mov", 777, time, null, null, null, null, "x"),
                new RemoteAsset(new Rid("GhI"), null, null, time, null, null, null, null),
                new RemoteAsset(new Rid("JkL"), null, null, null, null, null, null, null),
            ],
            ok.Items);
        Assert.Equal((1, 50, 4, 9), (ok.Page, ok.ItemsPerPage, ok.ItemsCount, ok.PagesCount));
    }

    [Theory]
    [InlineData("""{"success":true,"items":[],"items_data":{"page_count":3}}""", 3)]
    [InlineData("""{"success":true,"items":[],"items_data":{"pages_count":4,"page_count":3}}""", 4)]
    [InlineData("""{"success":true,"items":[],"items_data":{}}""", null)]
    [InlineData("""{"success":true,"items":[]}""", null)]
    [InlineData("""{"success":true,"items":null,"items_data":{"items_count":0,"pages_count":0}}""", 0)]
    public async Task Page_count_goes_by_two_names_or_none(string body, int? pages)
    {
        var ok = await ListAsync(body);
        Assert.Equal(pages, ok.PagesCount);
        Assert.Empty(ok.Items);
    }

    [Theory]
    [InlineData("""{"success":true}""")]
    [InlineData("""{"success":true,"items":{"0":{"rid":"x"}}}""")]
    [InlineData("""{"success":true,"items_data":{"items_count":3}}""")]
    [InlineData("""{"success":true,"items":[{"rid":"AbC"},{"filename":"no rid.mp4"}]}""")]
    [InlineData("""{"success":true,"items":["AbC"]}""")]
    public async Task List_is_unreadable_rather_than_silently_shorter(string body)
    {
        await using var server = RawServer.Replying(RawServer.Json(200, body));
        using var client = New();

        Assert.Equal(RemoteErrorKind.UnreadableReply,
            Assert.IsType<AssetListResult.Failed>(
                await client.ListAssetsAsync(To(server), new AssetListQuery(), CancellationToken.None)).Error.Kind);
    }

    [Fact]
    public async Task List_reads_a_page_that_is_larger_than_any_other_reply()
    {
        var items = string.Join(',', Enumerable.Range(0, 2000)
            .Select(i => $$"""{"rid":"r{{i}}","long_description":"{{new string('x', 1000)}}"}"""));
        Assert.Equal(2000, (await ListAsync($$"""{"success":true,"items":[{{items}}]}""")).Items.Count);
    }

    [Fact]
    public async Task List_asks_for_what_the_query_says_and_for_nothing_else()
    {
        await using var server = RawServer.Replying(RawServer.Json(200, """{"success":true,"items":[]}"""));
        using var client = New();

        await client.ListAssetsAsync(To(server), new AssetListQuery(), CancellationToken.None);
        await client.ListAssetsAsync(
            To(server),
            new AssetListQuery
            { Page = 3, ItemsPerPage = 100, Search = "tag=a b", Rid = new Rid("AbC"), ReferenceId = "job/1", BypassCache = true },
            CancellationToken.None);

        Assert.StartsWith($"GET /v2/asset.list.json?api_token={Token}&page=1&items_per_page=50 HTTP/1.1\r\n", server.Requests[0]);
        Assert.StartsWith(
            $"GET /v2/asset.list.json?api_token={Token}&page=3&items_per_page=100&search=tag%3Da%20b&rid=AbC&reference_id=job%2F1&cache=never HTTP/1.1\r\n",
            server.Requests[1]);
    }

    private static async Task<AssetListResult.Ok> ListAsync(string body)
    {
        await using var server = RawServer.Replying(RawServer.Json(200, body));
        using var client = New();
        return Assert.IsType<AssetListResult.Ok>(await client.ListAssetsAsync(To(server), new AssetListQuery(), CancellationToken.None));
    }
}
