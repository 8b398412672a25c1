using System.Text;
using Cincopa.Client;
using Cincopa.Simulator;
using Cincopa.Simulator.Faults;
using static BulkImporter.Tests.Client.ClientUnderTest;

namespace BulkImporter.Tests.Client;

/// <summary>The rows of the contract's sections 2.5, 2.6, 2.8 and 2.10 against the simulator, in both styles of refusal.</summary>
public sealed class MetaGalleryPushTests : IAsyncLifetime
{
    private static readonly byte[] File = [.. Enumerable.Range(0, 1000).Select(i => (byte)(i * 7))];

    private readonly CincopaClient client = New();
    private SimulatorHost simulator = null!;
    private CincopaAccess access = null!;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public static TheoryData<string> Styles => ["json", "success_false"];

    public async ValueTask InitializeAsync()
    {
        simulator = await SimulatorHost.StartAsync(cancellationToken: Stop);
        access = new CincopaAccess(simulator.BaseAddress, Token);
    }

    public async ValueTask DisposeAsync()
    {
        client.Dispose();
        await simulator.DisposeAsync();
    }

    [Fact]
    public async Task Set_meta_writes_what_is_given_and_leaves_the_rest_and_the_list_shows_it()
    {
        var rid = await PushedAsync();
        var all = new AssetMeta
        {
            Caption = "A & b = ü",
            Description = "d",
            LongDescription = "l",
            RelatedLinkText = "t",
            RelatedLinkUrl = "https://x.test/?a=1&b=2",
            ReferenceId = "r/1",
            Tags = "a,b",
        };
        Assert.IsType<ChangeResult.Ok>(await client.SetMetaAsync(access, rid, all, Stop));
        Assert.IsType<ChangeResult.Ok>(await client.SetMetaAsync(access, rid, new AssetMeta { Description = "d2" }, Stop));

        var asset = Assert.Single(simulator.Simulator.Library.Assets());
        Assert.Equal(["A & b = ü", "d2", "l", "t", "https://x.test/?a=1&b=2", "r/1", "a,b"],
            new[] { "caption", "description", "long_description", "related_link_text", "related_link_url", "reference_id",
                "tags" }.Select(f => asset[f]));
        var listed = Assert.IsType<AssetListResult.Ok>(await client.ListAssetsAsync(access, new AssetListQuery
        { ReferenceId = "r/1", Details = "reference_id", BypassCache = true }, Stop));
        Assert.Equal((rid, "r/1"), (Assert.Single(listed.Items).Rid, listed.Items[0].ReferenceId));
    }

    [Fact]
    public async Task An_asset_is_deleted_once_and_is_listed_no_more()
    {
        var (rid, other) = (await PushedAsync("a.mp4", "1"), await PushedAsync("b.mp4", "2"));
        Assert.IsType<ChangeResult.Ok>(await client.DeleteAssetAsync(access, rid, Stop));
        Assert.IsType<ChangeResult.Failed>(await client.DeleteAssetAsync(access, rid, Stop));
        var query = new AssetListQuery { Rid = rid, BypassCache = true };
        Assert.Empty(Assert.IsType<AssetListResult.Ok>(await client.ListAssetsAsync(access, query, Stop)).Items);
        var left = Assert.IsType<AssetListResult.Ok>(await client.ListAssetsAsync(access, new AssetListQuery(), Stop)).Items;
        Assert.Equal(other, Assert.Single(left).Rid);
    }

    [Theory]
    [MemberData(nameof(Styles))]
    public async Task What_does_not_exist_is_refused_in_both_styles(string style)
    {
        Behave($$"""{"refusals":"{{style}}","anyGallery":false}""");
        var rid = await PushedAsync();
        var fid = Assert.IsType<GalleryCreateResult.Created>(await client.CreateGalleryAsync(access, "Spring", Stop)).Fid;
        var status = style == "json" ? 404 : 200;
        Assert.Equal(status,
            Assert.IsType<ChangeResult.Failed>(
                await client.SetMetaAsync(access, new Rid("nothing"), new AssetMeta { Caption = "x" }, Stop)).Error.HttpStatus);
        Assert.Equal(status,
            Assert.IsType<ChangeResult.Failed>(
                await client.AddGalleryItemsAsync(access, new Fid("nothing"), [rid], Stop)).Error.HttpStatus);
        Assert.Equal(status,
            Assert.IsType<ChangeResult.Failed>(
                await client.AddGalleryItemsAsync(access, fid, [rid, new Rid("nothing")], Stop)).Error.HttpStatus);
        Assert.Equal(status,
            Assert.IsType<AssetListResult.Failed>(
                await client.ListGalleryItemsAsync(access, new Fid("nothing"), 1, 50, Stop)).Error.HttpStatus);
    }

