using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Cincopa.Simulator;
using Cincopa.Simulator.Remote;

namespace BulkImporter.Tests.Simulator;

/// <summary>
/// What other programs ask of the API and read in its answers, as far as their public code tells it. The simulator never saw them.
/// </summary>
public sealed class SimulatorClientsTests
{
    private const string Parent = "1578842iolmzw0cub25jexk5pk4woqxjeyh";

    [Fact]
    public async Task A_list_of_galleries_has_what_two_clients_demand_of_it()
    {
        await using var simulator = await RunningSimulator.StartAsync();
        var one = await GalleryAsync(simulator, "One");
        await GalleryAsync(simulator, "Two");
        await GetAsync(simulator, $"gallery.set_meta.json?fid={one}&tags=spring,sea&description=By+the+sea");

        var list = await GetAsync(simulator, "gallery.list.json?page=1&items_per_page=1");

        Assert.Equal(JsonValueKind.Number, list.GetProperty("runtime").ValueKind);
        Assert.Equal("simulator", list.GetProperty("workspace").GetString());
        Assert.Equal("""{"sea":1,"spring":1}""", list.GetProperty("tag_cloud").GetRawText());
        var totals = list.GetProperty("items_data");
        Assert.Equal((1, 1, 2, 2, 2),
            (Number("page"), Number("items_per_page"), Number("items_count"), Number("page_count"), Number("pages_count")));
        var gallery = Assert.Single((await GetAsync(simulator, "gallery.list.json?filter_tags=sea,-winter")).GetProperty("galleries")
            .EnumerateArray());
        Assert.Equal((one, "One", "By the sea", ",spring,sea,"),
            (Text(gallery, "fid"), Text(gallery, "name"), Text(gallery, "description"), Text(gallery, "tags")));
        Assert.Equal("Two",
            Text(Assert.Single((await GetAsync(simulator, "gallery.list.json?filter_tags=-sea")).GetProperty("galleries")
                .EnumerateArray()), "name"));

        int Number(string name) => totals.GetProperty(name).GetInt32();
    }

    [Fact]
    public async Task Items_of_a_gallery_come_with_claimed_and_spfid_and_their_pages()
    {
        await using var simulator = await RunningSimulator.StartAsync("""{"importMs":0}""");
        var fid = await GalleryAsync(simulator, "One");
        await simulator.SubmitAsync("https://x.test/a.mp4", $"&fid={fid}");

        var items = await GetAsync(simulator, $"gallery.get_items.json?fid={fid}&details=tags,reference_id&cache=never");

        Assert.Equal(fid, Text(items, "fid"));
        Assert.All(new[] { "upload_url", "claimed", "spfid" }, name => Assert.NotEqual("", Text(items, name)));
        Assert.Equal(1, items.GetProperty("folder").GetProperty("items_data").GetProperty("pages_count").GetInt32());
    }

    [Fact]
    public async Task Tags_are_counted_and_those_without_and_with_any_too()
    {
        await using var simulator = await RunningSimulator.StartAsync("""{"importMs":0}""");
        var sea = await RidAsync(simulator, "https://x.test/a.mp4");
        var town = await RidAsync(simulator, "https://x.test/b.mp4");
        var gone = await RidAsync(simulator, "https://x.test/c.mp4");
        await RidAsync(simulator, "https://x.test/d.mp4");
        await GetAsync(simulator, $"asset.set_meta.json?rid={sea}&tags=spring,sea");
        await GetAsync(simulator, $"asset.set_meta.json?rid={town}&tags=spring");
        await GetAsync(simulator, $"asset.delete.json?rid={gone}");

        Assert.Equal("""{"any-tag":2,"no-tag":1,"sea":1,"spring":2}""", (await GetAsync(simulator, "asset.get_tags.json?cache=never"))
            .GetProperty("tag_cloud").GetRawText());
    }

