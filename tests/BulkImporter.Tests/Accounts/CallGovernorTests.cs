using System.Diagnostics;
using BulkImporter.Accounts;
using FsCheck;
using FsCheck.Xunit;
using Microsoft.Extensions.Time.Testing;
using Npgsql;

namespace BulkImporter.Tests.Accounts;

public sealed class CallGovernorTests(EngineDatabase database) : IClassFixture<EngineDatabase>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private CallGovernor Governor => new(database.Source, TimeProvider.System, () => 0.5);

    /// <summary>
    /// Several takers ask at once for blocks of several sizes; every call is then late by anything up to the tolerance. No second may
    /// hold more calls than the rate, wherever it begins.
    /// </summary>
    [Property(MaxTest = 15)]
    public async Task No_second_holds_more_calls_than_the_rate_whoever_takes_them_and_however_late_they_are_within_the_tolerance(
        byte anyRate, byte anyTakers, NonEmptyArray<byte> anyBlocks, int seed)
    {
        var rate = anyRate % 60 + 1;
        var blocks = anyBlocks.Get.Take(20).Select(b => b % 12 + 1).ToArray();
        var starts = await GrantedAsync(rate, anyTakers % 4 + 1, blocks);
        Assert.Equal(blocks.Sum(), starts.Count);
        var random = new Random(seed);
        var calls = starts.Select(s => s + random.NextDouble() * CallGovernor.Tolerance.TotalSeconds).Order().ToArray();
        for (var first = 0; first + rate < calls.Length; first++)
            Assert.True(calls[first + rate] - calls[first] > 1,
                $"{rate + 1} calls within {calls[first + rate] - calls[first]:F3} s at a rate of {rate}.");
    }

    /// <summary>
    /// One worker's answers come 300 ms after the database wrote them, another's at once, and the two take turns. What counts is when the
    /// calls start by the one clock that the remote side has.
    /// </summary>
    [Fact]
    public async Task No_second_holds_more_calls_than_the_rate_when_one_worker_is_far_from_the_database()
    {
        const int rate = 10;
        var account = await database.AccountAsync(submitRate: rate);
        await database.SqlAsync("""
            CREATE OR REPLACE FUNCTION public.answer_late() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN IF current_setting('application_name') = 'far' THEN PERFORM pg_sleep(0.3); END IF; RETURN NULL; END $$
            """);
        await database.SqlAsync(
            $"CREATE OR REPLACE TRIGGER answer_late AFTER UPDATE ON importer.call_budget FOR EACH ROW WHEN (NEW.account_id = {account}) "
                + "EXECUTE FUNCTION public.answer_late()");
        await using var farAway = NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(database.ConnectionString)
        { ApplicationName = "far" });
        var far = new CallGovernor(farAway, TimeProvider.System, () => 0.5);

        var starts = new List<double>();
        for (var turn = 0; turn < 3; turn++)
        {
            foreach (var governor in new[] { far, Governor })
            {
                var permits = await governor.TakeAsync(account, CallKind.Submit, rate / 2, Token);
                Assert.Equal(rate / 2, permits.Count);
                starts.AddRange(Enumerable.Range(0, permits.Count)
                    .Select(i => Stopwatch.GetElapsedTime(0, permits.FirstAt).TotalSeconds + i * permits.Spacing.TotalSeconds));
            }
        }
        starts.Sort();
        for (var first = 0; first + rate < starts.Count; first++)
            Assert.True(starts[first + rate] - starts[first] > 1, $"{rate + 1} calls within {starts[first + rate] - starts[first]:F3} s.");
    }

    /// <summary>
    /// Two late answers are a pause, after which everyone goes on at once; three are how this database is, and calls are made all the same.
    /// </summary>
    [Theory]
    [InlineData(1, 1)]
    [InlineData(100, 3)]
    public async Task A_database_that_paused_keeps_nobody_waiting_for_as_long_again(int lateAnswers, int used)
    {
        var account = await database.AccountAsync(submitRate: 100);
        await database.SqlAsync("CREATE TABLE IF NOT EXISTS public.pause (account_id int, answers int)");
        await database.SqlAsync("INSERT INTO public.pause VALUES ($1, $2)", account, lateAnswers);
        await database.SqlAsync("""
            CREATE OR REPLACE FUNCTION public.pause() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                UPDATE public.pause SET answers = answers - 1 WHERE account_id = NEW.account_id AND answers > 0;
                IF FOUND THEN PERFORM pg_sleep(2.5); END IF;
                RETURN NULL;
            END $$
            """);
        await database.SqlAsync(
            $"CREATE TRIGGER pause{account} AFTER UPDATE ON importer.call_budget FOR EACH ROW WHEN (NEW.account_id = {account}) EXECUTE "
                + "FUNCTION public.pause()");
        Assert.Equal(10, (await Governor.TakeAsync(account, CallKind.Submit, 10, Token)).Count);
        Assert.InRange(
            await database.OneAsync<double>(
                "SELECT extract(epoch FROM next_at - clock_timestamp())::float8 FROM importer.call_budget WHERE account_id = $1 AND kind "
                    + "= 'submit'", account), 0.5, 1.5);
        Assert.Equal(lateAnswers - used, await database.OneAsync<int>("SELECT answers FROM public.pause WHERE account_id = $1", account));
    }

    [Fact]
    public async Task A_permit_is_waited_for_and_one_that_is_too_late_is_replaced()
    {
        var account = await database.AccountAsync(submitRate: 5);
        var governor = Governor;
        var permits = await governor.TakeAsync(account, CallKind.Submit, 2, Token);
        Assert.True(await governor.MayStartAsync(account, CallKind.Submit, permits, 1, Token));
        Assert.True(Stopwatch.GetElapsedTime(permits.FirstAt) >= permits.Spacing);

        // The first of the two is long past. The row's next start time is 220 ms after the second's.
        Assert.True(await governor.MayStartAsync(account, CallKind.Submit, permits, 0, Token));
        Assert.True(Stopwatch.GetElapsedTime(permits.FirstAt) >= 2 * permits.Spacing - CallGovernor.Tolerance);

        await governor.BlockAsync(account, CallKind.Submit, TimeSpan.FromMinutes(1), "429");
        Assert.False(await governor.MayStartAsync(account, CallKind.Submit, permits, 0, Token));
    }

    [Fact]
    public async Task A_rate_is_used_up_but_for_the_tolerance()
    {
        var starts = await GrantedAsync(rate: 20, takers: 3, [.. Enumerable.Repeat(20, 9)]);
        Assert.InRange(starts[^1] - starts[0], 179 / 20.0, 179 / 20.0 * 1.1 + 0.001);
    }

    /// <summary>
    /// Otherwise the start times of many pollers that have given up lie before those of all that still ask, and nobody ever calls again.
    /// </summary>
    [Fact]
    public async Task Status_calls_that_are_given_up_leave_no_start_times_behind_them_but_those_of_two_seconds()
    {
        var account = await database.AccountAsync(statusRate: 10);
        for (var round = 0; round < 3; round++)
        {
            using var patience = new CancellationTokenSource(TimeSpan.FromMilliseconds(300));
            var asking = Enumerable.Range(0, 60)
                .Select(_ => Task.Run(() => Governor.TakeAsync(account, CallKind.Status, 1, patience.Token)));
            await Task.WhenAll(asking).ContinueWith(_ => { }, Token, TaskContinuationOptions.None, TaskScheduler.Default);
        }
        Assert.InRange(
            await database.OneAsync<double>(
                "SELECT extract(epoch FROM next_at - clock_timestamp())::float8 FROM importer.call_budget WHERE account_id = $1 AND kind "
                    + "= 'status'", account), 0.5, 2.2);

        // Who has the patience gets one soon, and no two at the same time.
        var starts =
            (await Task.WhenAll(Enumerable.Range(0, 20)
                .Select(_ => Task.Run(() => Governor.TakeAsync(account, CallKind.Status, 1, Token))))).Select(p => p.FirstAt)
                    .Order().ToArray();
        Assert.Equal(20, starts.Length);
        Assert.All(starts.Skip(1).Zip(starts), pair =>
            Assert.InRange(Stopwatch.GetElapsedTime(pair.Second, pair.First).TotalSeconds, 0.05, 3));
    }

    [Fact]
    public async Task A_permit_never_starts_before_the_database_meant()
    {
        var account = await database.AccountAsync(submitRate: 100);
        var before = Stopwatch.GetTimestamp();
        var first = await Governor.TakeAsync(account, CallKind.Submit, 50, Token);
        var second = await Governor.TakeAsync(account, CallKind.Submit, 1, Token);
        Assert.Equal((50, 1, TimeSpan.FromMilliseconds(11)), (first.Count, second.Count, first.Spacing));
        Assert.True(first.FirstAt >= before);
        // The second block begins where the first ends: 50 spacings after a start that lies behind `before`.
        Assert.True(Stopwatch.GetElapsedTime(before, second.FirstAt) >= 50 * first.Spacing);
    }

    [Fact]
    public async Task Without_a_rate_all_calls_may_start_at_once()
    {
        var account = await database.AccountAsync();
        Assert.Equal(TimeSpan.Zero, (await Governor.TakeAsync(account, CallKind.Submit, 500, Token)).Spacing);
        Assert.True((await Governor.TakeAsync(account, CallKind.Submit, 1, Token)).FirstAt <= Stopwatch.GetTimestamp());
    }

    [Fact]
    public async Task The_backlog_room_is_handed_out_once_however_many_ask()
    {
        var account = await database.AccountAsync(backlog: 10);
        var taken = await Task.WhenAll(Enumerable.Range(0, 6)
            .Select(_ => Task.Run(() => Governor.TakeAsync(account, CallKind.Submit, 4, Token))));
        Assert.Equal(10, taken.Sum(p => p.Count));
        Assert.Equal(0, (await Governor.TakeAsync(account, CallKind.Submit, 1, Token)).Count);
        // Status calls join no backlog.
        Assert.Equal(4, (await Governor.TakeAsync(account, CallKind.Status, 4, Token)).Count);
    }

    [Fact]
    public async Task Nobody_gets_a_permit_while_the_remote_side_wants_to_be_left_alone()
    {
        var account = await database.AccountAsync();
        await Governor.BlockAsync(account, CallKind.Submit, TimeSpan.FromMinutes(1), "429");
        Assert.Equal(0, (await Governor.TakeAsync(account, CallKind.Submit, 1, Token)).Count);
        Assert.Equal(1, (await Governor.TakeAsync(account, CallKind.Status, 1, Token)).Count);
        await PassBlockAsync(account);
        Assert.Equal(1, (await Governor.TakeAsync(account, CallKind.Submit, 1, Token)).Count);
    }

    [Fact]
    public async Task No_reply_keeps_an_account_waiting_for_longer_than_an_hour_and_the_page_says_so()
    {
        var account = await database.AccountAsync();
        await Governor.BlockAsync(account, CallKind.Submit, TimeSpan.FromSeconds(int.MaxValue), "429");
        Assert.InRange(await BlockedForAsync(account), 3590, 3600);
        Assert.EndsWith("it is asked again after an hour.",
            await database.OneAsync<string>("SELECT blocked_reason FROM importer.call_budget WHERE account_id = $1 AND kind = 'submit'",
                account), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Retry_After_is_obeyed_and_a_shorter_one_does_not_shorten_it()
    {
        var account = await database.AccountAsync();
        await Governor.BlockAsync(account, CallKind.Submit, TimeSpan.FromSeconds(90), "429");
        Assert.InRange(await BlockedForAsync(account), 80, 90);
        await Governor.BlockAsync(account, CallKind.Submit, TimeSpan.FromSeconds(5), "429");
        Assert.InRange(await BlockedForAsync(account), 80, 90);
    }

    [Fact]
    public async Task Without_Retry_After_the_wait_doubles_with_each_block_in_a_row_up_to_a_minute_and_starts_again_after_a_call_that_worked()
    {
        var account = await database.AccountAsync();
        var governor = Governor;
        // The random source says a half: three quarters of the doubled wait.
        foreach (var ceiling in new[] { 1, 2, 4, 8, 16, 32, 60, 60 })
        {
            await BlockWaitsAsync(governor, account, ceiling * 0.75);
            await PassBlockAsync(account);
        }
        await governor.CallWorkedAsync(account, CallKind.Submit);
        await BlockWaitsAsync(governor, account, 0.75);
    }

    [Fact]
    public async Task Many_calls_refused_at_once_are_one_block()
    {
        var account = await database.AccountAsync();
        await Task.WhenAll(Enumerable.Range(0, 8)
            .Select(_ => Task.Run(() => Governor.BlockAsync(account, CallKind.Submit, TimeSpan.FromMinutes(1), "429"))));
        Assert.Equal(1,
            await database.OneAsync<int>("SELECT blocks_in_a_row FROM importer.call_budget WHERE account_id = $1 AND kind = 'submit'",
                account));
    }

    /// <summary>Start times of every call that was granted, in seconds by the database's clock, as its row had them.</summary>
    private async Task<List<double>> GrantedAsync(int rate, int takers, int[] blocks)
    {
        // The room for more than all of them tells in the row how many each block had.
        var account = await database.AccountAsync(submitRate: rate, backlog: 1_000_000);
        await database.SqlAsync("CREATE TABLE IF NOT EXISTS public.granted (account_id int, count int, ends_at timestamptz)");
        await database.SqlAsync("""
            CREATE OR REPLACE FUNCTION public.note_granted() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN INSERT INTO public.granted VALUES (NEW.account_id, OLD.backlog_room - NEW.backlog_room, NEW.next_at); RETURN NULL;
                END $$
            """);
        await database.SqlAsync("""
            CREATE OR REPLACE TRIGGER note_granted AFTER UPDATE ON importer.call_budget FOR EACH ROW
                WHEN (NEW.next_at <> OLD.next_at) EXECUTE FUNCTION public.note_granted()
            """);
        var taken = await Task.WhenAll(Enumerable.Range(0, takers).Select(taker => Task.Run(async () =>
        {
            var permits = new List<Permits>();
            // On a clock that stands still every answer is prompt, however busy the machine is.
            var governor = new CallGovernor(database.Source, new FakeTimeProvider(), () => 0.5);
            foreach (var size in blocks.Where((_, i) => i % takers == taker))
                permits.Add(await governor.TakeAsync(account, CallKind.Submit, size, CancellationToken.None));
            return permits;
        })));
        var spacing = taken.SelectMany(t => t).Select(p => p.Spacing.TotalSeconds).Distinct().Single();
        var granted = await database.Source.QueryAsync(
            "SELECT count, extract(epoch FROM ends_at)::float8 FROM public.granted WHERE account_id = $1", r =>
                (Count: r.GetInt32(0), End: r.GetDouble(1)), CancellationToken.None, account);
        Assert.Equal(blocks.Order(), granted.Select(g => g.Count).Order());
        return [.. granted.SelectMany(g => Enumerable.Range(1, g.Count).Select(i => g.End - i * spacing)).Order()];
    }

    private Task<double> BlockedForAsync(int account) => database.OneAsync<double>(
        "SELECT extract(epoch FROM blocked_until - clock_timestamp())::float8 FROM importer.call_budget WHERE account_id = $1 AND kind = "
            + "'submit'", account);

    /// <summary>
    /// A block without Retry-After waits exactly so long: not shorter from the moment before it, not longer from the moment after it.
    /// </summary>
    private async Task BlockWaitsAsync(CallGovernor governor, int account, double seconds)
    {
        var before = await ClockAsync();
        await governor.BlockAsync(account, CallKind.Submit, null, "unreachable");
        var after = await ClockAsync();
        var until =
            await database.OneAsync<double>(
                "SELECT extract(epoch FROM blocked_until)::float8 FROM importer.call_budget WHERE account_id = $1 AND kind = 'submit'",
                account);
        Assert.InRange(until, before + seconds - 0.001, after + seconds + 0.001);

        Task<double> ClockAsync() => database.OneAsync<double>("SELECT extract(epoch FROM clock_timestamp())::float8");
    }

    private Task<int> PassBlockAsync(int account) =>
        database.SqlAsync("UPDATE importer.call_budget SET blocked_until = clock_timestamp() - interval '1 ms' WHERE account_id = $1",
            account);
}
