using BulkImporter.Accounts;
using BulkImporter.Records;
using BulkImporter.Status;
using BulkImporter.Tests.Accounts;
using Cincopa.Client;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace BulkImporter.Tests.Records;

/// <summary>
/// The statements that run for every record find their rows by the key, also right after an ANALYZE that saw no transient state (the
/// planner then believes that such a state selects next to nothing). The plans are the server's own, told by auto_explain, for which the
/// test's user must be a superuser.
/// </summary>
public sealed class HotStatementTests(EngineDatabase database) : IClassFixture<EngineDatabase>, IAsyncLifetime
{
    private const int Rows = 50_000;
    private static readonly SemaphoreSlim Prepared = new(1, 1);
    private static int import;
    private static int pollingAccount;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        await Prepared.WaitAsync(Token);
        try
        {
            if (import != 0) return;
            import = await database.ImportAsync(Rows, chunkSize: 500);
            // Each record has been tried before, and many others are being followed: no table is so small that reading all of it were
            // right.
            await database.SqlAsync("""
                INSERT INTO importer.attempt (import_id, row_number, number, started_at, worker, finished_at, outcome)
                SELECT $1, n, 1, now(), 'w', now(), 'remote_error' FROM generate_series(1, $2) n
                """, import, Rows);
            await database.SqlAsync("UPDATE importer.import_record SET attempt_count = 1 WHERE import_id = $1", import);
            pollingAccount = await database.AccountAsync();
            await database.SqlAsync("""
                INSERT INTO importer.status_poll (import_id, row_number, attempt, account_id, status_id, submitted_at, next_poll_at,
                    moved_at)
                SELECT -1, n, 1, $1, 'st-' || n, now(), now() + CASE WHEN n <= 50 THEN interval '-1 second'
                    ELSE interval '1 hour' END, now() FROM generate_series(1, 20000) n
                """, pollingAccount);
            foreach (var table in new[] { "import_record", "import_chunk", "attempt", "status_poll", "import", "account", "call_budget" })
                await database.SqlAsync($"ANALYZE importer.{table}");
        }
        finally
        {
            Prepared.Release();
        }
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    [Theory]
    [InlineData("force_custom_plan")]
    [InlineData("force_generic_plan")]
    public async Task Intents_answers_conclusions_and_the_rescue_reach_their_records_by_the_key(string planMode)
    {
        var chunk = planMode == "force_custom_plan" ? 7 : 8;
        await using var explained = new ExplainedDatabase(database.ConnectionString, planMode);
        var transitions = new RecordTransitions(explained.Source);
        var lease = await database.LeaseAsync(import, chunk);
        int[] rows = [.. Enumerable.Range(lease.FirstRow, 32)];

        var intents = await transitions.SubmittingAsync(lease, rows, Token);
        Assert.Equal(32, intents.Count);
        explained.AssertByKey("intents");

        await transitions.AnsweredAsync(lease, [.. intents.Take(30).Select(EngineDatabase.Accepted)], TimeSpan.FromMinutes(1), Token);
        var answered = explained.AssertByKey("answers");
        // Not a choice of the planner's, which in a new installation knows nothing of the attempts.
        Assert.Contains(answered, p => p.Contains("Conflict Arbiter Indexes: pk_attempt", StringComparison.Ordinal));

        Assert.Equal(30, await transitions.ConcludedAsync([.. intents.Take(30).Select(i =>
            new Conclusion(import, i.RowNumber, new StatusId(EngineDatabase.StatusIdOf(i)), RecordState.Imported,
                new Rid($"rid{i.RowNumber}"), null, null, null))], Token));
        explained.AssertByKey("conclusions");

        await database.ExpireAsync(import, chunk);
        Assert.Equal(2, await transitions.RescuedAsync(import, chunk, Token));
        explained.AssertByKey("rescue");
    }

