namespace BulkImporter.EndToEndTests.Durability;

/// <summary>What a record may cost the database beside the writing of it: round trips, counted by the server itself.</summary>
[Trait("Category", "Durability")]
public sealed class StatementBudgetTests(ITestOutputHelper output) : IAsyncDisposable
{
    private readonly Stage stage = new();

    public ValueTask DisposeAsync() => stage.DisposeAsync();

    [Fact]
    public async Task Dispatch_takes_at_most_half_a_statement_per_record()
    {
        const int Rows = 10_000;
        var company = await Company.FoundAsync(stage, """{"latencyMs":0}""",
            postgresSettings: "-c shared_preload_libraries=pg_stat_statements");
        await company.Postgres.ExecuteAsync("CREATE EXTENSION pg_stat_statements");
        // As it comes out of the box.
        await company.HireAsync(new Settings { ["BulkImporter__Work__Workers"] = null, ["BulkImporter__Work__Window"] = null });
        var id = await company.Api.UploadAsync(company.Manifest(Rows));
        await company.Api.UntilAsync(id, import => import.State == "review", Company.RunLimit);
        // What is counted is dispatch, without the status calls that follow it.
        await company.Postgres.ExecuteAsync(
            "UPDATE importer.call_budget SET blocked_until = now() + interval '1 hour' WHERE kind = 'status'");
        await company.Postgres.ExecuteAsync("SELECT pg_stat_statements_reset()");

        await company.Api.ActAsync(id, "start");
        await Wait.UntilAsync(Company.RunLimit, "all records are submitted", () => company.Postgres.AskAsync<bool>(
            $"SELECT sum(submitted_count) = {Rows} FROM importer.import_chunk WHERE import_id = {id} /* test */"));
        var (ours, hangfires) = (await company.Postgres.ReadAsync("""
            SELECT coalesce(sum(calls) FILTER (WHERE query NOT LIKE '%hangfire%'), 0)::float8,
                coalesce(sum(calls) FILTER (WHERE query LIKE '%hangfire%'), 0)::float8
            FROM pg_stat_statements WHERE query NOT LIKE '%/* test */%' AND query NOT LIKE '%pg_stat_statements%'
            """, r => (r.GetDouble(0), r.GetDouble(1)))).Single();
        output.WriteLine($"{ours / Rows:0.000} statements per record, and {hangfires / Rows:0.000} of Hangfire's.");
        // Under a tenth of that would mean that they were not counted.
        Assert.InRange((ours + hangfires) / Rows, 0.01, 0.5);
    }
}
