using System.Net;
using Cincopa.Simulator;
using Cincopa.Simulator.Remote;

namespace BulkImporter.Tests.Simulator;

/// <summary>
/// The simulator on its good days: imports, assets, galleries, tokens. Its bad days are in <see cref="SimulatorFaultTests"/>.
/// </summary>
public sealed class SimulatorTests
{
    private const string Url = "https://cdn.example.test/a/clip.mp4";

    [Fact]
    public async Task Ping_shows_the_permissions_and_any_verb_will_do()
    {
        await using var simulator = await RunningSimulator.StartAsync();

        var posted = await simulator.CallAsync("ping.json");
        var got = await simulator.Http.GetStringAsync("ping.json?api_token=anything");

        Assert.Equal("|asset.*|gallery.*|", posted.GetProperty("permissions").GetString());
        Assert.Contains("\"ping\":\"pong\"", got);
    }

    [Fact]
    public async Task Every_accepted_submit_makes_an_import_and_an_asset_of_its_own_even_of_the_same_URL()
    {
        await using var simulator = await RunningSimulator.StartAsync();

        var first = await simulator.SubmitAsync(Url);
        var second = await simulator.SubmitAsync(Url);
        Assert.Equal(0, (await simulator.ListAsync()).GetProperty("items").GetArrayLength());
        simulator.Clock.Advance(TimeSpan.FromSeconds(2));
        var items = (await simulator.ListAsync()).GetProperty("items");

        Assert.NotEqual(first, second);
        Assert.Equal(2, items.GetArrayLength());
        Assert.NotEqual(items[0].GetProperty("rid").GetString(), items[1].GetProperty("rid").GetString());
        Assert.NotEqual(items[0].GetProperty("id").GetString(), items[1].GetProperty("id").GetString());
        var rid = (await simulator.StatusAsync(first)).GetProperty("resid").GetString();
        Assert.Contains(items.EnumerateArray(), item => item.GetProperty("rid").GetString() == rid);
        Assert.DoesNotContain("cdn.example.test", items.GetRawText());
    }

    [Fact]
    public async Task Status_moves_from_inprogress_to_ready_with_numbers_as_text()
    {
        await using var simulator = await RunningSimulator.StartAsync("""{"importMs":1000}""");
        var statusId = await simulator.SubmitAsync(Url);

        simulator.Clock.Advance(TimeSpan.FromMilliseconds(500));
        var half = await simulator.StatusAsync(statusId);
        simulator.Clock.Advance(TimeSpan.FromMilliseconds(500));
        var whole = await simulator.StatusAsync(statusId);

        Assert.Equal("inprogress", half.GetProperty("status").GetString());
        Assert.Equal("50", half.GetProperty("progress").GetString());
        Assert.Equal("ready", whole.GetProperty("status").GetString());
        Assert.Equal(whole.GetProperty("file_size_bytes").GetString(), whole.GetProperty("progress_bytes").GetString());
    }

    [Fact]
    public async Task Vocabulary_B_and_true_numbers_are_spoken_when_the_script_says_so()
    {
        await using var simulator = await RunningSimulator.StartAsync("""{"importMs":1000,"vocabulary":"b","numbersAsStrings":false}""");
        var statusId = await simulator.SubmitAsync(Url);

        var pending = await simulator.StatusAsync(statusId);
        simulator.Clock.Advance(TimeSpan.FromMilliseconds(500));
        var half = await simulator.StatusAsync(statusId);
        simulator.Clock.Advance(TimeSpan.FromMilliseconds(500));
        var whole = await simulator.StatusAsync(statusId);

        Assert.Equal(["pending", "in_progress", "completed"],
            new[] { pending, half, whole }.Select(s => s.GetProperty("status").GetString()));
        Assert.Equal(50, half.GetProperty("progress").GetInt32());
    }

    [Theory]
    [InlineData("early", true, true, true)]
    [InlineData("at_end", false, true, true)]
    [InlineData("late", false, false, true)]
    [InlineData("missing", false, false, false)]
    public async Task Resid_shows_at_the_time_that_the_script_says(string timing, bool running, bool ready, bool later)
    {
        await using var simulator = await RunningSimulator.StartAsync($$"""{"importMs":1000,"resid":"{{timing}}","residLateMs":500}""");
        var statusId = await simulator.SubmitAsync(Url);

        var seen = new List<bool>();
        foreach (var wait in new[] { 100, 900, 500 })
        {
            simulator.Clock.Advance(TimeSpan.FromMilliseconds(wait));
            seen.Add((await simulator.StatusAsync(statusId)).TryGetProperty("resid", out _));
        }

        Assert.Equal([running, ready, later], seen);
    }

