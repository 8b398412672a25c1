namespace BulkImporter.EndToEndTests.Durability;

/// <summary>A database that goes away under running workers and comes back.</summary>
[Trait("Category", "Durability")]
public sealed class LostDatabaseTests(ITestOutputHelper output) : IAsyncDisposable
{
    private readonly Stage stage = new();

    public ValueTask DisposeAsync() => stage.DisposeAsync();

    [Fact]
    public async Task Database_that_crashes_in_the_middle_costs_nothing_because_answers_are_kept_until_it_is_back()
    {
        var rows = Form.Of(1500, 6000);
        var company = await Company.FoundAsync(stage, """{"latencyMs":[40,160],"statusLatencyMs":0,"importMs":[20,400]}""");
        var workers = await company.HireAsync(2);
        var id = await company.ImportAsync(rows);

        for (var crash = 1; crash <= Form.Of(2, 6); crash++)
        {
            await company.Cincopa.HasSubmitsAsync(crash * rows / Form.Of(4, 8), Company.RunLimit);
            await company.Postgres.StopNowAsync();
            await company.Postgres.StartAsync();
        }

        await company.Api.FinishedAsync(id, Company.RunLimit, mayBeAway: true);
        Assert.All(workers, w => Assert.False(w.HasExited));
        var unknown = await company.AuditAsync(id, rows);
        output.WriteLine($"{unknown.Count} unknown");
        Assert.Empty(unknown);
    }

    [Fact]
    public async Task Worker_cut_off_from_the_database_stops_sending_and_writes_its_answers_when_it_is_back()
    {
        var rows = Form.Of(1500, 6000);
        var company = await Company.FoundAsync(stage, """{"latencyMs":[40,160],"statusLatencyMs":0,"importMs":[20,400]}""");
        using var wire = new HalfOpenProxy(company.Postgres.Port);
        var cutOff = company.HireAsync([], wire.Port);
        var other = company.HireAsync();
        await Task.WhenAll(cutOff, other);
        var id = await company.ImportAsync(rows);
        await company.Cincopa.HasSubmitsAsync(rows / 4, Company.RunLimit);

        wire.Cut();
        // The other worker takes over what the first one held, and works on: the lease ran out.
        await Wait.UntilAsync(Company.Lease * 3, "the leases of the worker that was cut off are taken back", async () => await company.Postgres.AskAsync<long>($"""
            SELECT count(*) FROM importer.import_chunk WHERE state = 'running' AND split_part(lease_owner, ':', 2) = '{(await cutOff).Id}'
            """) == 0);
        wire.Mend();

        await company.Api.FinishedAsync(id, Company.RunLimit);
        Assert.False((await cutOff).HasExited);
        await Wait.UntilAsync(TimeSpan.FromMinutes(2), "the kept answers are written", async () => (await company.Api.ImportAsync(id)).Counts.Unknown == 0);
        await company.Api.FinishedAsync(id, Company.RunLimit);
        Assert.Empty(await company.AuditAsync(id, rows));
    }
}
