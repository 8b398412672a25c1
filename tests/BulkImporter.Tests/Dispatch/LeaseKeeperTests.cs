using BulkImporter.Data;
using BulkImporter.Dispatch;
using BulkImporter.Imports;
using BulkImporter.Records;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace BulkImporter.Tests.Dispatch;

public sealed class LeaseKeeperTests(EngineDatabase database) : IClassFixture<EngineDatabase>
{
    private static readonly WorkOptions Settings = new()
    {
        LeaseDuration = TimeSpan.FromSeconds(30),
        LeaseRenewal = TimeSpan.FromSeconds(4),
        Window = 32,
    };

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    // --- taking

    [Fact]
    public async Task A_due_chunk_is_leased_once_and_again_after_its_release()
    {
        var id = await database.ImportAsync(rows: 3);
        await using (var held = await Keeper().TakeAsync(id, 1, Token))
        {
            Assert.NotNull(held);
            Assert.Equal((1, 3, 32, EngineDatabase.Worker),
                (held.Lease.FirstRow, held.Lease.LastRow, held.Lease.Window, held.Lease.Worker));
            Assert.Null(await Keeper().TakeAsync(id, 1, Token));
            await held.ReleaseAsync(new SetAside());
        }
        await using var again = await Keeper().TakeAsync(id, 1, Token);
        Assert.NotNull(again);
        Assert.Equal(2L, await database.OneAsync<long>("SELECT fence FROM importer.import_chunk WHERE import_id = $1", id));
    }

    [Theory]
    [InlineData("it is not due yet", "UPDATE importer.import_chunk SET due_at = now() + interval '1 minute' WHERE import_id = $1")]
    [InlineData("nothing of it can become due", "UPDATE importer.import_chunk SET due_at = NULL WHERE import_id = $1")]
    [InlineData("the import is paused", "UPDATE importer.import SET state = 'paused' WHERE id = $1")]
    [InlineData("the account is suspended",
        "UPDATE importer.account SET state = 'suspended' WHERE id = (SELECT account_id FROM importer.import WHERE id = $1)")]
    public async Task A_chunk_is_not_leased_when(string what, string change)
    {
        var id = await database.ImportAsync();
        Assert.Equal(1, await database.SqlAsync(change, id));
        Assert.True(await Keeper().TakeAsync(id, 1, Token) is null, what);
        Assert.Equal("waiting", await ChunkStateAsync(id));
    }

    [Fact]
    public async Task A_chunk_that_could_not_be_leased_is_given_back_and_one_that_is_at_work_is_not()
    {
        var id = await database.ImportAsync(rows: 6);
        await database.SqlAsync("UPDATE importer.import_chunk SET state = 'queued', queued_at = now() WHERE import_id = $1 AND number = 1",
            id);
        await database.LeaseAsync(id, 2);
        await database.Source.ExecuteAsync(ChunkLease.Return, Token, id, 1);
        await database.Source.ExecuteAsync(ChunkLease.Return, Token, id, 2);
        Assert.Equal(("waiting", "running"), (await ChunkStateAsync(id), await ChunkStateAsync(id, 2)));
    }

