using BulkImporter.Dispatch;
using BulkImporter.Hosting;
using BulkImporter.Records;
using BulkImporter.Telemetry;
using Hangfire;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace BulkImporter.Tests.Dispatch;

/// <summary>Each test has the database to itself, because the feeder looks at all accounts.</summary>
public sealed class ChunkFeederTests(EngineDatabase database) : IClassFixture<EngineDatabase>, IAsyncLifetime
{
    private readonly NotedJobs jobs = new();
    private readonly ServiceProvider hangfire = new ServiceCollection().AddLogging().AddHangfireStorage(database.ConnectionString)
        .BuildServiceProvider();
    private int account;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        await database.SqlAsync("DELETE FROM importer.import");
        account = await database.AccountAsync();
    }

    public ValueTask DisposeAsync() => hangfire.DisposeAsync();

    [Theory]
    [InlineData(0, 4, 8)] // no limit: two for each thread
    [InlineData(5, 8, 3)] // 5 calls in windows of 2
    [InlineData(1, 8, 1)]
    [InlineData(100, 4, 4)] // windows of 25: threads are the limit again
    [InlineData(200, 16, 7)] // windows of 32
    public async Task As_many_chunks_are_queued_as_the_account_may_run_at_once(int maxInFlight, int threads, int expected)
    {
        await database.SqlAsync("UPDATE importer.account SET max_in_flight = $2 WHERE id = $1", account, maxInFlight);
        var id = await database.ImportAsync(rows: 60, account: account);
        Assert.Equal(expected, await FeedAsync(threads));
        Assert.Equal(Enumerable.Range(1, expected).Select(n => (id, n)), jobs.Chunks);
        Assert.Equal(0, await FeedAsync(threads));

        // One at work counts like one in the queue, one that is done makes room.
        await database.LeaseAsync(id, 1);
        Assert.Equal(0, await FeedAsync(threads));
        await database.SqlAsync(
            "UPDATE importer.import_chunk SET state = 'waiting', lease_token = NULL, lease_until = NULL, lease_owner = NULL, due_at = "
                + "NULL WHERE import_id = $1 AND number = 1", id);
        Assert.Equal(1, await FeedAsync(threads));
    }

    [Fact]
    public async Task Two_imports_take_turns_however_big_the_one_is()
    {
        var big = await database.ImportAsync(rows: 300, account: account);
        Assert.Equal(4, await FeedAsync(2));
        var small = await database.ImportAsync(rows: 6, account: account);
        // The big one has four at work: the places that become free go to the small one.
        await FinishAsync(big, 1);
        await FinishAsync(big, 2);
        Assert.Equal(2, await FeedAsync(2));
        Assert.Equal([(small, 1), (small, 2)], jobs.Chunks.Skip(4).Order());
    }

    [Fact]
    public async Task Two_imports_that_start_together_share_the_places()
    {
        var one = await database.ImportAsync(rows: 30, account: account);
        var other = await database.ImportAsync(rows: 30, account: account);
        await FeedAsync(2);
        Assert.Equal([(one, 1), (one, 2), (other, 1), (other, 2)], jobs.Chunks.Order());
    }

    [Fact]
    public async Task An_import_that_somebody_changes_at_this_moment_waits_for_the_next_round_and_its_account_does_not()
    {
        var changing = await database.ImportAsync(rows: 30, account: account);
        var other = await database.ImportAsync(rows: 30, account: account);
        await using (var connection = await database.Source.OpenConnectionAsync(Token))
        await using (await connection.BeginTransactionAsync(Token))
        {
            // As a cancel does: the import first, then all its chunks. The feeder that took them the other way round met it in a deadlock.
            await using var cancel = new Npgsql.NpgsqlCommand($"""
                UPDATE importer.import SET reason = 'being cancelled' WHERE id = {changing};
                SELECT 1 FROM importer.import_chunk WHERE import_id = {changing} ORDER BY number FOR NO KEY UPDATE
                """, connection);
            await cancel.ExecuteNonQueryAsync(Token);

            Assert.Equal(4, await FeedAsync(2));
            Assert.All(jobs.Chunks, c => Assert.Equal(other, c.Item1));
        }
        await FinishAsync(other, 1);
        await FinishAsync(other, 2);
        Assert.Equal(2, await FeedAsync(2));
        Assert.Equal([(changing, 1), (changing, 2)], jobs.Chunks.Skip(4).Order());
    }

    [Fact]
    public async Task A_higher_priority_is_served_first()
    {
        var low = await database.ImportAsync(rows: 30, account: account);
        var high = await database.ImportAsync(rows: 9, account: account, priority: 1);
        Assert.Equal(4, await FeedAsync(2));
        Assert.Equal([(high, 1), (high, 2), (high, 3), (low, 1)], jobs.Chunks.OrderBy(c => c.ImportId == low).ThenBy(c => c.Number));
    }

    [Fact]
    public async Task Accounts_do_not_take_each_others_places()
    {
        var one = await database.ImportAsync(rows: 30, account: account);
        var other = await database.ImportAsync(rows: 3, account: await database.AccountAsync());
        Assert.Equal(3, await FeedAsync(1));
        Assert.Equal([(one, 1), (one, 2), (other, 1)], jobs.Chunks.Order());
    }

    [Theory]
    [InlineData("the import is in review", "UPDATE importer.import SET state = 'review' WHERE account_id = $1",
        "UPDATE importer.import SET state = 'running' WHERE account_id = $1")]
    [InlineData("the import is paused", "UPDATE importer.import SET state = 'paused' WHERE account_id = $1",
        "UPDATE importer.import SET state = 'running' WHERE account_id = $1")]
    [InlineData("the account is suspended", "UPDATE importer.account SET state = 'suspended' WHERE id = $1",
        "UPDATE importer.account SET state = 'active' WHERE id = $1")]
    [InlineData("everyone was asked to wait",
        "UPDATE importer.call_budget SET blocked_until = now() + interval '1 minute' WHERE account_id = $1",
        "UPDATE importer.call_budget SET blocked_until = now() WHERE account_id = $1")]
    [InlineData("no record is due",
        "UPDATE importer.import_chunk c SET due_at = now() + interval '1 minute' FROM importer.import i WHERE i.id = c.import_id AND "
            + "account_id = $1",
                "UPDATE importer.import_chunk c SET due_at = now() FROM importer.import i WHERE i.id = c.import_id AND account_id = $1")]
    public async Task Nothing_is_fed_while(string what, string hold, string let)
    {
        await database.ImportAsync(rows: 3, account: account);
        Assert.True(await database.SqlAsync(hold, account) > 0);
        Assert.True(await FeedAsync(2) == 0, $"It was fed although {what}.");
        await database.SqlAsync(let, account);
        Assert.Equal(1, await FeedAsync(2));
    }

    [Fact]
    public async Task Nothing_is_fed_while_the_remote_backlog_is_full_and_what_ends_there_makes_room()
    {
        await database.SqlAsync("UPDATE importer.account SET backlog_limit = 2 WHERE id = $1", account);
        var id = await database.ImportAsync(rows: 6, account: account);
        await database.SubmitAsync(id, 1, 1, 2);
        await database.ReleaseAsync(id);
        Assert.Equal(0, await FeedAsync(2));
        Assert.Equal(0, await RoomAsync());
        await database.ConcludeAsync(id, 1, "st-1-1", BulkImporter.Records.RecordState.Imported);
        Assert.Equal(2, await FeedAsync(2));
        Assert.Equal(1, await RoomAsync());

        Task<int> RoomAsync() =>
            database.OneAsync<int>("SELECT backlog_room FROM importer.call_budget WHERE account_id = $1 AND kind = 'submit'", account);
    }

    [Fact]
    public async Task A_lost_enqueue_is_sent_again_when_it_has_been_unleased_too_long_and_not_before()
    {
        var id = await database.ImportAsync(rows: 3, account: account);
        jobs.Fails = true;
        await Assert.ThrowsAsync<ItemsFailedException>(() => FeedAsync(2));
        jobs.Fails = false;
        Assert.Equal(0, await FeedAsync(2));
        await database.SqlAsync("UPDATE importer.import_chunk SET queued_at = now() - interval '61 seconds' WHERE import_id = $1", id);
        Assert.Equal(1, await FeedAsync(2));
        Assert.Equal([(id, 1)], jobs.Chunks);
    }

    [Fact]
    public async Task Of_many_feeders_at_once_each_chunk_is_enqueued_by_one()
    {
        await database.ImportAsync(rows: 60, account: account);
        var fed = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(() => FeedAsync(2))));
        Assert.Equal(4, fed.Sum());
        Assert.Equal(4, jobs.Chunks.Distinct().Count());
    }

    [Fact]
    public async Task A_chunk_becomes_a_Hangfire_job_with_a_name_that_a_person_understands()
    {
        var id = await database.ImportAsync(rows: 2400, chunkSize: 1200, account: account);
        await database.SqlAsync("UPDATE importer.import SET name = 'Spring catalogue' WHERE id = $1", id);
        var storage = hangfire.GetRequiredService<JobStorage>();
        await new ChunkFeeder(database.Source, hangfire.GetRequiredService<IBackgroundJobClient>(), storage, Settings(4),
            NullLogger<ChunkFeeder>.Instance).RunAsync(Token);
        var queued = storage.GetMonitoringApi().EnqueuedJobs(DispatchChunk.Queue, 0, 10).Select(j => j.Value.Job)
            .OrderBy(j => (int)j.Args[1]).ToList();
        Assert.Equal([[id, 1], [id, 2]], queued.Select(j => j.Args.Take(2).Cast<int>().ToArray()));
        Assert.Equal("Spring catalogue, rows 1,201-2,400", queued[1].Args[2]);
    }

    private Task<int> FeedAsync(int threads) =>
        new ChunkFeeder(database.Source, jobs, hangfire.GetRequiredService<JobStorage>(), Settings(threads),
            NullLogger<ChunkFeeder>.Instance).RunAsync(Token);

    private Task<int> FinishAsync(int id, int chunk) =>
        database.SqlAsync("UPDATE importer.import_chunk SET state = 'waiting', due_at = NULL WHERE import_id = $1 AND number = $2", id,
            chunk);

    private static IOptions<WorkOptions> Settings(int threads) => Options.Create(new WorkOptions { Workers = threads, Window = 32 });
}
