using BulkImporter.Accounts;
using BulkImporter.Data;
using BulkImporter.Dispatch;
using BulkImporter.Records;
using Cincopa.Client;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Npgsql;

namespace BulkImporter.Tests.Dispatch;

public sealed class ChunkPipelineTests(EngineDatabase database) : IClassFixture<EngineDatabase>, IAsyncLifetime
{
    private const int Window = 4;
    private readonly ScriptedCincopa cincopa = new();
    private int id;
    // Whether Cincopa took a submit call of the account before.
    private bool hasAccepted = true;
    private Lease lease = null!;
    private readonly AccountsOptions accounts = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public ValueTask InitializeAsync() => UseAsync(rows: 30);

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    [Fact]
    public async Task Every_record_is_sent_once_with_no_more_calls_in_flight_than_the_window()
    {
        cincopa.OnSubmit = async (_, stop) =>
        {
            await Task.Delay(2, stop);
            return ScriptedCincopa.Accepted();
        };
        Assert.Equal(30, await RunAsync());
        Assert.Equal(30, cincopa.Submitted.Distinct().Count());
        Assert.Equal((30, Window), (cincopa.Submitted.Count, cincopa.MostInFlight));
        Assert.Equal("submitted 30", await database.SoundCountsAsync(id));
    }

    [Fact]
    public async Task At_most_twice_the_window_is_in_doubt_however_long_the_calls_take()
    {
        var gate = new TaskCompletionSource();
        var full = new TaskCompletionSource();
        cincopa.OnSubmit = async (_, _) =>
        {
            if (cincopa.Submitted.Count == Window) full.TrySetResult();
            await gate.Task;
            return ScriptedCincopa.Accepted();
        };
        var run = RunAsync();
        await full.Task.WaitAsync(TimeSpan.FromSeconds(30), Token);
        // All calls hang: what is committed and not answered grows to two windows, and no further.
        await EventuallyAsync("SELECT count(*) = 8 FROM importer.record_now WHERE import_id = $1 AND state = 'submitting'");
        Assert.Equal(Window, cincopa.Submitted.Count);
        Assert.False(run.IsCompleted);
        gate.SetResult();
        Assert.Equal(30, await run);
        Assert.Equal("submitted 30", await database.SoundCountsAsync(id));
    }

    [Fact]
    public async Task A_stop_lets_calls_in_flight_finish_and_returns_the_rest_with_no_attempt_spent_and_none_in_doubt()
    {
        using var stop = new CancellationTokenSource();
        var gate = new TaskCompletionSource();
        cincopa.OnSubmit = async (_, _) =>
        {
            if (cincopa.Submitted.Count == Window) await stop.CancelAsync();
            await gate.Task;
            return ScriptedCincopa.Accepted();
        };
        var run = RunAsync(stopSending: stop.Token);
        await EventuallyAsync(
            "SELECT count(*) FILTER (WHERE state = 'submitting') = 4 AND count(*) FILTER (WHERE state = 'pending') = 26 FROM "
                + "importer.record_now WHERE import_id = $1");
        gate.SetResult();
        await run;
        Assert.Equal(Window, cincopa.Submitted.Count);
        Assert.Equal("pending 26, submitted 4", await database.SoundCountsAsync(id));
        Assert.Equal(26L,
            await database.OneAsync<long>(
                "SELECT count(*) FROM importer.import_record WHERE import_id = $1 AND state = 'pending' AND attempts_left = 5", id));
    }

    [Fact]
    public async Task A_stop_while_waiting_for_a_permit_sends_nothing_more()
    {
        await UseAsync(rows: 5, account: await database.AccountAsync(submitRate: 0.5));
        using var stop = new CancellationTokenSource();
        cincopa.OnSubmit = (_, _) =>
        {
            stop.Cancel();
            return Task.FromResult(ScriptedCincopa.Accepted());
        };
        await RunAsync(stopSending: stop.Token, limits: new CallLimits(0.5, 0, default));
        Assert.Equal("pending 4, submitted 1", await database.SoundCountsAsync(id));
    }

