using BulkImporter.Accounts;
using BulkImporter.Dispatch;
using BulkImporter.Hosting;
using BulkImporter.Records;
using BulkImporter.Tests.Imports;
using Hangfire;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting.Internal;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace BulkImporter.Tests.Dispatch;

/// <summary>
/// What dispatch runs around the records' own statements (see <c>HotStatementTests</c>) finds its rows by keys too, after an ANALYZE that
/// saw no chunk at work and no record in a transient state.
/// </summary>
public sealed class DispatchPlanTests(EngineDatabase database) : IClassFixture<EngineDatabase>, IAsyncLifetime
{
    private const int Rows = 50_000;
    private const int ChunkSize = 25;
    private static readonly ProtectToken Tokens = new(new EphemeralDataProtectionProvider());
    private static int import;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        if (import != 0) return;
        // With every limit there is, so that the statements which keep to them run too.
        var account = await database.AccountAsync(maxInFlight: 40, submitRate: 100_000, backlog: 1_000_000);
        await database.SqlAsync("UPDATE importer.account SET token_protected = $2 WHERE id = $1", account, Tokens.Protect("token"));
        import = await database.ImportAsync(Rows, ChunkSize, account);
        await database.SqlAsync("""
            INSERT INTO importer.attempt (import_id, row_number, number, started_at, worker, finished_at, outcome)
            SELECT $1, n, 1, now(), 'w', now(), 'remote_error' FROM generate_series(1, $2) n
            """, import, Rows);
        await database.SqlAsync("UPDATE importer.import_record SET attempt_count = 1 WHERE import_id = $1", import);
        foreach (var table in new[] { "import_record", "import_chunk", "attempt", "status_poll", "import", "account", "call_budget" })
            await database.SqlAsync($"ANALYZE importer.{table}");
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    [Theory]
    [InlineData("force_custom_plan", 1000)]
    [InlineData("force_generic_plan", 1001)]
    public async Task A_chunk_is_leased_read_sent_renewed_and_released_by_keys_alone(string planMode, int chunk)
    {
        await using var explained = new ExplainedDatabase(database.ConnectionString, planMode);
        var cincopa = new ScriptedCincopa();
        cincopa.OnSubmit = async (_, _) =>
        {
            // The lease is renewed while the calls are under way.
            while (!explained.Plans.Any(p => p.Contains("another_waits", StringComparison.Ordinal))) await Task.Delay(5, Token);
            return ScriptedCincopa.Accepted();
        };
        await Job(explained, cincopa).RunAsync(import, chunk, "rows", Token);
        Assert.Equal(ChunkSize, cincopa.Submitted.Count);
        Assert.Equal(("waiting", ChunkSize), (
            await database.OneAsync<string>("SELECT state FROM importer.import_chunk WHERE import_id = $1 AND number = $2", import, chunk),
            await database.OneAsync<int>("SELECT submitted_count FROM importer.import_chunk WHERE import_id = $1 AND number = $2",
                import, chunk)));
        // The chunk itself (c) and the windows of the others (o). Whether another import waits for its turn (w) is asked of any chunk of
        // it.
        Assert.DoesNotMatch("Seq Scan on import_chunk [co] ", string.Join('\n', explained.Plans));
        explained.AssertByKey("job");
    }

    [Theory]
    [InlineData("force_custom_plan")]
    [InlineData("force_generic_plan")]
    public async Task Feeding_and_rescuing_find_their_chunks_by_an_index_and_look_at_no_record(string planMode)
    {
        await using var hangfire = new ServiceCollection().AddLogging().AddHangfireStorage(database.ConnectionString)
            .BuildServiceProvider();
        await using var explained = new ExplainedDatabase(database.ConnectionString, planMode);
        var jobs = new NotedJobs();
        var feeder = new ChunkFeeder(explained.Source, jobs, hangfire.GetRequiredService<JobStorage>(), Options.Create(new WorkOptions()),
            NullLogger<ChunkFeeder>.Instance);
        await database.SqlAsync("UPDATE importer.import_chunk SET state = 'waiting' WHERE state = 'queued'");
        Assert.InRange(await feeder.RunAsync(Token), 1, 8);
        await database.LeaseAsync(import, 1500);
        await database.ExpireAsync(import, 1500);
        Assert.Equal(1, await new RescueLeases(explained.Source, new RecordTransitions(explained.Source), NullLogger<RescueLeases>.Instance)
            .RunAsync(Token));

        foreach (var plan in explained.TakePlans())
        {
            // How much is outstanding is a sum over the chunks of the running imports, once a second.
            var reads = plan.Contains("backlog_limit", StringComparison.Ordinal)
                ? "Scan on import_record" : "Scan on import_record|Seq Scan on import_chunk";
            // Taking a chunk back is the record's own statement.
            if (!plan.Contains("'worker_lost'", StringComparison.Ordinal)) Assert.DoesNotMatch(reads, plan);
        }
    }

    private DispatchChunk Job(ExplainedDatabase explained, ScriptedCincopa cincopa)
    {
        var options = Options.Create(new WorkOptions { LeaseRenewal = TimeSpan.FromMilliseconds(50) });
        var governor = new CallGovernor(explained.Source, TimeProvider.System, () => 0);
        return new DispatchChunk(explained.Source,
            new LeaseKeeper(explained.Source, options, new WorkerIdentity(EngineDatabase.Worker), TimeProvider.System,
                NullLogger<LeaseKeeper>.Instance),
            new AccountAccess(explained.Source, Tokens), NothingInTheWay.Check(explained.Source, Tokens, cincopa),
            new SendingNeeds(
                new RecordTransitions(explained.Source), governor,
                new AccountHealth(governor, new AccountBreaker(explained.Source, NullLogger<AccountBreaker>.Instance),
                    Options.Create(new AccountsOptions())),
                cincopa, PushUnderTest.New(explained.Source, cincopa), HostsUnderTest.New(explained.Source),
                new RetrySchedule(TimeSpan.Zero, TimeSpan.Zero, () => 0), () => 0,
                TimeProvider.System),
            new ChunkGivenBack(), new ApplicationLifetime(NullLogger<ApplicationLifetime>.Instance), NullLogger<DispatchChunk>.Instance);
    }
}
