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
        var company = await Company.FoundAsync(stage, Company.Brisk);
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
    public async Task Worker_cut_off_from_the_database_sends_nothing_after_its_lease_and_its_answers_count_when_it_is_back()
    {
        // Calls that take longer than the lease: behind each window that is under way stands another whose intents are committed.
        const int Rows = 400;
        const int InFlight = Company.Workers * Company.Window;
        var company = await Company.FoundAsync(stage, """{"latencyMs":12000,"statusLatencyMs":0,"importMs":[20,400]}""");
        using var wire = new Wire(company.Postgres.Port);
        var hiring = company.HireAsync();
        var cutOff = await company.HireAsync([], wire.Port);
        await hiring;
        var id = await company.ImportAsync(Rows);
        await company.Api.UntilAsync(id, import => import.Counts.Submitting == 2 * Company.MostInDoubt, Company.RunLimit);
        await company.Cincopa.HasSubmitsAsync(2 * InFlight, Company.RunLimit);

        wire.Cut();
        await Wait.UntilAsync(Company.Lease * 4, "the other worker takes back what the one that was cut off held", async () =>
            await company.Postgres.AskAsync<long>($"""
            SELECT count(*) FROM importer.import_chunk WHERE state = 'running' AND split_part(lease_owner, ':', 2) = '{cutOff.Id}'
            """) == 0);
        var begun = (await company.Postgres.AskAsync<string[]>($"""
            SELECT array_agg(r.source_url) FROM importer.import_record r JOIN importer.attempt t ON t.import_id = r.import_id
                AND t.row_number = r.row_number
            WHERE split_part(t.worker, ':', 2) = '{cutOff.Id}'
            """)).ToHashSet();
        Assert.Equal(Company.MostInDoubt, begun.Count);

        // Its calls come back and make room for those behind them. The other worker finishes meanwhile, and leaves what is in doubt.
        await company.Cincopa.BehaveAsync("""{"statusLatencyMs":0,"importMs":[20,400]}""");
        var finished = await company.Api.FinishedAsync(id, Company.RunLimit);
        Assert.Equal(Company.MostInDoubt, finished.Counts.Unknown);
        await Wait.UntilAsync(TimeSpan.FromMinutes(1), "the one that was cut off knows that its leases are lost", () =>
            Task.FromResult(cutOff.Log.Split("the lease is lost").Length > Company.Workers));
        Assert.Equal(InFlight, (await company.Cincopa.SubmitsAsync()).Count(c => begun.Contains(c.Input!)));

        wire.Mend();
        await company.Api.UntilAsync(id, import => import.State == "finished" && import.Counts.Imported == Rows, Company.RunLimit);
        Assert.False(cutOff.HasExited);
        Assert.Empty(await company.AuditAsync(id, Rows));
    }
}
