using BulkImporter.Accounts;
using BulkImporter.Data;
using BulkImporter.Records;
using BulkImporter.Status;
using BulkImporter.Tests.Accounts;
using Cincopa.Client;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace BulkImporter.Tests.Status;

public sealed class StatusPollerTests(EngineDatabase database) : IClassFixture<EngineDatabase>, IAsyncLifetime
{
    private readonly ScriptedCincopa cincopa = new();
    private readonly ProtectToken tokens = new(new EphemeralDataProtectionProvider());
    private int account;
    private int id;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        // The poller looks at all accounts: what other tests left must not be due.
        await database.SqlAsync("DELETE FROM importer.import");
        await database.SqlAsync("DELETE FROM importer.status_poll");
        await database.SqlAsync("DELETE FROM importer.work_batch");
        account = await database.AccountAsync();
        await database.SqlAsync("UPDATE importer.account SET token_protected = $1", tokens.Protect("token"));
        id = await database.ImportAsync(rows: 3, account: account);
        await database.SubmitAsync(id, 1, 1);
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    [Fact]
    public async Task A_record_is_asked_about_when_it_is_due_and_not_before()
    {
        Assert.Equal(0, await Poller().RunAsync(Token));
        await DueAsync();
        Assert.Equal(1, await Poller().RunAsync(Token));
        Assert.Equal(["st-1-1"], cincopa.Asked);
        Assert.Equal(0, await Poller().RunAsync(Token));
    }

    /// <summary>The claim is one statement over all accounts.</summary>
    [Theory]
    [InlineData(1e300)]
    [InlineData(1e-3)]
    public async Task A_rate_beyond_all_counting_does_not_keep_other_accounts_from_being_asked(double rate)
    {
        var odd = await database.AccountAsync(statusRate: rate);
        try
        {
            await DueAsync();
            Assert.Equal(1, await Poller().RunAsync(Token));
        }
        finally
        {
            await database.SqlAsync("DELETE FROM importer.account WHERE id = $1", odd);
        }
    }

    [Fact]
    public async Task Done_with_the_assets_name_is_imported()
    {
        await AskAsync(new StatusResult.Done(new Rid("Rid1")));
        Assert.Equal("imported attempt 1 left 4 st-1-1 Rid1", await database.RecordAsync(id, 1));
        Assert.Equal("pending 2, imported 1", await database.SoundCountsAsync(id));
    }

    /// <summary>A rerun holds the chunks of its import for as long as it takes, and the leases of others must be renewed meanwhile.</summary>
    [Fact]
    public async Task Who_waits_for_the_chunks_of_one_import_holds_none_of_another()
    {
        var other = await database.ImportAsync(rows: 3, account: account);
        await database.SubmitAsync(other, 1, 1);
        cincopa.OnStatus = status => new StatusResult.Done(new Rid($"of-{status}"));
        await DueAsync();
        await using var rerun = await database.Source.OpenConnectionAsync(Token);
        await using var transaction = await rerun.BeginTransactionAsync(Token);
        await rerun.ExecuteAsync("SELECT 1 FROM importer.import_chunk WHERE import_id = $1 FOR UPDATE", Token, other);
        var polling = Poller().RunAsync(Token);
        while (!await database.OneAsync<bool>(
            "SELECT EXISTS (SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock')"))
        {
            Assert.False(polling.IsCompleted);
            await Task.Delay(5, Token);
        }
        await database.SqlAsync("SELECT 1 FROM importer.import_chunk WHERE import_id = $1 FOR UPDATE NOWAIT", id);
        await transaction.RollbackAsync(Token);
        await polling;
        Assert.Equal("pending 2, imported 1", await database.SoundCountsAsync(id));
        Assert.Equal("pending 2, imported 1", await database.SoundCountsAsync(other));
    }

