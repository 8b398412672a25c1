namespace BulkImporter.EndToEndTests.Durability;

/// <summary>Workers that die without a word.</summary>
[Trait("Category", "Durability")]
public sealed class WorkerKillTests(ITestOutputHelper output) : IAsyncDisposable
{
    private readonly Stage stage = new();

    public ValueTask DisposeAsync() => stage.DisposeAsync();

    [Fact]
    public async Task Workers_that_are_killed_at_random_lose_nothing_and_send_nothing_twice()
    {
        var (rows, kills) = (Form.Of(2000, 20_000), Form.Of(3, 20));
        var seed = int.TryParse(Environment.GetEnvironmentVariable("BULKIMPORTER_DURABILITY_SEED"), out var given) ? given : Random.Shared.Next();
        output.WriteLine($"To play it again: BULKIMPORTER_DURABILITY_SEED={seed}");
        var random = new Random(seed);

        var company = await Company.FoundAsync(stage, """{"latencyMs":[40,160],"statusLatencyMs":0,"importMs":[20,400]}""");
        var workers = await company.HireAsync(2);
        var id = await company.ImportAsync(rows);
        using var end = new CancellationTokenSource();
        var watching = company.WatchNumbersAsync(id, end.Token);

        var dead = new List<RunningProgram>();
        for (var kill = 1; kill <= kills; kill++)
        {
            // Somewhere in its share of the run, and late enough in the last one to be seen finishing.
            var share = rows * 0.9 / kills;
            await company.Cincopa.HasSubmitsAsync((long)(share * (kill - random.NextDouble())), Company.RunLimit);
            var victim = random.Next(workers.Length);
            workers[victim].Kill();
            dead.Add(workers[victim]);
            workers[victim] = await company.HireAsync();
        }

        // What the dead left is taken back within the lease and 15 s.
        await Wait.UntilAsync(Company.Lease + TimeSpan.FromSeconds(15), "nothing is left in the hands of the dead", async () => await company.Postgres.AskAsync<long>($"""
            SELECT count(*) FROM importer.import_record r JOIN importer.attempt t ON t.import_id = r.import_id AND t.row_number = r.row_number AND t.number = r.attempt_count
            WHERE r.state = 'submitting' AND split_part(t.worker, ':', 2) IN ({string.Join(", ", dead.Select(d => $"'{d.Id}'"))})
            """) == 0);
        await company.Api.FinishedAsync(id, Company.RunLimit);
        await end.CancelAsync();
        var looks = await watching;

        var unknown = await company.AuditAsync(id, rows);
        Assert.InRange(unknown.Count, 0, kills * Company.MostInDoubt);
        output.WriteLine($"{kills} kills, {unknown.Count} of {rows} records unknown, {looks} looks at the numbers.");
    }

    [Fact]
    public async Task Worker_killed_between_the_call_and_its_answer_leaves_exactly_those_calls_unknown()
    {
        // Nobody is answered: every call that is under way is one that was sent and not answered.
        const int Rows = 300;
        var company = await Company.FoundAsync(stage, """{"statusLatencyMs":0,"importMs":0,"rules":[{"on":"submit","fault":"hang","commits":true}]}""");
        var worker = await company.HireAsync();
        var id = await company.ImportAsync(Rows);
        await company.Cincopa.HasSubmitsAsync(Company.Workers * Company.Window, Company.RunLimit);

        worker.Kill();
        var sent = (await company.Cincopa.SubmitsAsync()).Select(c => c.Input).Order().ToList();
        await company.Cincopa.BehaveAsync("""{"statusLatencyMs":0,"importMs":0}""");
        await company.HireAsync();

        await company.Api.FinishedAsync(id, Company.RunLimit);
        var unknown = await company.AuditAsync(id, Rows);
        // Those that were sent, and those whose intent stood written beside them: never more than a second window.
        Assert.Subset(unknown.Select(r => r.Url!).ToHashSet(), sent.Select(input => input!).ToHashSet());
        Assert.InRange(unknown.Count, sent.Count, Company.MostInDoubt);
        Assert.All(unknown, r => Assert.Equal("worker_lost", r.Error?.Code));
    }
}
