namespace BulkImporter.EndToEndTests.Durability;

/// <summary>
/// Runs when nothing else does: a simulator that is kept from looking at its clock sees calls together that came one by one.
/// </summary>
[CollectionDefinition(DisableParallelization = true)]
public sealed class Alone;

/// <summary>The account's limits hold for all workers together, by the ledger's own clock.</summary>
[Trait("Category", "Durability")]
[Collection<Alone>]
public sealed class AccountLimitsTests(ITestOutputHelper output) : IAsyncDisposable
{
    /// <summary>
    /// How much later than its permit a call may arrive: the permits are exact (<c>CallGovernorTests</c>), but whoever sends and whoever
    /// looks at the clock waits for a processor. A worker that did not share the rate would be far beyond this.
    /// </summary>
    private static readonly TimeSpan Lateness = TimeSpan.FromSeconds(0.5);

    private readonly Stage stage = new();

    public ValueTask DisposeAsync() => stage.DisposeAsync();

    [Fact]
    public async Task Eight_workers_together_never_exceed_the_rates_nor_the_calls_in_flight()
    {
        const int SubmitRate = 10, StatusRate = 12;
        var rows = Form.Of(120, 1000);
        // Half a second on average: at 10 calls a second, 5 in flight are just what is needed. And two or three looks at the status of
        // each.
        var company = await Company.FoundAsync(stage, """{"latencyMs":[100,900],"statusLatencyMs":0,"importMs":[500,3000]}""");
        await company.Api.ChangeAccountAsync(new { rate = SubmitRate, maxInFlight = 5, statusRate = StatusRate });
        await company.HireAsync(8);
        var id = await company.ImportAsync(rows);
        await company.Api.FinishedAsync(id, Company.RunLimit);

        Assert.Empty(await company.AuditAsync(id, rows));
        var ledger = await company.Cincopa.SummaryAsync();
        var calls = await company.Cincopa.SubmitsAsync();
        var statusCalls = await company.Cincopa.StatusCallsAsync();
        output.WriteLine($"{calls.Count} calls in {(calls[^1].AtMs - calls[0].AtMs) / 1000:0.0} s, most in flight {ledger.MaxSubmitsInFlight}.");
        Assert.InRange(ledger.MaxSubmitsInFlight, 1, 5);
        // In a second it is seen that the workers share the rate, in ten that the shared one is right.
        foreach (var seconds in new[] { 1, 10 })
        {
            var (most, mostStatus) = (Most(calls, seconds), Most(statusCalls, seconds));
            output.WriteLine($"In {seconds} s at most {most} submits and {mostStatus} status calls.");
            Assert.InRange(most, 1, SubmitRate * (seconds + Lateness.TotalSeconds));
            Assert.InRange(mostStatus, 1, StatusRate * (seconds + Lateness.TotalSeconds));
        }
    }

    /// <summary>The most calls that arrived within any time of this length.</summary>
    private static int Most(IReadOnlyList<LedgerCall> calls, int seconds)
    {
        var (most, first) = (0, 0);
        for (var last = 0; last < calls.Count; last++)
        {
            while (calls[last].AtMs - calls[first].AtMs >= 1000 * seconds) first++;
            most = Math.Max(most, last - first + 1);
        }
        return most;
    }
}