    [Fact]
    public async Task Aborted_import_ends_failed_and_makes_no_asset_but_a_finished_one_stays()
    {
        await using var simulator = await RunningSimulator.StartAsync("""{"importMs":1000}""");
        var finished = await simulator.SubmitAsync(Url);
        simulator.Clock.Advance(TimeSpan.FromSeconds(1));
        var aborted = await simulator.SubmitAsync(Url);

        await simulator.CallAsync($"asset.upload_from_url_abort.json?status_id={aborted}");
        await simulator.CallAsync($"asset.upload_from_url_abort.json?status_id={finished}");
        simulator.Clock.Advance(TimeSpan.FromSeconds(2));

        Assert.Equal("failed", (await simulator.StatusAsync(aborted)).GetProperty("status").GetString());
        Assert.Equal("ready", (await simulator.StatusAsync(finished)).GetProperty("status").GetString());
        Assert.Equal(1, (await simulator.ListAsync()).GetProperty("items_data").GetProperty("items_count").GetInt32());
    }

    [Fact]
    public async Task Status_id_is_unknown_at_first_and_after_its_expiry()
    {
        await using var simulator = await RunningSimulator.StartAsync("""{"statusIdUnknownForMs":200,"statusIdExpiresAfterMs":60000}""");
        var statusId = await simulator.SubmitAsync(Url);

        var known = new List<bool> { await KnownAsync() };
        simulator.Clock.Advance(TimeSpan.FromMilliseconds(200));
        known.Add(await KnownAsync());
        simulator.Clock.Advance(TimeSpan.FromMinutes(1));
        known.Add(await KnownAsync());

        Assert.Equal([false, true, false], known);

        async Task<bool> KnownAsync() => (await simulator.StatusAsync(statusId)).GetProperty("success").GetBoolean();
    }

    [Theory]
    [InlineData("success_false", HttpStatusCode.OK)]
    [InlineData("json", HttpStatusCode.NotFound)]
    public async Task Unknown_status_id_is_refused_in_the_style_of_the_script(string style, HttpStatusCode expected)
    {
        await using var simulator = await RunningSimulator.StartAsync($$"""{"refusals":"{{style}}"}""");

        var body = await simulator.CallAsync("asset.upload_from_url_get_status.json?status_id=nobody-gave-this", expected);

        Assert.False(body.GetProperty("success").GetBoolean());
        Assert.Equal("unknown status_id", body.GetProperty("message").GetString());
    }

    [Theory]
    [InlineData("missing-1.mp4", "failed", "source returned 404")]
    [InlineData("forbidden-1.mp4", "failed", "source returned 403")]
    [InlineData("timeout-1.mp4", "failed", "source timed out")]
    [InlineData("notmedia-1.mp4", "failed", "unsupported media type: text/html")]
    [InlineData("stalled-1.mp4", "inprogress", "")]
    [InlineData("vocab-b-1.mp4", "completed", "")]
    [InlineData("missing.mp4", "ready", "")]
    public async Task File_name_decides_the_end_of_an_import(string fileName, string status, string more)
    {
        await using var simulator = await RunningSimulator.StartAsync();
        var statusId = await simulator.SubmitAsync($"https://cdn.example.test/refused-is-no-file-name/{fileName}?signature=abc");

        simulator.Clock.Advance(TimeSpan.FromSeconds(5));
        var end = await simulator.StatusAsync(statusId);

        Assert.Equal(status, end.GetProperty("status").GetString());
        Assert.Equal(more, end.GetProperty("more").GetString());
    }

    [Fact]
    public async Task Failonce_fails_the_first_import_of_a_URL_and_not_the_second()
    {
        await using var simulator = await RunningSimulator.StartAsync("""{"importMs":0}""");

        var first = await simulator.StatusAsync(await simulator.SubmitAsync("https://x.test/failonce-1.mp4"));
        var second = await simulator.StatusAsync(await simulator.SubmitAsync("https://x.test/failonce-1.mp4"));

        Assert.Equal(("failed", "temporary error"), (first.GetProperty("status").GetString(), first.GetProperty("more").GetString()));
        Assert.Equal("ready", second.GetProperty("status").GetString());
    }

    [Fact]
    public async Task Norid_import_is_ready_and_never_shows_its_resid()
    {
        await using var simulator = await RunningSimulator.StartAsync();
        var statusId = await simulator.SubmitAsync("https://x.test/norid-1.mp4");

        simulator.Clock.Advance(TimeSpan.FromHours(1));
        var end = await simulator.StatusAsync(statusId);

        Assert.Equal("ready", end.GetProperty("status").GetString());
        Assert.False(end.TryGetProperty("resid", out _));
    }

