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
    private readonly Stage stage = new();

    public ValueTask DisposeAsync() => stage.DisposeAsync();

    [Fact]
    public async Task Eight_workers_together_never_exceed_the_rates_nor_the_calls_in_flight()
    {
        const int StatusRate = 12;
        var rows = Form.Of(120, 1000);
        // Half a second on average: at 10 calls a second, 5 in flight are just what is needed. And two or three looks at the status of
        // each.
        var company = await Company.FoundAsync(stage, """{"latencyMs":[100,900],"statusLatencyMs":0,"importMs":[500,3000]}""");
        await company.Api.ChangeAccountAsync(new { rate = 10, maxInFlight = 5, statusRate = StatusRate });
        await company.HireAsync(8);
        var id = await company.ImportAsync(rows);
        await company.Api.FinishedAsync(id, Company.RunLimit);

        Assert.Empty(await company.AuditAsync(id, rows));
        var ledger = await company.Cincopa.SummaryAsync();
        var calls = await company.Cincopa.SubmitsAsync();
        output.WriteLine(
            $"{calls.Count} calls in {(calls[^1].AtMs - calls[0].AtMs) / 1000:0.0} s; most in one second {ledger.MaxSubmitsPerSecond}, "
                + $"most in flight {ledger.MaxSubmitsInFlight}, most status calls in one second {ledger.MaxStatusPerSecond}.");
        Assert.InRange(ledger.MaxSubmitsPerSecond, 1, 10);
        Assert.InRange(ledger.MaxSubmitsInFlight, 1, 5);
        Assert.InRange(ledger.MaxStatusPerSecond, 1, StatusRate);
    }
}
