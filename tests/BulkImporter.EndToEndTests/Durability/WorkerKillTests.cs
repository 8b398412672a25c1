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
        var random = new Random(Form.Seed(output));

        var company = await Company.FoundAsync(stage, Company.Brisk);
        var workers = await company.HireAsync(2);
        var id = await company.ImportAsync(rows);

        var recoveries = new List<Task>();
        for (var kill = 1; kill <= kills; kill++)
        {
            // Somewhere in its share of the run, and late enough in the last one to be seen finishing.
            var share = rows * 0.9 / kills;
            await company.Cincopa.HasSubmitsAsync((long)(share * (kill - random.NextDouble())), Company.RunLimit);
            var victim = random.Next(workers.Length);
            workers[victim].Kill();
            recoveries.Add(company.RecoveredAsync(workers[victim]));
            workers[victim] = await company.HireAsync();
        }

        await Task.WhenAll(recoveries);
        await company.Api.FinishedAsync(id, Company.RunLimit);
        var unknown = await company.AuditAsync(id, rows);
        Assert.InRange(unknown.Count, 0, kills * Company.MostInDoubt);
        Assert.All(unknown, r => Assert.Equal("worker_lost", r.Error?.Code));
        output.WriteLine($"{kills} kills, {unknown.Count} of {rows} records unknown.");
    }
}