    [Theory]
    [InlineData("yes", 0)]
    [InlineData("no", 1)]
    public async Task A_gallery_is_deleted_with_its_assets_or_without(string deleteAssets, int left)
    {
        await using var simulator = await RunningSimulator.StartAsync("""{"importMs":0}""");
        var fid = await GalleryAsync(simulator, "One");
        await simulator.SubmitAsync("https://x.test/a.mp4", $"&fid={fid}");

        Assert.True((await GetAsync(simulator, $"gallery.delete.json?fid={fid}&delete_assets={deleteAssets}"))
            .GetProperty("success").GetBoolean());

        Assert.Equal(left, (await simulator.ListAsync()).GetProperty("items").GetArrayLength());
        Assert.Empty((await GetAsync(simulator, "gallery.list.json")).GetProperty("galleries").EnumerateArray());
        var again = await GetAsync(simulator, $"gallery.delete.json?fid={fid}");
        Assert.Equal((false, "gallery not found"), (again.GetProperty("success").GetBoolean(), Text(again, "message")));
    }

    [Fact]
    public async Task A_gallery_takes_the_looks_of_a_master_and_not_of_itself()
    {
        await using var simulator = await RunningSimulator.StartAsync("""{"anyGallery":false}""");
        var (linked, master) = (await GalleryAsync(simulator, "Linked"), await GalleryAsync(simulator, "Master"));

        Assert.True(await WorksAsync($"fid={linked}&master={master}"));
        Assert.False(await WorksAsync($"fid={linked}&master={linked}"));
        Assert.False(await WorksAsync($"fid={linked}&master=AnowhereBBBB"));
        Assert.False(await WorksAsync($"master={master}"));

        async Task<bool> WorksAsync(string arguments) =>
            (await GetAsync(simulator, $"gallery.set_master.json?{arguments}")).GetProperty("success").GetBoolean();
    }

    [Fact]
    public async Task A_file_is_attached_with_its_type_and_refused_without()
    {
        await using var simulator = await RunningSimulator.StartAsync("""{"importMs":0}""");
        var rid = await RidAsync(simulator, "https://x.test/a.mp4");

        using var refused = await simulator.SendSubmitAsync("https://x.test/a.srt", $"&rid={rid}");
        var attached = await simulator.SubmitAsync("https://x.test/a.srt", $"&rid={rid}&type=subtitle-en-us");

        Assert.Equal("""{"success":false,"message":"type is required with rid"}""", await refused.Content.ReadAsStringAsync());
        Assert.Equal(rid, Text(await simulator.StatusAsync(attached), "resid"));
        Assert.Single((await simulator.ListAsync()).GetProperty("items").EnumerateArray());
    }

    [Theory]
    [InlineData("https://www.youtube.com/watch?v=dQw4w9WgXcQ", "failed")]
    [InlineData("https://youtu.be/dQw4w9WgXcQ", "failed")]
    [InlineData("https://vimeo.com/76979871", "failed")]
    [InlineData("https://www.facebook.com/watch/?v=1", "failed")]
    [InlineData("https://notyoutube.com/watch?v=1", "ready")]
    [InlineData("https://x.com/files/clip.mp4", "ready")]
    public async Task A_page_of_a_consumer_video_site_does_not_become_an_asset(string url, string status)
    {
        await using var simulator = await RunningSimulator.StartAsync("""{"importMs":0}""");

        var ended = await simulator.StatusAsync(await simulator.SubmitAsync(url));

        Assert.Equal(status, Text(ended, "status"));
        Assert.Equal(status == "ready" ? 1 : 0, (await simulator.ListAsync()).GetProperty("items").GetArrayLength());
    }

    [Fact]
    public async Task A_page_of_another_site_may_call_and_upload_from_the_browser()
    {
        await using var simulator = await RunningSimulator.StartAsync();
        var url = await UploadUrlAsync(simulator);
        using var question = new HttpRequestMessage(HttpMethod.Options, url);
        question.Headers.Add("Origin", "https://shop.example.test");
        question.Headers.Add("Access-Control-Request-Method", "POST");
        question.Headers.Add("Access-Control-Request-Headers", "content-range,content-type,unique-id,x-file-name");

        using var allowed = await simulator.Http.SendAsync(question);
        using var ping = await simulator.SendAsync("ping.json");

        Assert.Equal(HttpStatusCode.NoContent, allowed.StatusCode);
        Assert.Equal("*", Assert.Single(allowed.Headers.GetValues("Access-Control-Allow-Origin")));
        Assert.Contains("POST", Assert.Single(allowed.Headers.GetValues("Access-Control-Allow-Methods")));
        Assert.All(new[] { "Content-Range", "Content-Type", "unique-id", "X-FILE-NAME" }, name =>
            Assert.Contains(name, Assert.Single(allowed.Headers.GetValues("Access-Control-Allow-Headers"))));
        Assert.Equal("*", Assert.Single(ping.Headers.GetValues("Access-Control-Allow-Origin")));
        Assert.Equal(2, (await simulator.ControlAsync("ledger")).GetProperty("count").GetInt32());
    }

