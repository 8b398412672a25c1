namespace BulkImporter.EndToEndTests.Durability;

/// <summary>Workers that are told to stop, as every deployment does.</summary>
[Trait("Category", "Durability")]
public sealed class StoppedWorkerTests(ITestOutputHelper output) : IAsyncDisposable
{
    private readonly Stage stage = new();

    public ValueTask DisposeAsync() => stage.DisposeAsync();

    [Fact]
    public async Task Terminated_workers_wait_for_their_calls_leave_none_in_doubt_and_are_gone_within_35_seconds()
    {
        const int Rows = 600;
        // Calls that take seconds: all windows are full when the signal comes.
        var company = await Company.FoundAsync(stage, """{"latencyMs":[2000,5000],"statusLatencyMs":0,"importMs":[20,400]}""");
        var workers = await company.HireAsync(2);
        var id = await company.ImportAsync(Rows);
        await company.Cincopa.HasSubmitsAsync(4 * Company.Workers * Company.Window, Company.RunLimit);

        var exits = await Task.WhenAll(workers.Select(w => w.TerminateAsync(TimeSpan.FromSeconds(60))));
        output.WriteLine($"Stopped within {exits.Max(e => e.Took).TotalSeconds:0.0} s.");
        Assert.All(exits, exit => Assert.Equal(0, exit.ExitCode));
        Assert.All(exits, exit => Assert.InRange(exit.Took.TotalSeconds, 0, 35));
        var sent = (await company.Cincopa.SummaryAsync()).SubmitsReceived;
        var left = await company.Api.ImportAsync(id);
        // Every call that was made has its answer, and everything else waits for its first: the chunks are free at once.
        Assert.Equal((0, 0, sent), (left.Counts.Submitting, left.Counts.Unknown, left.Counts.Submitted + left.Counts.Imported));
        Assert.Equal(0L, await company.Postgres.AskAsync<long>("SELECT count(*) FROM importer.import_chunk WHERE state = 'running'"));
        Assert.Equal(0L, await company.Postgres.AskAsync<long>("""
            SELECT count(*) FROM importer.import_record r JOIN importer.import i ON i.id = r.import_id WHERE r.state = 'pending'
                AND r.attempts_left <> i.max_attempts
            """));

        await company.Cincopa.BehaveAsync(Company.Brisk);
        await company.HireAsync();
        await company.Api.FinishedAsync(id, Company.RunLimit);
        Assert.Empty(await company.AuditAsync(id, Rows));
        Assert.Equal(Rows, (await company.Cincopa.SummaryAsync()).SubmitsReceived);
    }
}