    [Fact]
    public async Task Calls_that_are_abandoned_leave_their_records_in_doubt_and_say_so()
    {
        using var stop = new CancellationTokenSource();
        using var abandon = new CancellationTokenSource();
        var calls = 0;
        cincopa.OnSubmit = async (_, giveUp) =>
        {
            // One of them alone: a second one would not wait until everybody has heard of the stop.
            if (Interlocked.Increment(ref calls) == Window)
            {
                await stop.CancelAsync();
                await abandon.CancelAsync();
            }
            await Task.WhenAny(Task.Delay(Timeout.Infinite, giveUp));
            return new SubmitResult.Unknown(ScriptedCincopa.Error(RemoteErrorKind.ConnectionLost));
        };
        await RunAsync(stopSending: stop.Token, abandon: abandon.Token);
        Assert.Equal("pending 26, unknown 4", await database.SoundCountsAsync(id));
    }

    [Fact]
    public async Task Nothing_is_sent_after_the_import_was_paused()
    {
        // No call ends before the pause is committed, so no more than two windows can have begun until then.
        var pause = new Lazy<Task>(() => database.SqlAsync("UPDATE importer.import SET state = 'paused' WHERE id = $1", id));
        cincopa.OnSubmit = async (_, _) =>
        {
            await pause.Value;
            return ScriptedCincopa.Accepted();
        };
        await RunAsync();
        Assert.InRange(cincopa.Submitted.Count, 1, 2 * Window);
        Assert.Equal($"pending {30 - cincopa.Submitted.Count}, submitted {cincopa.Submitted.Count}", await database.SoundCountsAsync(id));
    }

    [Fact]
    public async Task An_error_that_nobody_knows_leaves_its_record_in_doubt_and_the_others_are_sent()
    {
        cincopa.OnSubmit = (url, _) => url.EndsWith("/7.mp4", StringComparison.Ordinal)
            ? throw new NotSupportedException("A surprise.")
            : Task.FromResult(ScriptedCincopa.Accepted());
        Assert.Equal(30, await RunAsync());
        Assert.Equal("submitted 29, unknown 1", await database.SoundCountsAsync(id));
        Assert.Equal("unknown attempt 1 left 4 reply_lost", await database.RecordAsync(id, 7));
    }

    [Fact]
    public async Task A_429_asks_everyone_to_wait_and_costs_no_attempt()
    {
        cincopa.OnSubmit = (_, _) =>
            Task.FromResult<SubmitResult>(
                new SubmitResult.Refused(ScriptedCincopa.Error(RemoteErrorKind.RateLimited, TimeSpan.FromMinutes(1))));
        await RunAsync();
        Assert.InRange(cincopa.Submitted.Count, 1, 3 * Window);
        Assert.Equal("pending 30", await database.SoundCountsAsync(id));
        Assert.Equal(30L,
            await database.OneAsync<long>("SELECT count(*) FROM importer.import_record WHERE import_id = $1 AND attempts_left = 5", id));
        Assert.True(
            await database.OneAsync<bool>(
                "SELECT blocked_until > now() + interval '30 seconds' FROM importer.call_budget WHERE account_id = $1 AND kind = 'submit'",
                lease.AccountId));
    }

    [Fact]
    public async Task Rejected_credentials_suspend_the_account_and_fail_no_record()
    {
        cincopa.OnSubmit = (_, _) =>
            Task.FromResult<SubmitResult>(new SubmitResult.Refused(ScriptedCincopa.Error(RemoteErrorKind.TokenRejected)));
        await UseAsync(rows: 30, window: 1);
        await RunAsync();
        Assert.Equal("suspended", await database.OneAsync<string>("SELECT state FROM importer.account WHERE id = $1", lease.AccountId));
        Assert.Equal("pending 30", await database.SoundCountsAsync(id));
        Assert.Equal(30L,
            await database.OneAsync<long>("SELECT count(*) FROM importer.import_record WHERE import_id = $1 AND attempts_left = 5", id));
        // Three writes tell of a rejection, each of at most the two calls that may be in doubt at once.
        Assert.InRange(cincopa.Submitted.Count, 3, 6);
    }

