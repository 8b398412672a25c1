namespace BulkImporter.EndToEndTests.Durability;

/// <summary>Workers are killed in the middle of an undo, with faults of its calls; the simulator's assets and ledger judge.</summary>
[Trait("Category", "Durability")]
public sealed class UndoKillTests(ITestOutputHelper output) : IAsyncDisposable
{
    // A deletion takes long enough to be killed in it. What "commits" has happened although its answer does not say so.
    private const string Faulty = """
        {
          "latencyMs": [100, 500], "rules": [
            { "on": "delete", "fault": "reply_lost", "share": 0.1 }, { "on": "delete", "fault": "unavailable", "share": 0.05 },
            { "on": "delete", "fault": "bad_gateway", "commits": true, "share": 0.05 }, { "on": "delete", "fault": "reset", "share": 0.05 },
            { "on": "list", "fault": "empty_reply", "share": 0.05 }]
        }
        """;

    private readonly Stage stage = new();

    public ValueTask DisposeAsync() => stage.DisposeAsync();

    [Fact]
    public async Task An_undo_whose_workers_are_killed_ends_complete_and_deletes_nothing_else()
    {
        var (rows, kills) = (Form.Of(500, 20_000), Form.Of(3, 20));
        var random = new Random(Form.Seed(output));
        var company = await Company.FoundAsync(stage, """{"importMs":0}""");
        var workers = await company.HireAsync(2);

        // 1. Two imports, of which one is taken back.
        var (undone, kept) = (await company.ImportAsync(rows), await company.ImportAsync(50));
        foreach (var id in new[] { undone, kept }) await company.Api.FinishedAsync(id, Company.RunLimit);
        await company.AuditAsync(undone, rows);
        await company.AuditAsync(kept, 50);

        // 2. The undo, and the deaths in it.
        await company.Cincopa.BehaveAsync(Faulty);
        var name = (await company.Api.WholeImportAsync(undone)).GetProperty("name").GetString();
        Assert.Equal(rows, await company.Api.UndoAsync(undone, name!));
        for (var kill = 1; kill <= kills; kill++)
        {
            var share = rows * 0.8 / kills;
            var late = share * (kill - random.NextDouble());
            await company.Api.UntilAsync(undone, import => import.Counts.Deleted >= late, Company.RunLimit);
            var victim = random.Next(workers.Length);
            workers[victim].Kill();
            workers[victim] = await company.HireAsync();
            Assert.Equal("", await company.MiscountedAsync());
        }

        // 3. Its end.
        await Wait.UntilAsync(Company.RunLimit, "the undo has ended", async () =>
            !(await company.Api.WholeImportAsync(undone)).GetProperty("undo").GetProperty("isUnderWay").GetBoolean());
        Assert.Equal(rows, (await company.Api.ImportAsync(undone)).Counts.Deleted);
        Assert.Equal(50, (await company.Api.ImportAsync(kept)).Counts.Imported);
        Assert.Equal("", await company.MiscountedAsync());
        Assert.Equal(0, await company.Postgres.AskAsync<long>("SELECT count(*) FROM importer.record_undo"));
        Assert.Equal(1, await company.Postgres.AskAsync<long>("SELECT count(*) FROM importer.notification WHERE kind = 'undo_ended'"));

        var deleted = (await company.Cincopa.AssetsAsync()).Where(a => a.Deleted).Select(a => a.Rid).ToHashSet();
        Assert.True(deleted.SetEquals((await company.Api.RecordsAsync(undone)).Select(r => r.Rid!)));
        Assert.DoesNotContain((await company.Api.RecordsAsync(kept)).Select(r => r.Rid!), deleted.Contains);
        // A call for what was gone would have been refused.
        var calls = await company.Cincopa.DeletionsAsync();
        Assert.DoesNotContain(calls, c => c.Outcome is "refused" or "not_found");
        output.WriteLine($"{kills} kills, {calls.Count} calls for {rows} assets.");
    }
}
