using System.Net;
using System.Text.Json;

namespace BulkImporter.Tests.Simulator;

/// <summary>Every way in which the simulator can be told to misbehave, as a client sees it and as the ledger says it was.</summary>
public sealed class SimulatorFaultTests
{
    private const string Url = "https://cdn.example.test/a/clip.mp4";

    [Theory]
    [InlineData("""{"fault":"rate_limited"}""", 429, "application/json", "too many requests")]
    [InlineData("""{"fault":"rate_limited","style":"empty"}""", 429, "text/plain", "")]
    [InlineData("""{"fault":"rate_limited","style":"success_false"}""", 200, "application/json", "too many requests")]
    [InlineData("""{"fault":"refused"}""", 400, "application/json", "invalid input")]
    [InlineData("""{"fault":"refused","style":"success_false","message":"not this one"}""", 200, "application/json", "not this one")]
    [InlineData("""{"fault":"token_rejected"}""", 403, "application/json", "invalid api_token")]
    [InlineData("""{"fault":"token_rejected","httpStatus":401}""", 401, "application/json", "invalid api_token")]
    [InlineData("""{"fault":"permission_missing"}""", 403, "application/json", "permission denied")]
    [InlineData("""{"fault":"quota_exceeded"}""", 200, "application/json", "out of assets quota")]
    [InlineData("""{"fault":"unknown_status_id"}""", 200, "application/json", "unknown status_id")]
    [InlineData("""{"fault":"unavailable"}""", 503, "application/json", "server busy")]
    [InlineData("""{"fault":"bad_gateway"}""", 502, "text/html", "Bad Gateway")]
    [InlineData("""{"fault":"empty_reply"}""", 200, "text/plain", "")]
    public async Task Refusal_is_answered_and_nothing_is_imported(string rule, int http, string mediaType, string text)
    {
        await using var simulator = await RunningSimulator.StartAsync($$"""{"importMs":0,"rules":[{{rule}}]}""");

        using var reply = await simulator.SendSubmitAsync(Url);
        var body = await reply.Content.ReadAsStringAsync();

        Assert.Equal(http, (int)reply.StatusCode);
        Assert.Equal(mediaType, reply.Content.Headers.ContentType?.MediaType);
        Assert.Contains(text, body);
        if (text.Length == 0)
            Assert.Empty(body);
        Assert.Equal(0, (await simulator.ControlAsync("assets")).GetProperty("count").GetInt32());
        Assert.Equal(0, (await simulator.SummaryAsync()).GetProperty("submitsAccepted").GetInt32());
    }

    [Theory]
    [InlineData("""{"fault":"rate_limited","retryAfterSeconds":7}""", "7")]
    [InlineData("""{"fault":"rate_limited","retryAfterSeconds":7,"retryAfter":"date"}""", "Fri, 01 May 2026 12:00:07 GMT")]
    [InlineData("""{"fault":"rate_limited","retryAfter":"none"}""", null)]
    [InlineData("""{"fault":"unavailable"}""", null)]
    [InlineData("""{"fault":"unavailable","retryAfter":"seconds"}""", "1")]
    public async Task Retry_after_has_the_form_of_the_rule(string rule, string? expected)
    {
        await using var simulator = await RunningSimulator.StartAsync($$"""{"rules":[{{rule}}]}""");

        using var reply = await simulator.SendSubmitAsync(Url);

        Assert.Equal(expected, reply.Headers.TryGetValues("Retry-After", out var values) ? string.Join('|', values) : null);
    }