    [Fact]
    public async Task Rejections_that_are_written_together_count_each()
    {
        const int window = 8;
        cincopa.OnSubmit = (_, _) =>
            Task.FromResult<SubmitResult>(new SubmitResult.Refused(ScriptedCincopa.Error(RemoteErrorKind.TokenRejected)));
        await UseAsync(rows: window, window: window);
        // Nothing is written because time passed, so the eight come in one write or in two of four: fewer than the three that would suspend
        // if each write counted once.
        await RunAsync(clock: new SteppedClock());
        Assert.Equal("suspended", await database.OneAsync<string>("SELECT state FROM importer.account WHERE id = $1", lease.AccountId));
        Assert.Equal("pending 8", await database.SoundCountsAsync(id));
        Assert.Equal(window, cincopa.Submitted.Count);
    }

    // --- what is written together

    [Fact]
    public async Task Answers_that_come_together_are_written_together()
    {
        // On a clock that stands still nothing is written because time passed.
        Assert.Equal(30, await RunAsync(clock: new SteppedClock()));
        Assert.Equal("submitted 30", await database.SoundCountsAsync(id));
        var writes = await database.OneAsync<long>("SELECT count(DISTINCT xmin::text) FROM importer.import_record WHERE import_id = $1",
            id);
        Assert.InRange(writes, 1, 30 / (Window / 2));
    }

    [Fact]
    public async Task An_answer_that_stays_alone_is_written_after_a_while_and_not_before()
    {
        var gate = new TaskCompletionSource();
        cincopa.OnSubmit = async (url, _) =>
        {
            if (!url.EndsWith("/1.mp4", StringComparison.Ordinal)) await gate.Task;
            return ScriptedCincopa.Accepted();
        };
        var clock = new SteppedClock();
        var run = RunAsync(clock: clock);
        // Two windows are begun, the first call is answered and its lane has taken another record.
        await UntilSubmittedAsync(Window + 1);
        await clock.SomeoneWaitsAsync();
        clock.Advance(TimeSpan.FromMilliseconds(49));
        Assert.Equal("pending 22, submitting 8", await database.SoundCountsAsync(id));
        clock.Advance(TimeSpan.FromMilliseconds(1));
        await EventuallyAsync("SELECT count(*) = 1 FROM importer.import_record WHERE import_id = $1 AND state = 'submitted'");
        Assert.Equal("pending 21, submitting 8, submitted 1", await database.SoundCountsAsync(id));
        gate.SetResult();
        Assert.Equal(30, await AdvanceUntilDoneAsync(run, clock));
    }

    // --- Cincopa goes silent, or is not there

    [Fact]
    public async Task A_Cincopa_that_falls_silent_is_left_alone_and_then_asked_with_one_call_at_a_time_until_it_answers()
    {
        cincopa.OnSubmit = (_, _) =>
            Task.FromResult<SubmitResult>(new SubmitResult.Unknown(ScriptedCincopa.Error(RemoteErrorKind.Timeout)));
        var health = Health();
        await RunAsync(health: health);
        var inDoubt = cincopa.Submitted.Count;
        Assert.InRange(inDoubt, AccountHealth.UnansweredThatSilence, 2 * Window);
        Assert.Equal($"pending {30 - inDoubt}, unknown {inDoubt}", await database.SoundCountsAsync(id));
        Assert.True(await BlockedAsync());

        for (var round = 1; round <= 3; round++)
        {
            await PassBlockAsync();
            await RunAsync(health: health);
            Assert.Equal(inDoubt + round, cincopa.Submitted.Count);
            Assert.True(await BlockedAsync());
        }
        // The wait grows: this was the fourth block in a row.
        Assert.Equal(4,
            await database.OneAsync<int>("SELECT blocks_in_a_row FROM importer.call_budget WHERE account_id = $1 AND kind = 'submit'",
                lease.AccountId));

        cincopa.OnSubmit = (_, _) => Task.FromResult(ScriptedCincopa.Accepted());
        await PassBlockAsync();
        await RunAsync(health: health);
        Assert.Equal($"submitted {27 - inDoubt}, unknown {inDoubt + 3}", await database.SoundCountsAsync(id));
        Assert.False(await BlockedAsync());
    }