    [Fact]
    public async Task The_only_chunk_that_is_due_gets_all_calls_in_flight_that_are_free()
    {
        var id = await database.ImportAsync(rows: 6, account: await database.AccountAsync(maxInFlight: 5));
        await using (var first = await Keeper().TakeAsync(id, 1, Token))
        {
            Assert.Equal(2, first!.Lease.Window);
            await using var last = await Keeper().TakeAsync(id, 2, Token);
            Assert.Equal(3, last!.Lease.Window);
        }
        await database.ReleaseAsync(id, 1);
        await database.ReleaseAsync(id, 2);
        await database.SqlAsync("UPDATE importer.import_chunk SET due_at = NULL WHERE import_id = $1 AND number = 1", id);
        await using var only = await Keeper().TakeAsync(id, 2, Token);
        Assert.Equal(5, only!.Lease.Window);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(5)]
    [InlineData(10)]
    public async Task Windows_of_leases_taken_at_once_use_up_the_accounts_calls_in_flight_and_never_exceed_them(int maxInFlight)
    {
        var account = await database.AccountAsync(maxInFlight);
        var one = await database.ImportAsync(rows: 24, account: account);
        var other = await database.ImportAsync(rows: 24, account: account);
        var taken = await Task.WhenAll(Enumerable.Range(1, 8).SelectMany(chunk => new[] { (one, chunk), (other, chunk) })
            .Select(c => Task.Run(() => Keeper().TakeAsync(c.Item1, c.chunk, Token))));

        var held = taken.OfType<HeldLease>().ToList();
        Assert.Equal(maxInFlight, held.Sum(h => h.Lease.Window));
        Assert.All(held, h => Assert.InRange(h.Lease.Window, 1, (maxInFlight + 3) / 4));

        // One given back makes room for one more, of the same size at most.
        await held[0].ReleaseAsync(new SetAside());
        await using var next = await FirstAsync(one, other);
        Assert.NotNull(next);
        Assert.True(held.Skip(1).Sum(h => h.Lease.Window) + next.Lease.Window <= maxInFlight);
        foreach (var h in held) await h.DisposeAsync();

        async Task<HeldLease?> FirstAsync(params int[] imports)
        {
            foreach (var import in imports)
            {
                for (var chunk = 1; chunk <= 8; chunk++)
                {
                    if (await Keeper().TakeAsync(import, chunk, Token) is { } free) return free;
                }
            }
            return null;
        }
    }

    [Fact]
    public async Task A_lease_that_ran_out_no_longer_counts_against_the_account()
    {
        var id = await database.ImportAsync(rows: 6, account: await database.AccountAsync(maxInFlight: 1));
        await using var first = await Keeper().TakeAsync(id, 1, Token);
        Assert.Null(await Keeper().TakeAsync(id, 2, Token));
        await database.ExpireAsync(id, 1);
        await using var second = await Keeper().TakeAsync(id, 2, Token);
        Assert.NotNull(second);
    }

    // --- holding

    [Fact]
    public async Task A_lease_is_renewed_for_as_long_as_it_is_held()
    {
        var clock = new SteppedClock();
        var id = await database.ImportAsync();
        await using var held = await Keeper(clock).TakeAsync(id, 1, Token);
        Assert.NotNull(held);
        await clock.SomeoneWaitsAsync();
        await database.SqlAsync("UPDATE importer.import_chunk SET lease_until = now() + interval '5 seconds' WHERE import_id = $1", id);
        clock.Advance(Settings.LeaseRenewal);
        await clock.SomeoneWaitsAsync();
        Assert.True(
            await database.OneAsync<bool>(
                "SELECT lease_until > now() + interval '20 seconds' FROM importer.import_chunk WHERE import_id = $1", id));
        Assert.False(held.StopSending.IsCancellationRequested);
    }

    [Theory]
    [InlineData("another took it", "UPDATE importer.import_chunk SET lease_token = gen_random_uuid() WHERE import_id = $1")]
    [InlineData("it ran out", "UPDATE importer.import_chunk SET lease_until = now() - interval '1 ms' WHERE import_id = $1")]
    [InlineData("the import was paused", "UPDATE importer.import SET state = 'paused' WHERE id = $1")]
    [InlineData("the account was suspended",
        "UPDATE importer.account SET state = 'suspended' WHERE id = (SELECT account_id FROM importer.import WHERE id = $1)")]
    [InlineData("the account's limits changed",
        "UPDATE importer.account SET max_in_flight = 3, updated_at = clock_timestamp() WHERE id = (SELECT account_id FROM "
            + "importer.import WHERE id = $1)")]
    public async Task Nothing_more_is_sent_after_the_renewal_that_finds_that(string what, string change)
    {
        var clock = new SteppedClock();
        var id = await database.ImportAsync();
        await using var held = await Keeper(clock).TakeAsync(id, 1, Token);
        Assert.NotNull(held);
        await clock.SomeoneWaitsAsync();
        clock.Advance(Settings.LeaseRenewal);
        await clock.SomeoneWaitsAsync();
        Assert.False(held.StopSending.IsCancellationRequested);

        Assert.Equal(1, await database.SqlAsync(change, id));
        clock.Advance(Settings.LeaseRenewal);
        await StoppedAsync(held, what);
    }