    [Fact]
    public async Task A_form_is_taken_as_curl_sends_it_and_can_be_switched_off()
    {
        await using var simulator = await RunningSimulator.StartAsync();
        var file = RandomNumberGenerator.GetBytes(300_000);

        var taken = await PostFormAsync(await UploadUrlAsync(simulator));
        await simulator.ScriptAsync("""{"formUploads":false}""");
        var refused = await PostFormAsync(await UploadUrlAsync(simulator));

        var asset = Assert.Single((await simulator.ControlAsync("assets")).GetProperty("assets").EnumerateArray());
        Assert.Equal($"new resource id {Text(asset, "id")} {Text(asset, "rid")}", taken.Split('\n')[5]);
        Assert.Equal(("Küste, 3.mp4", 300_000, Convert.ToHexStringLower(SHA256.HashData(file))),
            (Text(asset, "fileName"), asset.GetProperty("size").GetInt32(), Text(asset, "sha256")));
        Assert.StartsWith("error", refused);

        async Task<string> PostFormAsync(string url)
        {
            // As curl -F file=@… writes it: the name in quotes, in UTF-8.
            var head = Encoding.UTF8.GetBytes("--b1\r\nContent-Disposition: form-data; name=\"note\"\r\n\r\nhello\r\n--b1\r\n" +
                "Content-Disposition: form-data; name=\"file\"; filename=\"Küste, 3.mp4\"\r\nContent-Type: application/octet-stream\r\n\r\n");
            using var content = new ByteArrayContent([.. head, .. file, .. "\r\n--b1--\r\n"u8]);
            content.Headers.TryAddWithoutValidation("Content-Type", "multipart/form-data; boundary=b1");
            using var reply = await simulator.Http.PostAsync(url, content);
            return await reply.Content.ReadAsStringAsync();
        }
    }

    [Fact]
    public async Task A_body_without_a_range_is_the_whole_file()
    {
        await using var simulator = await RunningSimulator.StartAsync();
        using var request = new HttpRequestMessage(HttpMethod.Post, await UploadUrlAsync(simulator))
        { Content = new ByteArrayContent([1, 2, 3]) };
        request.Headers.Add("X-FILE-NAME", "a.mp4");

        using var reply = await simulator.Http.SendAsync(request);

        Assert.Contains("new resource id", await reply.Content.ReadAsStringAsync());
        Assert.Equal(3, (await simulator.ListAsync()).GetProperty("items")[0].GetProperty("filesize").GetInt32());
    }

    [Fact]
    public async Task Ids_have_the_shapes_of_the_documented_examples()
    {
        await using var simulator = await RunningSimulator.StartAsync("""{"importMs":0}""");
        var rids = new HashSet<string>();
        for (var n = 0; n < 200; n++) rids.Add(await RidAsync(simulator, $"https://x.test/{n}.mp4"));

        Assert.Equal(200, rids.Count);
        Assert.All(rids, rid => Assert.Matches("^A[A-Za-z0-9_-]{8}$", rid));
        Assert.Contains(rids, rid => rid.Contains('-') || rid.Contains('_'));
        await Assert.AllAsync(rids.Take(5), async rid =>
            Assert.Single((await simulator.ListAsync($"&rid={rid}")).GetProperty("items").EnumerateArray()));
        Assert.Matches("^A[A-Za-z0-9_-]{11}$", await GalleryAsync(simulator, "One"));
        Assert.True(Guid.TryParseExact(await simulator.SubmitAsync("https://x.test/a.mp4"), "D", out _));
        var ping = await GetAsync(simulator, "ping.json");
        Assert.Matches("^AMDA[A-Za-z0-9]{8}$", Text(ping, "accid"));
        Assert.Contains($"uid={Text(ping, "accid")}&d=", await UploadUrlAsync(simulator));
    }