    [Fact]
    public async Task Galleries_are_made_listed_by_name_over_pages_and_filled()
    {
        foreach (var n in Enumerable.Range(0, 120)) await client.CreateGalleryAsync(access, $"Gallery {n}", Stop);
        var found = Assert.IsType<GalleryListResult.Ok>(
            await client.ListGalleriesAsync(access, new GalleryListQuery { Search = "caption=Gallery 11" }, Stop));
        Assert.Equal("Gallery 11", Assert.Single(found.Items).Name);
        var third = Assert.IsType<GalleryListResult.Ok>(await client.ListGalleriesAsync(access, new GalleryListQuery { Page = 3 }, Stop));
        Assert.Equal((20, 3), (third.Items.Count, third.PagesCount));

        Rid[] rids = [await PushedAsync("a.mp4", "1"), await PushedAsync("b.mp4", "2")];
        Assert.IsType<ChangeResult.Ok>(await client.AddGalleryItemsAsync(access, found.Items[0].Fid, rids, Stop));
        Assert.IsType<ChangeResult.Ok>(await client.AddGalleryItemsAsync(access, found.Items[0].Fid, rids, Stop));
        Assert.Equal(rids,
            Assert.IsType<AssetListResult.Ok>(await client.ListGalleryItemsAsync(access, found.Items[0].Fid, 1, 50, Stop)).Items.Select(
                i => i.Rid));
    }

    [Theory]
    [InlineData("token_rejected", RemoteErrorKind.TokenRejected)]
    [InlineData("permission_missing", RemoteErrorKind.PermissionMissing)]
    [InlineData("rate_limited", RemoteErrorKind.RateLimited)]
    [InlineData("unavailable", RemoteErrorKind.ServerError)]
    [InlineData("bad_gateway", RemoteErrorKind.ServerError)]
    [InlineData("empty_reply", RemoteErrorKind.UnreadableReply)]
    [InlineData("invalid_json", RemoteErrorKind.UnreadableReply)]
    [InlineData("reply_lost", RemoteErrorKind.ConnectionLost)]
    [InlineData("reset", RemoteErrorKind.ConnectionLost)]
    public async Task Every_call_tells_what_went_wrong(string fault, RemoteErrorKind kind)
    {
        Behave($$"""{"rules":[{"fault":"{{fault}}"}]}""");
        Assert.Equal(kind,
            Assert.IsType<ChangeResult.Failed>(
                await client.SetMetaAsync(access, new Rid("x"), new AssetMeta { Caption = "x" }, Stop)).Error.Kind);
        Assert.Equal(kind,
            Assert.IsType<ChangeResult.Failed>(await client.AddGalleryItemsAsync(access, new Fid("f"), [new Rid("x")], Stop)).Error.Kind);
        Assert.Equal(kind, Assert.IsType<ChangeResult.Failed>(await client.DeleteAssetAsync(access, new Rid("x"), Stop)).Error.Kind);
        Assert.Equal(kind,
            Assert.IsType<GalleryListResult.Failed>(await client.ListGalleriesAsync(access, new GalleryListQuery(), Stop)).Error.Kind);
        Assert.Equal(kind, Assert.IsType<GalleryCreateResult.Failed>(await client.CreateGalleryAsync(access, "x", Stop)).Error.Kind);
        Assert.Equal(kind, Assert.IsType<UploadUrlResult.Failed>(await client.GetUploadUrlAsync(access, null, Stop)).Error.Kind);
    }

    [Fact]
    public async Task A_creation_is_sent_once_whatever_becomes_of_its_reply()
    {
        Behave("""{"rules":[{"on":"gallery_create","fault":"reply_lost"}]}""");
        await client.CreateGalleryAsync(access, "Spring", Stop);
        Assert.Single(Assert.IsType<GalleryListResult.Ok>(await client.ListGalleriesAsync(access, new GalleryListQuery(), Stop)).Items);
    }