    [Fact]
    public async Task A_lease_of_a_paused_import_is_still_renewed_because_answers_are_on_their_way()
    {
        var clock = new SteppedClock();
        var id = await database.ImportAsync();
        await using var held = await Keeper(clock).TakeAsync(id, 1, Token);
        Assert.NotNull(held);
        await clock.SomeoneWaitsAsync();
        await database.SqlAsync("UPDATE importer.import SET state = 'paused' WHERE id = $1", id);
        await database.SqlAsync("UPDATE importer.import_chunk SET lease_until = now() + interval '5 seconds' WHERE import_id = $1", id);
        clock.Advance(Settings.LeaseRenewal);
        await clock.SomeoneWaitsAsync();
        Assert.True(held.StopSending.IsCancellationRequested);
        Assert.True(
            await database.OneAsync<bool>(
                "SELECT lease_until > now() + interval '20 seconds' FROM importer.import_chunk WHERE import_id = $1", id));
    }

    [Fact]
    public async Task The_turn_ends_when_another_import_waits_and_not_before_its_time()
    {
        var clock = new SteppedClock();
        var account = await database.AccountAsync(maxInFlight: 1);
        var big = await database.ImportAsync(rows: 30, account: account);
        await using var held = await Keeper(clock).TakeAsync(big, 1, Token);
        Assert.NotNull(held);
        await clock.SomeoneWaitsAsync();
        for (var alone = TimeSpan.Zero; alone <= TimeSpan.FromSeconds(10); alone += Settings.LeaseRenewal)
        {
            clock.Advance(Settings.LeaseRenewal);
            await clock.SomeoneWaitsAsync();
        }
        Assert.False(held.StopSending.IsCancellationRequested);

        await database.ImportAsync(rows: 1, account: account);
        clock.Advance(Settings.LeaseRenewal);
        await StoppedAsync(held, "another import waits");
    }

    [Theory]
    [InlineData(-1, false)]
    [InlineData(0, true)]
    [InlineData(1, true)]
    public async Task The_turn_is_given_only_to_an_import_of_at_least_the_same_priority(int priorityOfTheOther, bool given)
    {
        var clock = new SteppedClock();
        var account = await database.AccountAsync(maxInFlight: 1);
        var id = await database.ImportAsync(rows: 30, account: account);
        await using var held = await Keeper(clock).TakeAsync(id, 1, Token);
        Assert.NotNull(held);
        await clock.SomeoneWaitsAsync();
        await database.ImportAsync(rows: 1, account: account, priority: priorityOfTheOther);
        for (var n = 0; n < 3; n++)
        {
            clock.Advance(Settings.LeaseRenewal);
            await clock.SomeoneWaitsAsync();
        }
        Assert.Equal(given, held.StopSending.IsCancellationRequested);
    }

    [Fact]
    public async Task A_lease_that_cannot_be_renewed_stops_the_work_before_it_runs_out()
    {
        // The worker's own way to the database is cut, not the test's.
        await using var cut = new CutDatabase(database.ConnectionString);
        var clock = new SteppedClock();
        var begun = clock.GetTimestamp();
        var id = await database.ImportAsync();
        await using var held = await new LeaseKeeper(cut.Source, Options.Create(Settings), new WorkerIdentity(EngineDatabase.Worker),
            clock, NullLogger<LeaseKeeper>.Instance)
            .TakeAsync(id, 1, Token);
        Assert.NotNull(held);
        await clock.SomeoneWaitsAsync();
        await cut.CutAsync(Token);
        var rounds = 0;
        while (!held.StopSending.IsCancellationRequested)
        {
            clock.Advance(Settings.LeaseRenewal);
            rounds++;
            // Either it waits for the next try, or it has given up.
            await Task.WhenAny(clock.SomeoneWaitsAsync(), Task.Delay(Timeout.Infinite, held.StopSending));
            Assert.True(clock.GetElapsedTime(begun) < Settings.LeaseDuration, "The lease ran out and the work went on.");
        }
        Assert.True(rounds > 1, "One failed renewal is no reason to stop.");
        Assert.True(clock.GetElapsedTime(begun) + Settings.LeaseRenewal < Settings.LeaseDuration,
            "No call may still be on its way out when the lease ends.");
    }