    [Fact]
    public async Task An_asset_is_processed_again_when_it_is_there()
    {
        await using var simulator = await RunningSimulator.StartAsync("""{"importMs":0}""");

        Assert.True((await GetAsync(simulator, $"asset.resync.json?rid={await RidAsync(simulator, "https://x.test/a.mp4")}"))
            .GetProperty("success").GetBoolean());
        Assert.False((await GetAsync(simulator, "asset.resync.json?rid=AAAAtAURG")).GetProperty("success").GetBoolean());
    }

    [Fact]
    public async Task A_listed_asset_says_where_it_plays()
    {
        await using var simulator = await RunningSimulator.StartAsync("""{"importMs":0}""");
        await simulator.SubmitAsync("https://x.test/a.mp4");

        var item = (await simulator.ListAsync()).GetProperty("items")[0];

        var versions = item.GetProperty("versions");
        Assert.All(new[] { "original", "mp4_hd", "jpg_600x450" }, name =>
            Assert.True(Uri.TryCreate(Text(versions.GetProperty(name), "url"), UriKind.Absolute, out _)));
        Assert.Equal(("synced", "video/mp4", Text(versions.GetProperty("mp4_hd"), "url")),
            (Text(item.GetProperty("content"), "syncstatus"), Text(item.GetProperty("content"), "type"),
                Text(item.GetProperty("content"), "value")));
        Assert.Equal(Text(item.GetProperty("thumbnail"), "url"), Text(item.GetProperty("thumbnail"), "value"));
        Assert.Matches(@"^\d\d:\d\d:\d\d\.\d$", Text(item.GetProperty("exif"), "duration"));
    }

    [Fact]
    public async Task A_temporary_token_works_for_its_time_from_its_address_and_never_beyond_its_parent()
    {
        await using var simulator = await RunningSimulator.StartAsync(
            options: new SimulatorOptions { Tokens = [new TokenGrant { Token = Parent, Permissions = "|asset.*|" }] });

        // As a plugin asks for it: a bare "&" may stand at the end.
        var token = Text(await GetAsync(simulator, "token.get_temp.json?ttl=600&", Parent), "token");
        var narrow = Text(await GetAsync(simulator, "token.get_temp.json?ttl=&permissions=%7Casset.read%7Cgallery.write%7C", Parent),
            "token");
        var elsewhere = Text(await GetAsync(simulator, "token.get_temp.json?ttl=600&sourceip=203.0.113.9", Parent), "token");

        Assert.Equal("|asset.*|", Text(await GetAsync(simulator, "ping.json", token), "permissions"));
        Assert.Equal("|asset.read|", Text(await GetAsync(simulator, "ping.json", narrow), "permissions"));
        await simulator.CallAsync("ping.json", HttpStatusCode.Forbidden, elsewhere);
        simulator.Clock.Advance(TimeSpan.FromSeconds(599));
        await simulator.CallAsync("ping.json", HttpStatusCode.OK, token);
        simulator.Clock.Advance(TimeSpan.FromSeconds(1));
        await simulator.CallAsync("ping.json", HttpStatusCode.Forbidden, token);
        await simulator.CallAsync("ping.json", HttpStatusCode.OK, narrow);
    }

    [Fact]
    public async Task A_token_made_offline_opens_with_its_parent_until_it_expires()
    {
        await using var simulator = await RunningSimulator.StartAsync(
            options: new SimulatorOptions { Tokens = [new TokenGrant { Token = Parent, Permissions = "|asset.*|gallery.read|" }] });
        var soon = simulator.Clock.GetUtcNow().AddMinutes(10);
        var read = Offline(Parent, soon, "!p|asset.read|!rAAAAtAURG");

        Assert.Equal("|asset.read|", Text(await GetAsync(simulator, "ping.json", read), "permissions"));
        Assert.Equal("|asset.*|gallery.read|",
            Text(await GetAsync(simulator, "ping.json", Offline(Parent, soon, "!i127.0.0.1!hshop.example.test")), "permissions"));
        await simulator.CallAsync("ping.json", HttpStatusCode.Forbidden, Offline(Parent, soon, "!i203.0.113.9"));
        await simulator.CallAsync("ping.json", HttpStatusCode.Forbidden, Offline(Parent.Replace("olm", "xlm"), soon, ""));
        await simulator.CallAsync("ping.json", HttpStatusCode.Forbidden, read[..^2]);
        await simulator.CallAsync("ping.json", HttpStatusCode.Forbidden, "1578842i3jeyh");
        simulator.Clock.Advance(TimeSpan.FromMinutes(10));
        await simulator.CallAsync("ping.json", HttpStatusCode.Forbidden, read);
    }

    [Fact]
    public async Task A_sub_account_gets_a_token_of_its_own()
    {
        await using var simulator =
            await RunningSimulator.StartAsync(options: new SimulatorOptions { Tokens = [new TokenGrant { Token = Parent }] });

        var uid = Text(await GetAsync(simulator, "account.add_sub.json?name=Course+7", Parent), "new_sub_account_uid");
        var token =
            Text(await GetAsync(simulator, $"token.create.json?name=plugin&permissions=%7Casset.read%7C&sub_account={uid}", Parent),
                "api_token");

        var account = Assert.Single((await GetAsync(simulator, "account.list_sub.json", Parent)).GetProperty("sub_accounts")
            .EnumerateArray());
        Assert.Equal((uid, "Course 7"), (Text(account, "uid"), Text(account, "account_name")));
        var listed = Assert.Single((await GetAsync(simulator, $"token.list.json?sub_account={uid}", Parent)).GetProperty("tokens")
            .EnumerateArray());
        Assert.Equal((token, "|asset.read|"), (Text(listed, "api_token"), Text(listed, "permissions")));
        Assert.Equal("|asset.read|", Text(await GetAsync(simulator, "ping.json", token), "permissions"));
        Assert.False((await GetAsync(simulator, "token.create.json?name=plugin&sub_account=AMDAnobody00", Parent))
            .GetProperty("success").GetBoolean());
    }

    /// <summary>As the plugins make it: expiry with seven digits of a second, then what it is limited to.</summary>
    private static string Offline(string parent, DateTimeOffset expires, string limits)
    {
        var text = Encoding.UTF8.GetBytes(expires.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fffffff'Z'", CultureInfo.InvariantCulture)
            + limits);
        var (salt, iv) = (RandomNumberGenerator.GetBytes(16), RandomNumberGenerator.GetBytes(16));
        using var aes = Aes.Create();
        aes.Key = HKDF.DeriveKey(HashAlgorithmName.SHA256, Encoding.UTF8.GetBytes(parent), 32, salt);
        byte[] all = [.. salt, .. iv, .. aes.EncryptCbc(text, iv)];
        return $"{parent[..parent.IndexOf('i')]}i3{parent[^4..]}{System.Buffers.Text.Base64Url.EncodeToString(all)}";
    }

    /// <summary>By GET, as nearly all of them call.</summary>
    private static async Task<JsonElement> GetAsync(RunningSimulator simulator, string call, string token = "1i2") =>
        await simulator.Http.GetFromJsonAsync<JsonElement>($"{call}{(call.Contains('?') ? '&' : '?')}api_token={token}");

    private static string Text(JsonElement json, string name) => json.GetProperty(name).GetString()!;

    private static async Task<string> GalleryAsync(RunningSimulator simulator, string name) =>
        Text(await GetAsync(simulator, $"gallery.create.json?name={name}"), "fid");

    private static async Task<string> UploadUrlAsync(RunningSimulator simulator) =>
        Text(await GetAsync(simulator, "asset.get_upload_url.json"), "upload_url");

    private static async Task<string> RidAsync(RunningSimulator simulator, string url) =>
        Text(await simulator.StatusAsync(await simulator.SubmitAsync(url)), "resid");
}
