using System.Net;

namespace BulkImporter.Tests.Simulator;

/// <summary>What the ledger says of the calls that arrived: the witness of every test that counts.</summary>
public sealed class SimulatorLedgerTests
{
    [Fact]
    public async Task Entry_says_when_what_and_how_a_call_was_answered_and_never_the_token()
    {
        await using var simulator = await RunningSimulator.StartAsync();
        simulator.Clock.Advance(TimeSpan.FromMilliseconds(1500));
        var statusId = await simulator.SubmitAsync("https://x.test/a%20b.mp4?x=1&y=2");
        await simulator.StatusAsync(statusId);

        var ledger = await simulator.ControlAsync("ledger");
        var submit = ledger.GetProperty("entries")[0];
        var status = ledger.GetProperty("entries")[1];

        Assert.Equal(2, ledger.GetProperty("count").GetInt32());
        Assert.Equal(1, submit.GetProperty("seq").GetInt32());
        Assert.Equal(1500, submit.GetProperty("atMs").GetDouble());
        Assert.Equal("submit", submit.GetProperty("op").GetString());
        Assert.Equal("https://x.test/a%20b.mp4?x=1&y=2", submit.GetProperty("input").GetString());
        Assert.Equal("ok", submit.GetProperty("outcome").GetString());
        Assert.True(submit.GetProperty("accepted").GetBoolean());
        Assert.Equal(200, submit.GetProperty("http").GetInt32());
        Assert.Equal(statusId, submit.GetProperty("statusId").GetString());
        Assert.Equal("status", status.GetProperty("op").GetString());
        Assert.Equal(submit.GetProperty("input").GetString(), status.GetProperty("input").GetString());
        Assert.DoesNotContain("1i2", ledger.GetRawText());
    }

    [Fact]
    public async Task Entries_are_filtered_by_operation_and_input_and_paged()
    {
        await using var simulator = await RunningSimulator.StartAsync();
        for (var i = 0; i < 5; i++)
            await simulator.StatusAsync(await simulator.SubmitAsync($"https://x.test/{i % 2}.mp4"));

        var submits = await simulator.ControlAsync("ledger?op=submit&skip=1&take=2");
        var ones = await simulator.ControlAsync($"ledger?input={Uri.EscapeDataString("https://x.test/1.mp4")}");
        using var wrong = await simulator.Http.GetAsync("/_sim/ledger?op=nonsense");

        Assert.Equal(5, submits.GetProperty("count").GetInt32());
        Assert.Equal([3, 5], submits.GetProperty("entries").EnumerateArray().Select(e => e.GetProperty("seq").GetInt32()));
        Assert.Equal(4, ones.GetProperty("count").GetInt32());
        Assert.Equal(HttpStatusCode.BadRequest, wrong.StatusCode);
    }

    [Fact]
    public async Task Summary_counts_received_accepted_and_repeated_inputs()
    {
        await using var simulator = await RunningSimulator.StartAsync("""{"rules":[{"on":"submit","fault":"unavailable","times":1}]}""");
        using var refused = await simulator.SendSubmitAsync("https://x.test/a.mp4");
        await simulator.SubmitAsync("https://x.test/a.mp4");
        await simulator.SubmitAsync("https://x.test/b.mp4");
        await simulator.SubmitAsync("https://x.test/b.mp4");
        await simulator.SubmitAsync("https://x.test/c.mp4");
        await simulator.CallAsync("ping.json");

        var summary = await simulator.SummaryAsync();

        Assert.Equal(5, summary.GetProperty("submitsReceived").GetInt32());
        Assert.Equal(4, summary.GetProperty("submitsAccepted").GetInt32());
        Assert.Equal(3, summary.GetProperty("distinctInputs").GetInt32());
        Assert.Equal(2, summary.GetProperty("inputsReceivedMoreThanOnce").GetInt32());
        Assert.Equal(1, summary.GetProperty("inputsAcceptedMoreThanOnce").GetInt32());
        Assert.Equal("""{"input":"https://x.test/b.mp4","received":2,"accepted":2}""", summary.GetProperty("repeated")[0].GetRawText());
        Assert.Equal("""{"ping":1,"submit":5}""", summary.GetProperty("operations").GetRawText());
        Assert.Equal("""{"unavailable":1,"ok":4}""", summary.GetProperty("outcomes").GetRawText());
    }

    [Fact]
    public async Task Busiest_second_slides_and_leaves_out_what_is_a_whole_second_away()
    {
        await using var simulator = await RunningSimulator.StartAsync();
        foreach (var pause in new[] { 0, 600, 300, 100, 1000 }) // at 0, 600, 900, 1000 and 2000 ms
        {
            simulator.Clock.Advance(TimeSpan.FromMilliseconds(pause));
            await simulator.SubmitAsync("https://x.test/a.mp4");
        }

        var statusId = await simulator.SubmitAsync("https://x.test/missing-1.mp4"); // a second one at 2000 ms
        await simulator.StatusAsync(statusId);
        var summary = await simulator.SummaryAsync();

        Assert.Equal(3, summary.GetProperty("maxSubmitsPerSecond").GetInt32());
        Assert.Equal(1, summary.GetProperty("maxStatusPerSecond").GetInt32());
    }

    [Fact]
    public async Task Most_submits_in_flight_are_counted_while_their_answers_wait()
    {
        await using var simulator = await RunningSimulator.StartAsync("""{"latencyMs":1000}""");

        var calls = Enumerable.Range(0, 4).Select(i => simulator.SubmitAsync($"https://x.test/{i}.mp4")).ToArray();
        while ((await simulator.ControlAsync("ledger?op=submit")).GetProperty("count").GetInt32() < 4)
            await Task.Delay(10);
        while (!Task.WhenAll(calls).IsCompleted)
        {
            simulator.Clock.Advance(TimeSpan.FromSeconds(1));
            await Task.Delay(10);
        }

        Assert.Equal(4, (await simulator.SummaryAsync()).GetProperty("maxSubmitsInFlight").GetInt32());
        Assert.Equal(4, calls.Select(call => call.Result).Distinct().Count());
    }

    [Fact]
    public async Task Reset_forgets_calls_and_assets_and_makes_old_status_ids_unknown()
    {
        await using var simulator = await RunningSimulator.StartAsync("""{"importMs":0}""");
        var statusId = await simulator.SubmitAsync("https://x.test/a.mp4");
        simulator.Clock.Advance(TimeSpan.FromSeconds(1));

        (await simulator.Http.PostAsync("/_sim/reset", null)).EnsureSuccessStatusCode();

        Assert.Equal(0, (await simulator.ControlAsync("ledger")).GetProperty("count").GetInt32());
        Assert.Equal(0, (await simulator.ControlAsync("assets")).GetProperty("count").GetInt32());
        await simulator.SubmitAsync("https://x.test/b.mp4");
        Assert.False((await simulator.StatusAsync(statusId)).GetProperty("success").GetBoolean());
        Assert.Equal(0, (await simulator.ControlAsync("faults")).GetProperty("importMs").GetInt32());
    }
}