    // --- giving back

    [Fact]
    public async Task A_released_chunk_is_due_when_its_next_record_is()
    {
        var id = await database.ImportAsync(rows: 3);
        await database.SqlAsync(
            "UPDATE importer.import_record SET next_attempt_at = now() + make_interval(mins => row_number) WHERE import_id = $1", id);
        await ReleaseOneAsync(id);
        Assert.True(
            await database.OneAsync<bool>(
                "SELECT due_at BETWEEN now() + interval '50 seconds' AND now() + interval '1 minute' FROM importer.import_chunk WHERE "
                    + "import_id = $1", id));

        await database.SqlAsync("UPDATE importer.import_chunk SET due_at = now() WHERE import_id = $1", id);
        await database.SqlAsync("UPDATE importer.import_record SET state = 'cancelled', finished_at = now() WHERE import_id = $1", id);
        await ReleaseOneAsync(id);
        Assert.True(
            await database.OneAsync<bool>(
                "SELECT due_at IS NULL AND lease_until IS NULL AND lease_window = 0 FROM importer.import_chunk WHERE import_id = $1", id));
    }

    [Fact]
    public async Task A_lease_that_is_no_longer_ours_releases_nothing()
    {
        var id = await database.ImportAsync();
        await using var held = await Keeper().TakeAsync(id, 1, Token);
        Assert.NotNull(held);
        var other = await database.LeaseAsync(id, worker: "another");
        await held.ReleaseAsync(new SetAside());
        Assert.Equal(other.Token, await database.OneAsync<Guid>("SELECT lease_token FROM importer.import_chunk WHERE import_id = $1", id));
    }

    [Fact]
    public async Task A_chunk_with_an_intent_that_nobody_answered_is_not_released_and_the_rescue_finds_it()
    {
        var id = await database.ImportAsync(rows: 3);
        await using (var held = await Keeper().TakeAsync(id, 1, Token))
        {
            Assert.NotNull(held);
            await database.Transitions.SubmittingAsync(held.Lease, [2], Token);
            await held.ReleaseAsync(new SetAside());
        }
        Assert.Equal("running", await ChunkStateAsync(id));

        await database.ExpireAsync(id, 1);
        await new RescueLeases(database.Source, database.Transitions, NullLogger<RescueLeases>.Instance).RunAsync(Token);
        Assert.Equal("waiting", await ChunkStateAsync(id));
        Assert.Equal("unknown",
            await database.OneAsync<string>("SELECT state FROM importer.import_record WHERE import_id = $1 AND row_number = 2", id));
    }

    [Fact]
    public async Task Only_chunks_whose_lease_ran_out_are_rescued()
    {
        var id = await database.ImportAsync(rows: 6);
        await database.LeaseAsync(id, 1);
        await database.LeaseAsync(id, 2);
        await database.ExpireAsync(id, 2);
        await new RescueLeases(database.Source, database.Transitions, NullLogger<RescueLeases>.Instance).RunAsync(Token);
        Assert.Equal(("running", "waiting"), (await ChunkStateAsync(id), await ChunkStateAsync(id, 2)));
    }

    private LeaseKeeper Keeper(TimeProvider? clock = null) =>
        new(database.Source, Options.Create(Settings), new WorkerIdentity(EngineDatabase.Worker), clock
            ?? TimeProvider.System, NullLogger<LeaseKeeper>.Instance);

    private async Task ReleaseOneAsync(int id)
    {
        await using var held = await Keeper().TakeAsync(id, 1, Token);
        Assert.NotNull(held);
        await held.ReleaseAsync(new SetAside());
    }

    private Task<string> ChunkStateAsync(int id, int chunk = 1) =>
        database.OneAsync<string>("SELECT state FROM importer.import_chunk WHERE import_id = $1 AND number = $2", id, chunk);

    private static async Task StoppedAsync(HeldLease held, string why)
    {
        var stopped = new TaskCompletionSource();
        await using var _ = held.StopSending.Register(stopped.SetResult);
        Assert.True(await Task.WhenAny(stopped.Task, Task.Delay(TimeSpan.FromSeconds(30), Token)) == stopped.Task,
            $"Sending went on although {why}.");
    }
}