    [Theory]
    [InlineData("reply_lost", 1)]
    [InlineData("reply_cut", 1)]
    [InlineData("reset", 0)]
    public async Task Broken_connection_leaves_an_import_only_when_the_submit_was_accepted(string fault, int imports)
    {
        await using var simulator = await RunningSimulator.StartAsync($$"""{"importMs":0,"rules":[{"on":"submit","fault":"{{fault}}"}]}""");

        await Assert.ThrowsAsync<HttpRequestException>(() => simulator.SendSubmitAsync(Url));

        var entry = Assert.Single((await simulator.ControlAsync("ledger")).GetProperty("entries").EnumerateArray());
        Assert.Equal(fault, entry.GetProperty("outcome").GetString());
        Assert.Equal(imports == 1, entry.GetProperty("accepted").GetBoolean());
        Assert.Equal(imports, (await simulator.ControlAsync("assets")).GetProperty("count").GetInt32());
        Assert.Equal(imports, (await simulator.ListAsync()).GetProperty("items").GetArrayLength());
    }

    [Theory]
    [InlineData("""{"fault":"invalid_json"}""", 0)]
    [InlineData("""{"fault":"invalid_json","commits":true}""", 1)]
    [InlineData("""{"fault":"no_status_id"}""", 1)]
    [InlineData("""{"fault":"bad_gateway","commits":true}""", 1)]
    [InlineData("""{"fault":"empty_reply","commits":true}""", 1)]
    public async Task Unreadable_reply_says_nothing_about_the_import_that_the_rule_may_have_let_through(string rule, int imports)
    {
        await using var simulator = await RunningSimulator.StartAsync($$"""{"importMs":0,"rules":[{{rule}}]}""");

        using var reply = await simulator.SendSubmitAsync(Url);

        var statusIdSeen = false;
        try
        {
            statusIdSeen = JsonDocument.Parse(await reply.Content.ReadAsStringAsync()).RootElement.TryGetProperty("status_id", out _);
        }
        catch (JsonException)
        {
            Assert.DoesNotContain("no_status_id", rule);
        }

        Assert.False(statusIdSeen);
        Assert.Equal(imports, (await simulator.ControlAsync("assets")).GetProperty("count").GetInt32());
    }

    [Fact]
    public async Task Hang_lasts_until_the_client_gives_up_and_commits_only_when_told_to()
    {
        await using var simulator =
            await RunningSimulator.StartAsync("""{"importMs":0,"rules":[{"on":"submit","fault":"hang","commits":true}]}""");
        using var patience = new CancellationTokenSource(TimeSpan.FromMilliseconds(300));

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() =>
            simulator.Http.PostAsync($"asset.upload_from_url.json?api_token=1i2&input={Url}", new StringContent(""), patience.Token));