    [Fact]
    public async Task Slow_import_takes_five_times_as_long()
    {
        await using var simulator = await RunningSimulator.StartAsync("""{"importMs":1000}""");
        var statusId = await simulator.SubmitAsync("https://x.test/slow-1.mp4");

        simulator.Clock.Advance(TimeSpan.FromMilliseconds(4999));
        var before = await simulator.StatusAsync(statusId);
        simulator.Clock.Advance(TimeSpan.FromMilliseconds(1));
        var after = await simulator.StatusAsync(statusId);

        Assert.Equal(("inprogress", "ready"), (before.GetProperty("status").GetString(), after.GetProperty("status").GetString()));
    }

    [Fact]
    public async Task Outcome_rule_ends_its_share_of_imports_and_the_same_ones_in_every_run()
    {
        const string script = """{"importMs":0,"outcomes":[{"outcome":"missing","share":0.3,"input":"*/half/*"}]}""";
        var runs = new List<string>();
        for (var run = 0; run < 2; run++)
        {
            await using var simulator = await RunningSimulator.StartAsync(script);
            var ends = new List<string>();
            for (var i = 0; i < 100; i++)
                ends.Add((await simulator.StatusAsync(await simulator.SubmitAsync($"https://x.test/half/{i}.mp4")))
                    .GetProperty("status").GetString()!);
            Assert.Equal("ready", (await simulator.StatusAsync(await simulator.SubmitAsync("https://x.test/other/1.mp4")))
                .GetProperty("status").GetString());
            Assert.InRange(ends.Count(end => end == "failed"), 15, 45);
            runs.Add(string.Join(' ', ends));
        }

        Assert.Equal(runs[0], runs[1]);
    }

    [Fact]
    public async Task Assets_are_listed_newest_first_in_pages_of_at_most_a_hundred()
    {
        await using var simulator = await RunningSimulator.StartAsync("""{"importMs":0}""");
        for (var i = 1; i <= 105; i++)
        {
            await simulator.SubmitAsync($"https://x.test/{i:D3}.mp4");
            simulator.Clock.Advance(TimeSpan.FromSeconds(1));
        }

        var first = await simulator.ListAsync("&items_per_page=500");
        var second = await simulator.ListAsync("&items_per_page=500&page=2");

        Assert.Equal("105.mp4", first.GetProperty("items")[0].GetProperty("filename").GetString());
        Assert.Equal(["005.mp4", "004.mp4", "003.mp4", "002.mp4", "001.mp4"], second.GetProperty("items").EnumerateArray()
            .Select(i => i.GetProperty("filename").GetString()));
        Assert.Equal("""{"page":2,"items_per_page":100,"items_count":105,"pages_count":2}""", second.GetProperty("items_data")
            .GetRawText());
    }

    [Fact]
    public async Task Asset_is_found_by_what_set_meta_wrote_and_by_its_file_name()
    {
        await using var simulator = await RunningSimulator.StartAsync("""{"importMs":0}""");
        var rid = (await simulator.StatusAsync(await simulator.SubmitAsync("https://x.test/My%20Holiday.mp4")))
            .GetProperty("resid").GetString();
        await simulator.SubmitAsync("https://x.test/other.jpg");

        await simulator.CallAsync($"asset.set_meta.json?rid={rid}&caption=Sea+view&tags=sun,sand&reference_id=import/7");

        foreach (var arguments in new[] { "&search=sea", "&search=my%20holiday", "&search=tag=sand", "&tag=sun", "&reference_id=import/7",
            $"&rid={rid}", "&type=video" })
        {
            var item = Assert.Single((await simulator.ListAsync(arguments)).GetProperty("items").EnumerateArray());
            Assert.Equal(",sun,sand,", item.GetProperty("tags").GetString());
        }

        Assert.Empty((await simulator.ListAsync("&reference_id=import/")).GetProperty("items").EnumerateArray());
    }

    [Fact]
    public async Task List_lags_behind_unless_the_cache_is_bypassed()
    {
        await using var simulator = await RunningSimulator.StartAsync("""{"importMs":0,"listLagMs":10000}""");
        await simulator.SubmitAsync(Url);

        var cached = await CountAsync("asset.list.json");
        var fresh = await CountAsync("asset.list.json?cache=never");
        simulator.Clock.Advance(TimeSpan.FromSeconds(10));
        var cachedLater = await CountAsync("asset.list.json");

        Assert.Equal((0, 1, 1), (cached, fresh, cachedLater));

        async Task<int> CountAsync(string call) =>
            (await simulator.CallAsync(call)).GetProperty("items_data").GetProperty("items_count").GetInt32();
    }

