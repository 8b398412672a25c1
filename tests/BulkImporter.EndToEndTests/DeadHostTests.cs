namespace BulkImporter.EndToEndTests;

/// <summary>One host of three that refuses every file, in a run of nine thousand.</summary>
public sealed class DeadHostTests : IAsyncDisposable
{
    private const int Rows = 9_000;
    private const int PerHost = 4;

    /// <summary>What may have been sent of the dead host before its twentieth failure was told: what Cincopa has and did not finish.</summary>
    private const int Backlog = 300;

    private static readonly TimeSpan RunLimit = TimeSpan.FromMinutes(8);

    private readonly Stage stage = new();

    public ValueTask DisposeAsync() => stage.DisposeAsync();

    [Fact]
    public async Task The_other_hosts_are_done_at_full_speed_and_the_dead_one_waits_under_its_limit_until_it_is_asked()
    {
        var cincopa = await stage.StartSimulatorAsync();
        await cincopa.BehaveAsync(
            """{"latencyMs":[5,15],"importMs":[20,60],"outcomes":[{"outcome":"forbidden","input":"https://dead.example/*"}]}""");
        var (_, api) = await stage.ServeAsync(cincopa, []);
        await api.ChangeAccountAsync(new { rate = 0, maxInFlight = 32, perHost = PerHost, backlog = Backlog });
        string[] hosts = ["one.example", "dead.example", "two.example"];
        var id = await api.StartAsync(
            "url\n" + string.Join('\n', Enumerable.Range(0, Rows).Select(n => $"https://{hosts[n % 3]}/{n}.mp4")) + "\n");

        // 1. The others are done, and what is left of the dead one waits.
        var ended = await api.UntilAsync(
            id, i => i.Counts.Imported == 2 * Rows / 3 && i.Counts.Submitting + i.Counts.Submitted == 0, RunLimit);
        Assert.Equal("running", ended.State);
        Assert.InRange(ended.Counts.Failed, 20, Backlog + 20);
        Assert.Equal(Rows / 3 - ended.Counts.Failed, ended.Counts.Pending);

        // 2. Judged by who was called: each host under its limit, and the others without a break.
        var calls = await cincopa.SubmitsAsync();
        foreach (var host in hosts) Assert.InRange(MostAtOnce(calls.Where(c => IsOf(c, host))), 1, PerHost);
        var others = calls.Where(c => !IsOf(c, "dead.example")).Select(c => c.AtMs).ToList();
        Assert.InRange(others.Zip(others.Skip(1), (a, b) => b - a).Max(), 0, 20_000);

        // 3. Who looks is told which, since when, and until when.
        await Wait.UntilAsync(RunLimit, "all that waits is told", async () =>
            await api.WholeImportAsync(id) is var told && told.GetProperty("waitingHosts").EnumerateArray().Single() is var one
                && one.GetProperty("records").GetInt32() == told.GetProperty("counts").GetProperty("pending").GetInt32());
        var waiting = (await api.WholeImportAsync(id)).GetProperty("waitingHosts").EnumerateArray().Single();
        Assert.Equal("dead.example", waiting.GetProperty("host").GetString());
        Assert.True(waiting.GetProperty("since").GetDateTimeOffset() < waiting.GetProperty("askedAt").GetDateTimeOffset());
        Assert.StartsWith("dead.example has failed ", (await api.ImportAsync(id)).Reason, StringComparison.Ordinal);
        Assert.Contains("dead.example has failed ", await stage.VerbAsync(api, 0, RunLimit, "show", $"{id}"), StringComparison.Ordinal);
        var pending = await api.FirstAsync(id, "pending");
        Assert.Contains("times in a row; asked again at", await stage.VerbAsync(api, 0, RunLimit, "record", $"{id}", $"{pending.RowNumber}"),
            StringComparison.Ordinal);

        // 4. It works again, and somebody says so.
        await cincopa.BehaveAsync("""{"latencyMs":[5,15],"importMs":[20,60]}""");
        await stage.VerbAsync(api, 0, RunLimit, "ask", $"{id}", "--host", "dead.example");
        var finished = await api.FinishedAsync(id, RunLimit);
        // Those, and the files that asked in vain in the meantime.
        Assert.InRange(Rows - finished.Counts.Imported, ended.Counts.Failed, ended.Counts.Failed + 3);
        Assert.InRange(MostAtOnce((await cincopa.SubmitsAsync()).Where(c => IsOf(c, "dead.example"))), 1, PerHost);
        Assert.Equal(0, (await cincopa.SummaryAsync()).InputsReceivedMoreThanOnce);
    }

    private static bool IsOf(LedgerCall call, string host) =>
        call.Input!.StartsWith($"https://{host}/", StringComparison.Ordinal);

    private static int MostAtOnce(IEnumerable<LedgerCall> calls)
    {
        var (now, most) = (0, 0);
        foreach (var change in calls.SelectMany(c => new[] { (At: c.AtMs, By: 1), (At: c.AtMs + c.DurationMs, By: -1) }).Order())
            most = Math.Max(most, now += change.By);
        return most;
    }
}