    [Theory]
    [InlineData(RemoteErrorKind.SourceNotFound, "failed attempt 1 left 4 st-1-1 source_not_found")]
    [InlineData(RemoteErrorKind.UnsupportedMedia, "failed attempt 1 left 4 st-1-1 unsupported_media")]
    [InlineData(RemoteErrorKind.Aborted, "failed attempt 1 left 4 st-1-1 remote_aborted")]
    [InlineData(RemoteErrorKind.SourceTimeout, "pending attempt 1 left 4 st-1-1 source_timeout")]
    [InlineData(RemoteErrorKind.ServerError, "pending attempt 1 left 4 st-1-1 remote_error")]
    [InlineData(RemoteErrorKind.UnreadableReply, "unknown attempt 1 left 4 st-1-1 reply_unreadable")]
    public async Task A_failed_import_is_judged_by_its_class(RemoteErrorKind kind, string expected)
    {
        await AskAsync(new StatusResult.Failed(ScriptedCincopa.Error(kind)));
        Assert.Equal(expected, await database.RecordAsync(id, 1));
        await database.AssertSoundAsync(id);
    }

    [Fact]
    public async Task A_full_quota_that_the_status_tells_is_the_accounts_trouble_and_costs_the_record_no_attempt()
    {
        await database.SqlAsync("UPDATE importer.import_record SET attempts_left = 0 WHERE import_id = $1 AND row_number = 1", id);
        await AskAsync(new StatusResult.Failed(ScriptedCincopa.Error(RemoteErrorKind.QuotaExceeded)));
        Assert.Equal("pending attempt 1 left 1 st-1-1 quota_exceeded", await database.RecordAsync(id, 1));
        Assert.Equal("suspended", await database.OneAsync<string>("SELECT state FROM importer.account WHERE id = $1", account));
        await database.AssertSoundAsync(id);
    }

    [Fact]
    public async Task A_page_for_a_ticket_says_that_it_is_lost_where_the_API_answers_otherwise_and_nothing_where_it_does_not()
    {
        var page = new StatusResult.NotFound(ScriptedCincopa.Error(RemoteErrorKind.NotTheApi));
        await AgeAsync("not_found_since", "11 minutes");
        cincopa.OnPing = () => new PingResult.Failed(ScriptedCincopa.Error(RemoteErrorKind.NotTheApi));
        await AskAsync(page);
        Assert.Equal(RecordState.Submitted, await database.StateAsync(id, 1));
        Assert.Equal("suspended", await database.OneAsync<string>("SELECT state FROM importer.account WHERE id = $1", account));

        await database.SqlAsync("UPDATE importer.account SET state = 'active' WHERE id = $1", account);
        cincopa.OnPing = () => new PingResult.Ok("account", null, null);
        await AskAsync(page);
        Assert.Equal("unknown attempt 1 left 4 st-1-1 status_lost", await database.RecordAsync(id, 1));
    }

    [Fact]
    public async Task An_answer_that_cannot_be_stored_leaves_its_own_record_in_doubt_and_the_others_are_concluded()
    {
        await database.SubmitAsync(id, 1, 2, 3);
        await database.SqlAsync("ALTER TABLE importer.import_record ADD CONSTRAINT refuses_one CHECK (rid <> 'refused')");
        cincopa.OnStatus = ticket => new StatusResult.Done(new Rid(ticket == "st-2-1" ? "refused" : $"r-{ticket}"));
        await DueAsync();
        Assert.Equal(3, await Poller().RunAsync(Token));
        Assert.Equal("imported 2, unknown 1", await database.SoundCountsAsync(id));
        Assert.Equal("unknown attempt 1 left 4 st-2-1 reply_unreadable", await database.RecordAsync(id, 2));
    }