        Assert.Equal(1, (await simulator.ControlAsync("assets")).GetProperty("count").GetInt32());
        Assert.Equal("hung", await ClosedOutcomeAsync(simulator));
    }

    [Fact]
    public async Task Client_that_gives_up_during_latency_has_made_its_import_all_the_same()
    {
        await using var simulator = await RunningSimulator.StartAsync("""{"importMs":0,"latencyMs":60000}""");
        using var patience = new CancellationTokenSource(TimeSpan.FromMilliseconds(300));

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() =>
            simulator.Http.PostAsync($"asset.upload_from_url.json?api_token=1i2&input={Url}", new StringContent(""), patience.Token));

        Assert.Equal("client_gone", await ClosedOutcomeAsync(simulator));
        Assert.Equal(1, (await simulator.SummaryAsync()).GetProperty("submitsAccepted").GetInt32());
    }

    [Fact]
    public async Task Connection_is_closed_unread_so_often_as_the_rule_says()
    {
        await using var simulator = await RunningSimulator.StartAsync();
        await simulator.ScriptAsync("""{"keepAlive":false,"rules":[{"on":"connection","fault":"closed_unread","skip":1,"times":1}]}""");
        await simulator.SubmitAsync(Url); // over the connection that set the script; its answer closes it
        await simulator.SubmitAsync(Url); // the connection that "skip" lets pass

        await Assert.ThrowsAsync<HttpRequestException>(() => simulator.SendSubmitAsync("https://x.test/never-read.mp4"));
        await simulator.SubmitAsync(Url);

        var summary = await simulator.SummaryAsync();
        Assert.Equal(3, summary.GetProperty("submitsReceived").GetInt32());
        Assert.Equal(1, summary.GetProperty("distinctInputs").GetInt32());
    }

    [Fact]
    public async Task Rule_strikes_only_its_operation_its_URLs_and_its_number_of_times()
    {
        await using var simulator = await RunningSimulator.StartAsync(
            """{"importMs":0,"rules":[{"on":"submit","fault":"unavailable","input":"*/bad/*","skip":1,"times":2}]}""");

        var seen = new List<int>();
        for (var i = 0; i < 5; i++)
        {
            using var bad = await simulator.SendSubmitAsync("https://x.test/bad/a.mp4");
            using var good = await simulator.SendSubmitAsync("https://x.test/good/a.mp4");
            Assert.Equal(HttpStatusCode.OK, good.StatusCode);
            seen.Add((int)bad.StatusCode);
        }

        await simulator.CallAsync("ping.json");
        Assert.Equal([200, 503, 503, 200, 200], seen);
    }

    [Fact]
    public async Task Rule_per_input_strikes_the_first_calls_of_each_URL_and_each_status_id()
    {
        await using var simulator = await RunningSimulator.StartAsync(
            """{"importMs":0,"rules":[{"on":"submit","fault":"rate_limited","perInput":1},{"on":"status","fault":"unavailable","perInput":2}]}""");

        foreach (var url in new[] { "https://x.test/a.mp4", "https://x.test/b.mp4" })
        {
            using var first = await simulator.SendSubmitAsync(url);
            Assert.Equal(HttpStatusCode.TooManyRequests, first.StatusCode);
            var call = $"asset.upload_from_url_get_status.json?status_id={await simulator.SubmitAsync(url)}";
            await simulator.CallAsync(call, HttpStatusCode.ServiceUnavailable);
            await simulator.CallAsync(call, HttpStatusCode.ServiceUnavailable);
            await simulator.CallAsync(call);
        }
    }

    [Fact]
    public async Task Share_strikes_the_same_calls_in_every_run_and_others_with_another_seed()
    {
        var runs = new List<string>();
        foreach (var seed in new[] { 1, 1, 2 })
        {
            await using var simulator =
                await RunningSimulator.StartAsync($$"""{"seed":{{seed}},"rules":[{"on":"submit","fault":"rate_limited","share":0.3}]}""");
            var struck = new List<int>();
            for (var i = 0; i < 100; i++)
            {
                using var reply = await simulator.SendSubmitAsync($"https://x.test/{i}.mp4");
                if (reply.StatusCode == HttpStatusCode.TooManyRequests)
                    struck.Add(i);
            }

            Assert.InRange(struck.Count, 15, 45);
            runs.Add(string.Join(' ', struck));
        }

        Assert.Equal(runs[0], runs[1]);
        Assert.NotEqual(runs[0], runs[2]);
    }

    [Theory]
    [InlineData("flaky-1.mp4", 429, 1)]
    [InlineData("busy-1.mp4", 503, 1)]
    [InlineData("lost-1.mp4", 0, 2)]
    [InlineData("reset-1.mp4", 0, 1)]
    public async Task File_name_spoils_the_first_submit_and_the_second_goes_well(string fileName, int http, int assets)
    {
        await using var simulator = await RunningSimulator.StartAsync("""{"importMs":0}""");
        var url = $"https://x.test/{fileName}";

        if (http == 0)
        {
            await Assert.ThrowsAsync<HttpRequestException>(() => simulator.SendSubmitAsync(url));
        }
        else
        {
            using var first = await simulator.SendSubmitAsync(url);
            Assert.Equal(http, (int)first.StatusCode);
        }

        await simulator.SubmitAsync(url);
        Assert.Equal(assets, (await simulator.ControlAsync("assets")).GetProperty("count").GetInt32());
    }

    [Theory]
    [InlineData("refused-1.mp4", "invalid input")]
    [InlineData("quota-1.mp4", "out of assets quota")]
    public async Task File_name_is_refused_every_time(string fileName, string message)
    {
        await using var simulator = await RunningSimulator.StartAsync();

        for (var i = 0; i < 2; i++)
        {
            using var reply = await simulator.SendSubmitAsync($"https://x.test/{fileName}");
            Assert.Equal(HttpStatusCode.OK, reply.StatusCode);
            Assert.Equal($$"""{"success":false,"message":"{{message}}"}""", await reply.Content.ReadAsStringAsync());
        }
    }

    [Fact]
    public async Task Delay_holds_the_answer_back_until_its_time()
    {
        await using var simulator =
            await RunningSimulator.StartAsync("""{"rules":[{"on":"submit","fault":"delay","delayMs":[5000,6000]}]}""");

        var call = simulator.SubmitAsync(Url);
        await WaitForEntryAsync(simulator);
        simulator.Clock.Advance(TimeSpan.FromMilliseconds(4999));
        Assert.NotSame(call, await Task.WhenAny(call, Task.Delay(100)));
        // The call is noted just before its wait begins: a wait that began only after the clock was moved has it moved again.
        while (!call.IsCompleted)
        {
            simulator.Clock.Advance(TimeSpan.FromMilliseconds(1001));
            await Task.Delay(10);
        }

        Assert.NotEmpty(await call);
    }

    [Theory]
    [InlineData("not json")]
    [InlineData("""{"colour":"red"}""")]
    [InlineData("""{"rules":[{"fault":"no_such_fault"}]}""")]
    [InlineData("""{"rules":[{"fault":"closed_unread","on":"submit"}]}""")]
    [InlineData("""{"rules":[{"fault":"reset","share":1.5}]}""")]
    [InlineData("""{"outcomes":[{"outcome":"flaky"}]}""")]
    [InlineData("""{"latencyMs":[5,1]}""")]
    public async Task Script_that_makes_no_sense_is_refused_and_the_old_one_stays(string script)
    {
        await using var simulator = await RunningSimulator.StartAsync("""{"importMs":7}""");

        using var reply = await simulator.Http.PostAsync("/_sim/faults", new StringContent(script));

        Assert.Equal(HttpStatusCode.BadRequest, reply.StatusCode);
        Assert.Equal(7, (await simulator.ControlAsync("faults")).GetProperty("importMs").GetInt32());
    }

    [Fact]
    public async Task Script_reads_back_as_it_was_set_and_is_gone_when_deleted()
    {
        await using var simulator = await RunningSimulator.StartAsync(
            """{"latencyMs":[1,2],"rules":[{"on":"submit","fault":"rate_limited","share":0.05,"retryAfter":"date"}]}""");

        var set = await simulator.ControlAsync("faults");
        await simulator.ScriptAsync(set.GetRawText());
        var again = await simulator.ControlAsync("faults");
        (await simulator.Http.DeleteAsync("/_sim/faults")).EnsureSuccessStatusCode();

        Assert.Equal(set.GetRawText(), again.GetRawText());
        Assert.Equal("[1,2]", string.Concat(set.GetProperty("latencyMs").GetRawText().Where(c => !char.IsWhiteSpace(c))));
        Assert.Equal("date", set.GetProperty("rules")[0].GetProperty("retryAfter").GetString());
        Assert.Equal(0, (await simulator.ControlAsync("faults")).GetProperty("rules").GetArrayLength());
    }

    /// <summary>The server hears of a client that left a little later than the client itself.</summary>
    private static async Task<string?> ClosedOutcomeAsync(RunningSimulator simulator)
    {
        while (true)
        {
            var outcome = (await WaitForEntryAsync(simulator)).GetProperty("outcome").GetString();
            if (outcome != "open")
                return outcome;
            await Task.Delay(10);
        }
    }

    private static async Task<JsonElement> WaitForEntryAsync(RunningSimulator simulator)
    {
        while (true)
        {
            var entries = (await simulator.ControlAsync("ledger?op=submit")).GetProperty("entries");
            if (entries.GetArrayLength() > 0)
                return entries[0];
            await Task.Delay(10);
        }
    }
}