    [Fact]
    public async Task Asset_lands_in_the_gallery_of_its_submit_and_can_be_added_to_another_and_deleted()
    {
        await using var simulator = await RunningSimulator.StartAsync("""{"importMs":0,"anyGallery":false}""");
        var one = (await simulator.CallAsync("gallery.create.json?name=One")).GetProperty("fid").GetString();
        var two = (await simulator.CallAsync("gallery.create.json?name=Two")).GetProperty("fid").GetString();
        using var refused = await simulator.SendSubmitAsync(Url, "&fid=nowhere");
        var rid = (await simulator.StatusAsync(await simulator.SubmitAsync(Url, $"&fid={one}"))).GetProperty("resid").GetString();

        await simulator.CallAsync($"gallery.add_item.json?fid={two}&rid={rid}");
        Assert.Equal((1, 1), (await CountAsync(one), await CountAsync(two)));
        await simulator.CallAsync($"gallery.remove_item.json?fid={one}&rid={rid}&delete_asset=no");
        Assert.Equal((0, 1), (await CountAsync(one), await CountAsync(two)));
        await simulator.CallAsync($"asset.delete.json?rid={rid}");
        Assert.Equal((0, 0), (await CountAsync(one), await CountAsync(two)));

        Assert.Contains("gallery not found", await refused.Content.ReadAsStringAsync());
        var list = await simulator.CallAsync("gallery.list.json?search=caption=Two");
        Assert.Equal(two, Assert.Single(list.GetProperty("galleries").EnumerateArray()).GetProperty("fid").GetString());

        async Task<int> CountAsync(string? fid) =>
            (await simulator.CallAsync($"gallery.get_items.json?fid={fid}&cache=never")).GetProperty("folder").GetProperty("items")
                .GetArrayLength();
    }

    [Fact]
    public async Task Token_is_rejected_when_unknown_or_revoked_and_limited_to_its_permissions()
    {
        await using var simulator =
            await RunningSimulator.StartAsync(options: new SimulatorOptions { Tokens = [new TokenGrant { Token = "1igood" }] });

        await simulator.CallAsync("ping.json", token: "1igood");
        var unknown = await simulator.CallAsync("ping.json", HttpStatusCode.Forbidden, token: "1ibad");
        await SetAsync("""{"token":"1igood","rejectedWith":401}""");
        await simulator.CallAsync("asset.list.json", HttpStatusCode.Unauthorized, token: "1igood");
        await SetAsync("""{"token":"1igood","permissions":"|asset.read|"}""");
        await simulator.CallAsync("asset.list.json", token: "1igood");
        var lacking = await simulator.CallAsync("asset.upload_from_url.json?input=https://x.test/a.mp4", HttpStatusCode.Forbidden,
            token: "1igood");

        Assert.Equal("invalid api_token", unknown.GetProperty("message").GetString());
        Assert.Equal("permission denied", lacking.GetProperty("message").GetString());

        async Task SetAsync(string grant) => (await simulator.Http.PostAsync("/_sim/tokens", new StringContent(grant)))
            .EnsureSuccessStatusCode();
    }

    [Theory]
    [InlineData("")]
    [InlineData("ftp://x.test/a.mp4")]
    [InlineData("no url")]
    public async Task Input_that_cannot_be_fetched_is_refused_at_once(string input)
    {
        await using var simulator = await RunningSimulator.StartAsync();

        using var reply = await simulator.SendSubmitAsync(input);

        Assert.Equal("""{"success":false,"message":"invalid input"}""", await reply.Content.ReadAsStringAsync());
        Assert.Equal(0, (await simulator.SummaryAsync()).GetProperty("submitsAccepted").GetInt32());
    }

    [Fact]
    public async Task Query_of_2048_characters_is_taken_and_a_longer_one_is_answered_404_in_HTML()
    {
        await using var simulator = await RunningSimulator.StartAsync();
        var room = 2048 - "?input=https://x.test/&api_token=1i2".Length;

        await simulator.CallAsync($"asset.upload_from_url.json?input=https://x.test/{new string('a', room)}");
        using var tooLong = await simulator.SendAsync($"asset.upload_from_url.json?input=https://x.test/{new string('a', room + 1)}");

        Assert.Equal(HttpStatusCode.NotFound, tooLong.StatusCode);
        Assert.Equal("text/html", tooLong.Content.Headers.ContentType?.MediaType);
    }
}