    [Fact]
    public async Task What_a_round_does_not_come_to_in_half_of_the_claim_is_left_to_the_claims_end()
    {
        await database.SubmitAsync(id, 1, 2, 3);
        var clock = new SteppedClock();
        cincopa.OnStatus = _ =>
        {
            clock.Advance(TimeSpan.FromSeconds(cincopa.Asked.Count == 1 ? 14 : 2));
            return new StatusResult.Running(null, null, null, null, null);
        };
        await DueAsync();
        Assert.Equal(3, await Poller(clock: clock).RunAsync(Token));
        Assert.Equal(2, cincopa.Asked.Count);
        Assert.Equal("2 1", await database.OneAsync<string>("""
            SELECT concat_ws(' ',
                (SELECT count(*) FROM importer.status_poll WHERE import_id = $1 AND next_poll_at > now() + interval '31 seconds'),
                (SELECT sum(cardinality(rows)) FROM importer.work_batch
                    WHERE import_id = $1 AND next_at BETWEEN now() AND now() + interval '30 seconds'))
            """, id));
    }

    [Fact]
    public async Task With_a_rate_no_more_are_claimed_than_it_lets_through_in_a_part_of_the_claims_time()
    {
        await database.SubmitAsync(id, 1, 2, 3);
        await database.LookedAsync();
        await database.SqlAsync("UPDATE importer.account SET status_rate = 0.4 WHERE id = $1", account);
        await DueAsync();
        Assert.Equal(2, await Poller().RunAsync(Token));
    }

    [Fact]
    public async Task Progress_is_kept_and_a_word_that_nobody_knows_is_taken_as_running()
    {
        await AskAsync(new StatusResult.Running(40, 4_000, 10_000, new Rid("early"), null));
        await AskAsync(new StatusResult.Running(null, null, null, null, "Pondering"));
        Assert.Equal("submitted attempt 1 left 4 st-1-1", await database.RecordAsync(id, 1));
        Assert.Equal("40 4000 10000", await PollAsync("concat_ws(' ', progress_percent, progress_bytes, total_bytes)"));
    }

    [Fact]
    public async Task Progress_moves_the_stall_timer_and_standing_still_does_not()
    {
        await AgeAsync("moved_at", "1 hour");
        await AskAsync(new StatusResult.Running(10, 100, 1000, null, null));
        Assert.Equal("true", await PollAsync("(moved_at > now() - interval '1 minute')::text"));
        await AgeAsync("moved_at", "1 hour");
        await AskAsync(new StatusResult.Running(10, 100, 1000, null, null));
        Assert.Equal("false", await PollAsync("(moved_at > now() - interval '1 minute')::text"));
    }

    [Fact]
    public async Task Done_without_a_name_waits_for_it_and_is_imported_when_it_comes()
    {
        await AskAsync(new StatusResult.DoneWithoutRid());
        Assert.Equal(RecordState.Submitted, await database.StateAsync(id, 1));
        await AskAsync(new StatusResult.Done(new Rid("Late")));
        Assert.Equal(RecordState.Imported, await database.StateAsync(id, 1));
    }

    [Fact]
    public async Task The_grace_for_the_name_begins_when_it_is_first_missing_however_long_the_import_took()
    {
        await AgeAsync("moved_at", "2 hours");
        await AskAsync(new StatusResult.DoneWithoutRid());
        Assert.Equal(RecordState.Submitted, await database.StateAsync(id, 1));
        await AgeAsync("not_found_since", "9 minutes");
        await AskAsync(new StatusResult.DoneWithoutRid());
        Assert.Equal(RecordState.Submitted, await database.StateAsync(id, 1));
        await AgeAsync("not_found_since", "11 minutes");
        await AskAsync(new StatusResult.DoneWithoutRid());
        Assert.Equal("unknown attempt 1 left 4 st-1-1 asset_unnamed", await database.RecordAsync(id, 1));
    }

    [Fact]
    public async Task A_lost_ticket_is_asked_again_through_its_grace_and_unknown_after_it()
    {
        var missing = new StatusResult.NotFound(ScriptedCincopa.Error(RemoteErrorKind.UnknownStatusId));
        await AskAsync(missing);
        await AgeAsync("not_found_since", "9 minutes");
        await AskAsync(missing);
        Assert.Equal(RecordState.Submitted, await database.StateAsync(id, 1));
        await AgeAsync("not_found_since", "11 minutes");
        await AskAsync(missing);
        Assert.Equal("unknown attempt 1 left 4 st-1-1 status_lost", await database.RecordAsync(id, 1));
        await database.AssertSoundAsync(id);
    }