    [Fact]
    public async Task Calls_without_an_answer_block_nobody_as_long_as_others_between_them_are_answered()
    {
        cincopa.OnSubmit = (_, _) => Task.FromResult(cincopa.Submitted.Count % AccountHealth.UnansweredThatSilence == 0
            ? ScriptedCincopa.Accepted()
            : new SubmitResult.Unknown(ScriptedCincopa.Error(RemoteErrorKind.ConnectionLost)));
        await UseAsync(rows: 30, window: 1);
        Assert.Equal(30, await RunAsync());
        Assert.Equal("submitted 6, unknown 24", await database.SoundCountsAsync(id));
        Assert.False(await BlockedAsync());
    }

    [Fact]
    public async Task An_address_where_everything_is_answered_by_a_page_suspends_the_account_and_costs_no_attempt()
    {
        cincopa.OnSubmit = (_, _) =>
            Task.FromResult<SubmitResult>(new SubmitResult.Refused(ScriptedCincopa.Error(RemoteErrorKind.NotTheApi)));
        cincopa.OnPing = () => new PingResult.Failed(ScriptedCincopa.Error(RemoteErrorKind.NotTheApi));
        await RunAsync();
        Assert.InRange(cincopa.Submitted.Count, 1, 3 * Window);
        Assert.Equal("pending 30", await database.SoundCountsAsync(id));
        Assert.Equal(30L,
            await database.OneAsync<long>("SELECT count(*) FROM importer.import_record WHERE import_id = $1 AND attempts_left = 5", id));
        Assert.Equal("suspended", await database.OneAsync<string>("SELECT state FROM importer.account WHERE id = $1", lease.AccountId));
        Assert.Contains("The address http://127.0.0.1:9/v2/ answers with a page",
            await database.OneAsync<string>("SELECT reason FROM importer.account WHERE id = $1", lease.AccountId),
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_page_for_one_row_at_an_address_where_the_API_answers_is_that_rows_failure()
    {
        cincopa.OnSubmit = (url, _) => Task.FromResult(url.EndsWith("/7.mp4", StringComparison.Ordinal)
            ? new SubmitResult.Refused(ScriptedCincopa.Error(RemoteErrorKind.NotTheApi))
            : ScriptedCincopa.Accepted());
        await RunAsync();
        Assert.Equal("pending attempt 1 left 4 not_the_api", await database.RecordAsync(id, 7));
        Assert.Equal("pending 1, submitted 29", await database.SoundCountsAsync(id));
        Assert.Equal("active", await database.OneAsync<string>("SELECT state FROM importer.account WHERE id = $1", lease.AccountId));
    }

    // --- the first calls of an account

    [Theory]
    [InlineData(30)]
    [InlineData(1)]
    public async Task A_page_in_place_of_the_first_answers_suspends_the_account_though_ping_is_answered_and_costs_no_attempt(int rows)
    {
        hasAccepted = false;
        cincopa.OnSubmit = (_, _) =>
            Task.FromResult<SubmitResult>(new SubmitResult.Refused(ScriptedCincopa.Error(RemoteErrorKind.NotTheApi)));
        await UseAsync(rows);
        for (var round = 0; round < 3 && await StateAsync() == "active"; round++) await RunAsync();

        Assert.InRange(cincopa.Submitted.Count, 3, 3 * Window);
        Assert.Equal($"pending {rows}", await database.SoundCountsAsync(id));
        Assert.Equal((long)rows,
            await database.OneAsync<long>("SELECT count(*) FROM importer.import_record WHERE import_id = $1 AND attempts_left = 5", id));
        Assert.Equal("suspended", await StateAsync());
        Assert.Contains("The first 3 submit calls (upload_from_url) had replies that are not the API's", await ReasonAsync(),
            StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Where_it_is_so_set_replies_that_are_not_the_APIs_are_the_rows_trouble_and_the_account_goes_on(bool hasAccepted)
    {
        this.hasAccepted = hasAccepted;
        accounts.SuspendOnForeignReplies = false;
        cincopa.OnSubmit = (_, _) =>
            Task.FromResult<SubmitResult>(new SubmitResult.Refused(ScriptedCincopa.Error(RemoteErrorKind.NotTheApi)));
        cincopa.OnPing = () => new PingResult.Failed(ScriptedCincopa.Error(RemoteErrorKind.NotTheApi));

        await RunAsync();

        Assert.Equal("active", await StateAsync());
        Assert.Equal(30, cincopa.Submitted.Count);
        Assert.Equal("pending attempt 1 left 4 not_the_api", await database.RecordAsync(id, 7));
        Assert.Equal("pending 30", await database.SoundCountsAsync(id));
    }

    [Fact]
    public async Task Answers_that_nobody_can_read_suspend_the_account_before_more_than_a_window_is_in_doubt()
    {
        hasAccepted = false;
        cincopa.OnSubmit = (_, _) =>
            Task.FromResult<SubmitResult>(
                new SubmitResult.Unknown(new RemoteError(RemoteErrorKind.UnreadableReply, 200, "the reply is not JSON: <html>", null)));
        await RunAsync();
        Assert.Equal("suspended", await StateAsync());
        Assert.Contains("the reply is not JSON", await ReasonAsync(), StringComparison.Ordinal);
        // Each of them may have made an asset, so it stays in doubt.
        Assert.InRange(cincopa.Submitted.Count, 3, 2 * Window);
        Assert.Equal($"pending {30 - cincopa.Submitted.Count}, unknown {cincopa.Submitted.Count}", await database.SoundCountsAsync(id));
    }

    [Fact]
    public async Task The_first_accepted_call_makes_a_page_the_rows_trouble_for_good()
    {
        hasAccepted = false;
        await UseAsync(rows: 30, window: 1);
        cincopa.OnSubmit = (_, _) => Task.FromResult(cincopa.Submitted.Count == 1
            ? ScriptedCincopa.Accepted()
            : new SubmitResult.Refused(ScriptedCincopa.Error(cincopa.Submitted.Count % 2 == 0
                ? RemoteErrorKind.NotTheApi : RemoteErrorKind.MethodNotAllowed)));
        await RunAsync();
        Assert.Equal("active", await StateAsync());
        Assert.Equal("pending 29, submitted 1", await database.SoundCountsAsync(id));
        Assert.Equal("4 not_the_api 15, 4 remote_rejected 14, 4 submitted 1", await database.OneAsync<string>("""
            SELECT string_agg(concat(a, ' ', code, ' ', n), ', ' ORDER BY a, code) FROM (
                SELECT attempts_left AS a, coalesce(error_code, state) AS code, count(*) AS n FROM importer.import_record
                    WHERE import_id = $1 GROUP BY 1, 2) x
            """, id));
        Assert.True(await database.OneAsync<bool>("SELECT first_accepted_at IS NOT NULL FROM importer.account WHERE id = $1",
            lease.AccountId));
    }

    // --- the database fails

    [Fact]
    public async Task An_answer_that_the_database_refuses_leaves_its_own_record_in_doubt_and_the_others_are_written()
    {
        await database.SqlAsync("ALTER TABLE importer.import_record ADD CONSTRAINT refuses_one CHECK (status_id <> 'refused')");
        cincopa.OnSubmit = (url, _) =>
            Task.FromResult<SubmitResult>(
                new SubmitResult.Accepted(new StatusId(url.EndsWith("/7.mp4", StringComparison.Ordinal) ? "refused" : "st-" + url)));
        Assert.Equal(30, await RunAsync());
        Assert.Equal("submitted 29, unknown 1", await database.SoundCountsAsync(id));
        Assert.Equal("unknown attempt 1 left 4 reply_unreadable", await database.RecordAsync(id, 7));
    }

    [Fact]
    public async Task What_began_with_answers_is_given_back_when_the_database_refuses_something_after_their_commit()
    {
        // The first accepted call of an account is noted after the answers and the intents were committed. Refused, nobody hears of the
        // intents.
        hasAccepted = false;
        await RefuseAsync("UPDATE ON importer.account", $"NEW.id = {lease.AccountId} AND NEW.first_accepted_at IS NOT NULL",
            "54000", times: 1);
        Assert.InRange(await RunAsync(), 30, 30 + Window);
        Assert.Equal("submitted 30", await database.SoundCountsAsync(id));
        Assert.Equal(30, cincopa.Submitted.Count);
    }

    [Fact]
    public async Task What_began_is_given_back_also_when_the_database_refuses_to_take_it_back_at_first()
    {
        hasAccepted = false;
        await RefuseAsync("UPDATE ON importer.account", $"NEW.id = {lease.AccountId} AND NEW.first_accepted_at IS NOT NULL",
            "57014", times: 1);
        await RefuseAsync("INSERT ON importer.attempt", $"NEW.import_id = {id} AND NEW.outcome = 'not_sent'", "54000", times: 2);
        var clock = new SteppedClock();
        await AdvanceUntilDoneAsync(RunAsync(clock: clock), clock);
        // Nothing is in doubt of what was never sent, and what was sent is known.
        Assert.InRange(cincopa.Submitted.Count, 1, 29);
        Assert.Equal($"pending {30 - cincopa.Submitted.Count}, submitted {cincopa.Submitted.Count}", await database.SoundCountsAsync(id));
    }

    [Fact]
    public async Task A_beginning_that_the_database_refuses_ends_the_turn_and_the_calls_on_their_way_are_written()
    {
        await RefuseAsync("UPDATE ON importer.import_chunk", $"NEW.import_id = {id} AND 9 = ANY (NEW.on_wire)", "54000");
        var log = new EventSignal("IntentsRefused");
        Assert.Equal(8, await RunAsync(log: log));
        await log.HappenedAsync();
        Assert.Equal("pending 22, submitted 8", await database.SoundCountsAsync(id));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1000)]
    public async Task Answers_wait_for_a_database_that_is_gone_and_none_is_lost(int backlog)
    {
        // With a limit the permits come from the same database.
        await UseAsync(rows: 30, account: await database.AccountAsync(backlog: backlog));
        await using var cut = new CutDatabase(database.ConnectionString);
        var calls = 0;
        cincopa.OnSubmit = async (_, _) =>
        {
            // One lane cuts: several at once would refuse each other, and that refusal would be the call's end.
            if (Interlocked.Increment(ref calls) == Window) await cut.CutAsync(Token);
            return ScriptedCincopa.Accepted();
        };
        var clock = new SteppedClock();
        var log = new EventSignal("AnswersKept");
        var run = RunAsync(limits: new CallLimits(0, backlog, default), source: cut.Source, clock: clock, log: log);
        // An answer could not be written: it is kept and tried again after a second, for as long as it takes.
        await AdvanceUntilAsync(log.HappenedAsync(), clock);
        await AdvanceUntilAsync(log.HappenedAsync(), clock);
        Assert.False(run.IsCompleted);
        await cut.MendAsync(Token);
        cincopa.OnSubmit = (_, _) => Task.FromResult(ScriptedCincopa.Accepted());
        var answered = await AdvanceUntilDoneAsync(run, clock);

        Assert.Equal(cincopa.Submitted.Count, cincopa.Submitted.Distinct().Count());
        Assert.InRange(answered, Window, 30);
        Assert.Equal(cincopa.Submitted.Count == 30 ? "submitted 30"
            : $"pending {30 - cincopa.Submitted.Count}, submitted {cincopa.Submitted.Count}", await database.SoundCountsAsync(id));
    }

    [Fact]
    public async Task Connections_that_break_again_and_again_lose_nothing_and_send_nothing_twice()
    {
        await using var cut = new CutDatabase(database.ConnectionString);
        cincopa.OnSubmit = async (_, _) =>
        {
            // In the middle of intents, of answers, of both: whatever runs when the fifth, tenth, ... call is made.
            if (cincopa.Submitted.Count % 5 == 0) await cut.BreakConnectionsAsync(Token);
            return ScriptedCincopa.Accepted();
        };
        var clock = new SteppedClock();
        for (var round = 0; round < 20 && (await DueAsync()).Count > 0; round++)
            await AdvanceUntilDoneAsync(RunAsync(source: cut.Source, clock: clock), clock);
        Assert.Equal(30, cincopa.Submitted.Distinct().Count());
        Assert.Equal(30, cincopa.Submitted.Count);
        Assert.Equal("submitted 30", await database.SoundCountsAsync(id));
    }

    [Fact]
    public async Task Answers_are_kept_whatever_their_write_fails_by()
    {
        var failures = 0;
        var builder = StoredAsRowAttribute.MapAll(
            new NpgsqlDataSourceBuilder(new NpgsqlConnectionStringBuilder(database.ConnectionString) { Pooling = false }.ConnectionString));
        builder.UsePhysicalConnectionInitializer(_ => FindDead(), _ => Task.Run(FindDead));
        await using var source = builder.Build();
        cincopa.OnSubmit = (_, _) =>
        {
            if (cincopa.Submitted.Count == Window) Volatile.Write(ref failures, 3);
            return Task.FromResult(ScriptedCincopa.Accepted());
        };
        var clock = new SteppedClock();
        var answered = await AdvanceUntilDoneAsync(RunAsync(source: source, clock: clock), clock);

        Assert.True(failures < 0);
        Assert.Equal(cincopa.Submitted.Count, answered - await database.OneAsync<int>(
            "SELECT count(*)::int FROM importer.attempt WHERE import_id = $1 AND outcome = 'not_sent'", id));
        Assert.Equal($"pending {30 - cincopa.Submitted.Count}, submitted {cincopa.Submitted.Count}", await database.SoundCountsAsync(id));

        void FindDead()
        {
            // As a command says of a connection that was found dead since the one before.
            if (Interlocked.Decrement(ref failures) >= 0) throw new InvalidOperationException("Connection is not open");
        }
    }

    private async ValueTask UseAsync(int rows, int? account = null, int window = Window)
    {
        id = await database.ImportAsync(rows, chunkSize: rows, account: account);
        lease = await database.LeaseAsync(id, window: window);
    }

    /// <summary>
    /// The database refuses what fits the condition, with the code, so many times. A sequence counts, because what is undone does not undo
    /// its numbers.
    /// </summary>
    private Task<int> RefuseAsync(string what, string condition, string code, int times = int.MaxValue) => database.SqlAsync($"""
        CREATE SEQUENCE refused_{id}_{code};
        CREATE FUNCTION refuse_{id}_{code}() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF nextval('refused_{id}_{code}') <= {times} THEN RAISE EXCEPTION 'refused' USING ERRCODE = '{code}'; END IF;
            RETURN NEW;
        END $$;
        CREATE TRIGGER refuse_{id}_{code} BEFORE {what} FOR EACH ROW WHEN ({condition}) EXECUTE FUNCTION refuse_{id}_{code}();
        """);

    private AccountHealth Health(CallGovernor? governor = null, NpgsqlDataSource? source = null) => new(
        governor ?? new CallGovernor(database.Source, TimeProvider.System, () => 0.5),
        new AccountBreaker(source ?? database.Source, NullLogger<AccountBreaker>.Instance), Options.Create(accounts));

    private Task<string> StateAsync() => database.OneAsync<string>("SELECT state FROM importer.account WHERE id = $1", lease.AccountId);

    private Task<string> ReasonAsync() => database.OneAsync<string>("SELECT reason FROM importer.account WHERE id = $1", lease.AccountId);

    private Task<bool> BlockedAsync() => database.OneAsync<bool>(
        "SELECT coalesce(blocked_until > now(), false) FROM importer.call_budget WHERE account_id = $1 AND kind = 'submit'",
        lease.AccountId);

    private Task<int> PassBlockAsync() =>
        database.SqlAsync(
            "UPDATE importer.call_budget SET blocked_until = now() - interval '1 ms' WHERE account_id = $1 AND kind = 'submit'",
            lease.AccountId);

    private async Task<int> RunAsync(
        AccountHealth? health = null, CallLimits limits = default, NpgsqlDataSource? source = null, TimeProvider? clock = null,
        ILogger? log = null,
        CancellationToken stopSending = default, CancellationToken abandon = default)
    {
        source ??= database.Source;
        clock ??= TimeProvider.System;
        var governor = new CallGovernor(source, clock, () => 0.5);
        var version = await database.OneAsync<DateTimeOffset>("SELECT updated_at FROM importer.account WHERE id = $1", lease.AccountId);
        var pipeline = new ChunkPipeline(lease, limits,
            new CurrentAccess(new CincopaAccess(new Uri("http://127.0.0.1:9/v2/"), "token"), version) { HasAccepted = hasAccepted }, null,
            new SendingNeeds(new RecordTransitions(source), governor, health
                ?? Health(governor, source), cincopa, PushUnderTest.New(source, cincopa), HostsUnderTest.New(source, clock),
                new RetrySchedule(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(1), () => 0), () => 0, clock),
            log ?? NullLogger.Instance);
        return await pipeline.RunAsync(await DueAsync(), stopSending, abandon);
    }

    private Task<List<DueRecord>> DueAsync() => database.Source.QueryAsync(
        "SELECT row_number, source_url FROM importer.import_record WHERE import_id = $1 AND state = 'pending' ORDER BY 1", r =>
            new DueRecord(r.GetInt32(0), r.GetString(1)), Token, id);

    private static async Task<int> AdvanceUntilDoneAsync(Task<int> run, SteppedClock clock)
    {
        await AdvanceUntilAsync(run, clock);
        return await run;
    }

    private static async Task AdvanceUntilAsync(Task happened, SteppedClock clock)
    {
        while (!happened.IsCompleted)
        {
            clock.Advance(TimeSpan.FromSeconds(1));
            await Task.WhenAny(happened, Task.Delay(5, Token));
        }
        await happened;
    }

    private async Task UntilSubmittedAsync(int calls)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(Token);
        patience.CancelAfter(TimeSpan.FromSeconds(30));
        while (cincopa.Submitted.Count < calls) await Task.Delay(5, patience.Token);
    }

    /// <summary>Waits until the database says so; fails after half a minute.</summary>
    private async Task EventuallyAsync(string question)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(Token);
        patience.CancelAfter(TimeSpan.FromSeconds(30));
        while (!await database.OneAsync<bool>(question, id)) await Task.Delay(5, patience.Token);
    }
}