    /// <summary>
    /// The parse lets the records be analyzed; of the import's 2,500 chunks and 50,000 attempts the statistics know nothing. No statement
    /// reads more of them than it was given rows.
    /// </summary>
    [Theory]
    [InlineData("force_custom_plan")]
    [InlineData("force_generic_plan")]
    public async Task Attempts_and_chunks_that_the_statistics_do_not_know_are_still_found_by_the_key(string planMode)
    {
        const int mostRows = 100;
        var many = await database.ImportAsync(Rows, chunkSize: 20);
        await database.SqlAsync("""
            INSERT INTO importer.attempt (import_id, row_number, number, started_at, worker, finished_at, outcome)
            SELECT $1, n, 1, now(), 'w', now(), 'remote_error' FROM generate_series(1, $2) n
            """, many, Rows);
        await database.SqlAsync("UPDATE importer.import_record SET attempt_count = 1 WHERE import_id = $1", many);
        await database.SqlAsync("ANALYZE importer.import_record");
        await using var explained = new ExplainedDatabase(database.ConnectionString, planMode);
        var transitions = new RecordTransitions(explained.Source);
        var lease = await database.LeaseAsync(many, 1200);
        int[] rows = [.. Enumerable.Range(lease.FirstRow, 20)];

        var intents = await transitions.SubmittingAsync(lease, rows, Token);
        explained.AssertReads(mostRows, "intents");
        Assert.Equal(20, (await transitions.OpenIntentsAsync(lease, rows, Token)).Count);
        explained.AssertReads(mostRows, "open intents");
        await transitions.AnsweredAsync(lease,
            [.. intents.Take(6).Select(EngineDatabase.Accepted), .. intents.Skip(6).Take(6)
                .Select(i => EngineDatabase.Failed(i, RecordState.Failed, FailureCode.InvalidInput))],
            TimeSpan.FromMinutes(1), Token);
        explained.AssertReads(mostRows, "answers");
        await transitions.ConcludedAsync(
            [.. intents.Take(6)
                .Select(i =>
                    new Conclusion(many, i.RowNumber, new StatusId(EngineDatabase.StatusIdOf(i)), RecordState.Imported, new Rid("rid"),
                        null, null, null))], Token);
        explained.AssertReads(mostRows, "conclusions");
        await database.ExpireAsync(many, 1200);
        Assert.Equal(8, await transitions.RescuedAsync(many, 1200, Token));
        explained.AssertReads(mostRows, "rescue");
    }

    [Fact]
    public async Task A_poller_claims_what_is_due_by_the_index_on_the_time_among_many_that_are_not()
    {
        var tokens = new ProtectToken(new EphemeralDataProtectionProvider());
        await database.SqlAsync("UPDATE importer.account SET token_protected = $2 WHERE id = $1", pollingAccount, tokens.Protect("token"));
        await using var explained = new ExplainedDatabase(database.ConnectionString, "force_generic_plan");
        var cincopa = new ScriptedCincopa();
        var poller = new StatusPoller(Rounds.Over(explained.Source, tokens, cincopa), explained.Source,
            new RecordTransitions(explained.Source), cincopa,
            new PollSchedule(TimeSpan.FromHours(1), TimeSpan.FromHours(1), () => 0),
            new RetrySchedule(TimeSpan.Zero, TimeSpan.Zero, () => 0),
            Options.Create(new WorkOptions()), TimeProvider.System, NullLogger<StatusPoller>.Instance);
        Assert.Equal(50, await poller.RunAsync(Token));
        var plans = explained.TakePlans();
        Assert.Contains(plans, p => p.Contains("ix_status_poll_account_id_next_poll_at", StringComparison.Ordinal));
        // Counting what is outstanding is a statement of its own, every few seconds.
        Assert.DoesNotContain(plans.Where(p => p.Contains("UPDATE importer.status_poll", StringComparison.Ordinal)),
            ExplainedDatabase.ReadsAWholeTable);
    }
}