    [Fact]
    public async Task A_ticket_that_is_found_again_gets_its_whole_grace_the_next_time()
    {
        var missing = new StatusResult.NotFound(ScriptedCincopa.Error(RemoteErrorKind.UnknownStatusId));
        await AskAsync(missing);
        await AgeAsync("not_found_since", "11 minutes");
        await AskAsync(new StatusResult.Running(null, null, null, null, null));
        await AskAsync(missing);
        Assert.Equal(RecordState.Submitted, await database.StateAsync(id, 1));
    }

    [Fact]
    public async Task A_status_call_that_does_not_work_changes_nothing_on_the_record_and_keeps_everyone_from_asking()
    {
        await database.SubmitAsync(id, 1, 2, 3);
        await AskAsync(new StatusResult.Unavailable(ScriptedCincopa.Error(RemoteErrorKind.ServerError)));
        Assert.Single(cincopa.Asked);
        Assert.Equal("submitted 3", await database.SoundCountsAsync(id));

        await DueAsync();
        Assert.Equal(0, await Poller().RunAsync(Token));
        await database.SqlAsync("UPDATE importer.call_budget SET blocked_until = now() WHERE account_id = $1", account);
        await AskAsync(new StatusResult.Done(new Rid("R")), records: 3);
        Assert.Equal("imported 3", await database.SoundCountsAsync(id));
    }

    [Fact]
    public async Task An_import_that_never_ends_is_unknown_after_the_deadline_and_submitted_until_then()
    {
        await AgeAsync("submitted_at", "2 days 23 hours");
        await AskAsync(new StatusResult.Running(99, null, null, null, null));
        Assert.Equal(RecordState.Submitted, await database.StateAsync(id, 1));
        await AgeAsync("submitted_at", "3 days 1 hour");
        await AskAsync(new StatusResult.Running(99, null, null, null, null));
        Assert.Equal("unknown attempt 1 left 4 st-1-1 deadline_exceeded", await database.RecordAsync(id, 1));
    }