    [Fact]
    public async Task A_file_in_ranges_arrives_whole_under_its_name_in_its_gallery()
    {
        var url = await UrlAsync(new Fid("F1"));
        Assert.IsType<PushResult.Taken>(await PushAsync(url, new PushRange("my clip ü.mp4", "17", 0, 600, 1000)));
        Assert.IsType<PushResult.Taken>(await PushAsync(url, new PushRange("my clip ü.mp4", "17", 600, 300, null)));
        var stored = Assert.IsType<PushResult.Stored>(await PushAsync(url, new PushRange("my clip ü.mp4", "17", 900, 100, 1000)));

        var asset = Assert.Single(simulator.Simulator.Library.Assets());
        Assert.Equal((stored.Rid.Value, "my clip ü.mp4", 1000L, "F1"), (asset.Rid, asset.FileName, asset.Size, asset.Fid));
        Assert.Equal(Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(File)), asset.Sha256);
    }

    [Fact]
    public async Task The_headers_are_those_of_the_contract()
    {
        await using var server = RawServer.ReplyingOnceAndClosing(RawServer.Reply(200, "text/plain", "ok\ndone\n"));
        var url = new UploadUrl(new Uri(server.BaseUrl, "/post.jpg?uid=1&d=blob&hash=sig&addtofid=0"));
        Assert.IsType<PushResult.Taken>(await client.PushRangeAsync(access, url, new PushRange("my clip.mp4", "1760000000000", 0, 0, 10),
            (_, _) => Task.CompletedTask, Stop));
        var head = Assert.Single(server.Requests);
        Assert.StartsWith("POST /post.jpg?uid=1&d=blob&hash=sig&addtofid=0 HTTP/1.1\r\n", head);
        foreach (var line in new[] { "Content-Type: multipart/form-data", "X-FILE-NAME: my%20clip.mp4", "Content-Range: bytes 0-0/10",
            "unique-id: 1760000000000" })
            Assert.Contains($"\r\n{line}\r\n", head, StringComparison.Ordinal);
        Assert.DoesNotContain("Expect:", head, StringComparison.OrdinalIgnoreCase);
    }

    [Theory]
    [InlineData("cincopa\n1\n2\n3\n4\nnew resource id 123 AbC\ndone", true, "Stored")]
    [InlineData("chunk\nDone\n", false, "Taken")]
    [InlineData("chunk\ndone\n", true, "Unknown")]
    [InlineData("hello", false, "Unknown")]
    [InlineData("", true, "Unknown")]
    [InlineData("Error: gap", false, "Refused")]
    [InlineData("sorry: out of assets quota", true, "Refused")]
    public async Task A_reply_in_text_is_judged_by_its_words(string text, bool last, string expected)
    {
        await using var server = RawServer.ReplyingOnceAndClosing(RawServer.Reply(200, "text/plain", text));
        var result = await client.PushRangeAsync(access, new UploadUrl(new Uri(server.BaseUrl, "/post.jpg?hash=s3cret")),
            new PushRange("a.mp4", "1", 0, 0, last ? 0 : 9), (_, _) => Task.CompletedTask, Stop);
        Assert.Equal(expected, result.GetType().Name);
        if (text.Contains("quota", StringComparison.Ordinal))
            Assert.Equal(RemoteErrorKind.QuotaExceeded, Assert.IsType<PushResult.Refused>(result).Error.Kind);
    }

    [Fact]
    public async Task Neither_the_upload_url_nor_an_error_shows_its_signature()
    {
        var url = new UploadUrl(new Uri("http://127.0.0.1:1/post.jpg?uid=1&d=s3cret1&hash=s3cret2"));
        Assert.DoesNotContain("s3cret", url.ToString(), StringComparison.Ordinal);
        await using var server =
            RawServer.ReplyingOnceAndClosing(RawServer.Reply(200, "text/plain", "error: bad url /post.jpg?d=s3cret1&hash=s3cret2&x"));
        var refused =
            Assert.IsType<PushResult.Refused>(
                await client.PushRangeAsync(access, new UploadUrl(new Uri(server.BaseUrl, "/post.jpg?hash=s3cret2")),
                    new PushRange("a", "1", 0, 0, 0), (_, _) => Task.CompletedTask, Stop));
        Assert.DoesNotContain("s3cret", refused.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("reply_lost", true)]
    [InlineData("reset", false)]
    public async Task A_lost_last_reply_is_unknown_whether_the_asset_is_there_or_not(string fault, bool isThere)
    {
        var url = await UrlAsync();
        Behave($$"""{"rules":[{"on":"push","fault":"{{fault}}"}]}""");
        Assert.IsType<PushResult.Unknown>(await PushAsync(url, new PushRange("a.mp4", "1", 0, 1000, 1000)));
        Assert.Equal(isThere, simulator.Simulator.Library.Assets().Count == 1);
    }

    [Fact]
    public async Task A_range_that_cannot_be_sent_was_never_sent_and_a_broken_source_says_so_itself()
    {
        var nowhere = new UploadUrl(new Uri("http://127.0.0.1:1/post.jpg"));
        Assert.IsType<PushResult.NeverSent>(await PushAsync(nowhere, new PushRange("a.mp4", "1", 0, 1000, 1000)));
        await Assert.ThrowsAsync<InvalidDataException>(async () =>
            await client.PushRangeAsync(access, await UrlAsync(), new PushRange("a.mp4", "1", 0, 1000, 1000),
            (_, _) => throw new InvalidDataException("The source broke off."), Stop));
        Assert.Empty(simulator.Simulator.Library.Assets());
    }

    private async Task<UploadUrl> UrlAsync(Fid? fid = null) =>
        Assert.IsType<UploadUrlResult.Ok>(await client.GetUploadUrlAsync(access, fid, Stop)).UploadUrl;

    private Task<PushResult> PushAsync(UploadUrl url, PushRange range) => client.PushRangeAsync(access, url, range,
        (stream, stop) => stream.WriteAsync(File.AsMemory((int)range.Start, (int)range.Length), stop).AsTask(), Stop);

    private async Task<Rid> PushedAsync(string name = "clip.mp4", string uniqueId = "1") =>
        Assert.IsType<PushResult.Stored>(await PushAsync(await UrlAsync(), new PushRange(name, uniqueId, 0, 1000, 1000))).Rid;

    private void Behave(string script) => simulator.Simulator.Script = FaultScript.Parse(Encoding.UTF8.GetBytes(script));
}