    [Fact]
    public async Task Two_pollers_side_by_side_ask_about_each_record_once_and_conclude_it_once()
    {
        var many = await database.ImportAsync(rows: 60, chunkSize: 20, account: account);
        for (var chunk = 1; chunk <= 3; chunk++) await database.SubmitAsync(many, chunk, [.. Enumerable.Range((chunk - 1) * 20 + 1, 20)]);
        cincopa.OnStatus = ticket => new StatusResult.Done(new Rid("rid-" + ticket));
        await DueAsync();
        var asked = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(() => Poller(inFlight: 5).RunAsync(Token))));
        while (await Poller(inFlight: 5).RunAsync(Token) is > 0 and var more) asked = [.. asked, more];
        Assert.Equal((61, 61), (asked.Sum(), cincopa.Asked.Count));
        Assert.Equal("imported 60", await database.SoundCountsAsync(many));
    }

    // --- the first look, by the batch

    [Fact]
    public async Task A_first_look_costs_a_record_no_row_unless_it_does_not_end_it()
    {
        await database.SubmitAsync(id, 1, 2, 3);
        Assert.Equal(2L, await BatchesAsync());
        cincopa.OnStatus = ticket => ticket switch
        {
            "st-1-1" => new StatusResult.Done(new Rid("r1")),
            "st-2-1" => new StatusResult.Failed(ScriptedCincopa.Error(RemoteErrorKind.SourceNotFound)),
            _ => new StatusResult.Running(40, 4_000, 10_000, null, null),
        };
        await DueAsync();
        Assert.Equal(3, await Poller().RunAsync(Token));

        Assert.Equal("submitted 1, imported 1, failed 1", await database.SoundCountsAsync(id));
        Assert.Equal(0L, await BatchesAsync());
        Assert.Equal("3 st-3-1 40", await database.OneAsync<string>("""
            SELECT string_agg(concat_ws(' ', row_number, status_id, progress_percent), ', ') FROM importer.status_poll
            """));
        // What it imported, the record tells; what failed is history.
        Assert.Equal(["1 imported st-1-1"], await database.AttemptsAsync(id, 1));
        Assert.Equal(["1 source_not_found st-2-1"], await database.AttemptsAsync(id, 2));
        Assert.Equal(1L, await database.OneAsync<long>("SELECT count(*) FROM importer.attempt WHERE import_id = $1", id));
    }

    [Fact]
    public async Task A_batch_in_which_a_record_waits_that_is_not_submitted_any_more_goes_all_the_same()
    {
        await database.SubmitAsync(id, 1, 2, 3);
        await database.Transitions.ConcludedAsync(
            [new(id, 2, new StatusId("st-2-1"), RecordState.Imported, new Rid("r2"), null, null, null)], Token);
        cincopa.OnStatus = ticket => new StatusResult.Done(new Rid($"r-{ticket}"));
        await DueAsync();
        Assert.Equal(2, await Poller().RunAsync(Token));
        Assert.Equal(["st-1-1", "st-3-1"], cincopa.Asked.Order());
        Assert.Equal("imported 3", await database.SoundCountsAsync(id));
        Assert.Equal(0L, await BatchesAsync());
    }

    [Fact]
    public async Task An_account_with_a_rate_has_batches_that_a_claim_can_ask_about_and_claims_no_more_than_that()
    {
        await database.SqlAsync("UPDATE importer.account SET status_rate = 0.4 WHERE id = $1", account);
        var slow = await database.ImportAsync(rows: 9, chunkSize: 9, account: account);
        await database.SubmitAsync(slow, 1, [.. Enumerable.Range(1, 9)]);
        Assert.Equal(["1", "2", "2", "2", "2"], await database.Source.QueryAsync(
            "SELECT cardinality(rows)::text FROM importer.work_batch WHERE import_id = $1 ORDER BY 1", r => r.GetString(0), Token, slow));
        await database.SqlAsync("DELETE FROM importer.work_batch WHERE import_id <> $1", slow);
        cincopa.OnStatus = ticket => new StatusResult.Done(new Rid($"r-{ticket}"));
        await DueAsync();
        Assert.InRange(await Poller().RunAsync(Token), 1, 2);
    }

    private Task<long> BatchesAsync() => database.OneAsync<long>("SELECT count(*) FROM importer.work_batch WHERE step = 'look'");

    [Fact]
    public async Task A_poller_that_dies_leaves_a_claim_that_runs_out()
    {
        await DueAsync();
        // What it was told is never written: its way to the database is gone, and then the process.
        await using var cut = new CutDatabase(database.ConnectionString);
        using var death = new CancellationTokenSource();
        cincopa.OnStatus = _ =>
        {
            cut.CutAsync(Token).GetAwaiter().GetResult();
            death.Cancel();
            return new StatusResult.Done(new Rid("R"));
        };
        Assert.Equal(1, await Poller(source: cut.Source).RunAsync(death.Token));
        Assert.Equal(RecordState.Submitted, await database.StateAsync(id, 1));
        Assert.True(await database.OneAsync<bool>("SELECT next_at BETWEEN now() AND now() + interval '30 seconds' FROM importer.work_batch"));
        await AskAsync(new StatusResult.Done(new Rid("R")));
        Assert.Equal(RecordState.Imported, await database.StateAsync(id, 1));
    }

    [Fact]
    public async Task A_status_that_cannot_be_read_leaves_the_others_concluded_and_its_record_in_doubt_after_the_grace()
    {
        await database.SubmitAsync(id, 1, 2, 3);
        cincopa.OnStatus = ticket => ticket == "st-2-1"
            ? throw new FormatException("An odd reply.") : new StatusResult.Done(new Rid($"r-{ticket}"));
        await DueAsync();
        Assert.Equal(3, await Poller().RunAsync(Token));
        Assert.Equal("submitted 1, imported 2", await database.SoundCountsAsync(id));

        Assert.Equal(1,
            await database.SqlAsync(
                "UPDATE importer.status_poll SET not_found_since = now() - interval '11 minutes' WHERE import_id = $1 AND row_number = 2",
                id));
        await DueAsync();
        Assert.Equal(1, await Poller().RunAsync(Token));
        Assert.Equal("unknown attempt 1 left 4 st-2-1 reply_unreadable", await database.RecordAsync(id, 2));
        Assert.Equal("Its status could not be read for 00:10:00: FormatException: An odd reply.",
            await database.OneAsync<string>("SELECT error_message FROM importer.import_record WHERE import_id = $1 AND row_number = 2",
                id));
    }

    [Fact]
    public async Task A_suspended_account_is_not_polled_and_is_again_after_it_was_resumed()
    {
        await DueAsync();
        await database.SqlAsync("UPDATE importer.account SET state = 'suspended' WHERE id = $1", account);
        Assert.Equal(0, await Poller().RunAsync(Token));
        await database.SqlAsync("UPDATE importer.account SET state = 'active' WHERE id = $1", account);
        Assert.Equal(1, await Poller().RunAsync(Token));
    }

    [Fact]
    public async Task Rejected_credentials_of_status_calls_suspend_the_account_too()
    {
        for (var n = 0; n < 3; n++) await AskAsync(new StatusResult.Unavailable(ScriptedCincopa.Error(RemoteErrorKind.TokenRejected)));
        Assert.Equal("suspended", await database.OneAsync<string>("SELECT state FROM importer.account WHERE id = $1", account));
        Assert.Equal(RecordState.Submitted, await database.StateAsync(id, 1));
    }

    [Fact]
    public async Task A_record_of_a_paused_or_cancelled_import_is_followed_to_its_end()
    {
        await database.CancelAsync(id);
        await AskAsync(new StatusResult.Done(new Rid("R")));
        Assert.Equal("imported 1, cancelled 2", await database.SoundCountsAsync(id));
    }

    private StatusPoller Poller(int inFlight = 1, TimeProvider? clock = null, NpgsqlDataSource? source = null)
    {
        clock ??= TimeProvider.System;
        source ??= database.Source;
        return new(Rounds.Over(source, tokens, cincopa, clock, work: new WorkOptions { Workers = 1, Window = inFlight }),
            new RecordTransitions(source), HostsUnderTest.New(source),
            new PollSchedule(TimeSpan.FromSeconds(60), TimeSpan.FromSeconds(60), () => 0.5),
            new RetrySchedule(TimeSpan.Zero, TimeSpan.Zero, () => 0), NullLogger<StatusPoller>.Instance);
    }

    /// <summary>One round in which everything is due and the remote side says <paramref name="answer"/>.</summary>
    private async Task AskAsync(StatusResult answer, int? records = null)
    {
        cincopa.OnStatus = _ => answer;
        await DueAsync();
        var asked = await Poller().RunAsync(Token);
        if (records is { } expected) Assert.Equal(expected, asked);
    }

    private async Task DueAsync()
    {
        await database.SqlAsync("UPDATE importer.status_poll SET next_poll_at = now() WHERE account_id = $1", account);
        await database.SqlAsync("UPDATE importer.work_batch SET next_at = now() WHERE account_id = $1", account);
    }

    private async Task AgeAsync(string column, string age)
    {
        await database.LookedAsync();
        Assert.Equal(1,
            await database.SqlAsync(
                $"UPDATE importer.status_poll SET {column} = now() - interval '{age}' WHERE import_id = $1 AND row_number = 1", id));
    }

    private Task<string> PollAsync(string expression) =>
        database.OneAsync<string>($"SELECT {expression} FROM importer.status_poll WHERE import_id = $1 AND row_number = 1", id);
}
