using BulkImporter.Imports;
using BulkImporter.Records;
using BulkImporter.Rerun;
using Cincopa.Client;

namespace BulkImporter.Tests.Records;

public sealed class RecordTransitionsTests(EngineDatabase database) : IClassFixture<EngineDatabase>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    // --- intents

    [Fact]
    public async Task Intents_are_committed_under_a_live_lease_of_a_running_import()
    {
        var id = await database.ImportAsync(rows: 3);
        var lease = await database.LeaseAsync(id);
        var intents = await database.Transitions.SubmittingAsync(lease, [1, 3], Token);
        Assert.Equal([(1, 1), (3, 1)], EngineDatabase.Numbers(intents));
        Assert.Equal("pending 1, submitting 2", await database.SoundCountsAsync(id));
        Assert.Equal(["1 open"], await database.AttemptsAsync(id, 1));
    }

    [Theory]
    [InlineData("the lease ran out", "UPDATE importer.import_chunk SET lease_until = now() - interval '1 ms' WHERE import_id = $1")]
    [InlineData("another holds it", "UPDATE importer.import_chunk SET lease_token = gen_random_uuid() WHERE import_id = $1")]
    [InlineData("the import is paused", "UPDATE importer.import SET state = 'paused' WHERE id = $1")]
    [InlineData("the import is cancelled", "UPDATE importer.import SET state = 'cancelled', finished_at = now() WHERE id = $1")]
    [InlineData("the account is suspended",
        "UPDATE importer.account SET state = 'suspended' WHERE id = (SELECT account_id FROM importer.import WHERE id = $1)")]
    [InlineData("the account is blocked",
        "UPDATE importer.call_budget SET blocked_until = now() + interval '1 minute' WHERE kind = 'submit' AND account_id = (SELECT "
            + "account_id FROM importer.import WHERE id = $1)")]
    public async Task No_intent_is_committed_when(string what, string change)
    {
        var id = await database.ImportAsync(rows: 2);
        var lease = await database.LeaseAsync(id);
        Assert.True(await database.SqlAsync(change, id) > 0, what);
        Assert.Empty(await database.Transitions.SubmittingAsync(lease, [1, 2], Token));
        Assert.Equal("pending 2", await database.SoundCountsAsync(id));
    }

    [Fact]
    public async Task A_block_that_has_passed_and_a_block_on_status_calls_hold_no_intent_back()
    {
        var id = await database.ImportAsync(rows: 1);
        await database.SqlAsync("""
            UPDATE importer.call_budget SET blocked_until = CASE kind WHEN 'submit' THEN now() - interval '1 second'
                ELSE now() + interval '1 hour' END
            WHERE account_id = (SELECT account_id FROM importer.import WHERE id = $1)
            """, id);
        Assert.Single(await database.Transitions.SubmittingAsync(await database.LeaseAsync(id), [1], Token));
    }

    [Fact]
    public async Task Of_two_workers_that_believe_to_hold_the_chunk_only_the_one_with_its_lease_commits_intents()
    {
        var id = await database.ImportAsync(rows: 20, chunkSize: 20);
        var old = await database.LeaseAsync(id, worker: "first");
        var current = await database.LeaseAsync(id, worker: "second");
        int[] rows = [.. Enumerable.Range(1, 20)];
        var both = await Task.WhenAll(
            Task.Run(() => database.Transitions.SubmittingAsync(old, rows, Token)),
            Task.Run(() => database.Transitions.SubmittingAsync(current, rows, Token)));
        Assert.Equal((0, 20), (both[0].Count, both[1].Count));
        await database.AssertSoundAsync(id);
    }

    [Fact]
    public async Task A_worker_that_lost_the_acknowledgement_of_its_commit_finds_its_own_open_intents_and_no_others()
    {
        var id = await database.ImportAsync(rows: 4, chunkSize: 4);
        await database.Transitions.SubmittingAsync(await database.LeaseAsync(id, worker: "another"), [1], Token);
        await database.ExpireAsync(id);
        await database.Transitions.RescuedAsync(id, 1, Token);
        var lease = await database.LeaseAsync(id);
        var begun = await database.Transitions.SubmittingAsync(lease, [2, 3], Token);
        await database.AnswerAsync(lease, EngineDatabase.Accepted(begun.Single(i => i.RowNumber == 3)));
        Assert.Equal([(2, 1)], EngineDatabase.Numbers(await database.Transitions.OpenIntentsAsync(lease, [1, 2, 3, 4], Token)));

        // The rescue took it for sent. Its worker knows better.
        await database.ExpireAsync(id);
        await database.Transitions.RescuedAsync(id, 1, Token);
        Assert.Equal("unknown attempt 1 left 4 worker_lost", await database.RecordAsync(id, 2));
        Assert.Equal([(2, 1)], EngineDatabase.Numbers(await database.Transitions.OpenIntentsAsync(lease, [1, 2, 3, 4], Token)));
        await database.AnswerAsync(lease, BulkImporter.Dispatch.Verdict.NotSent(new Intent(2, 1, ImporterDatabase.Now)));
        Assert.Equal("pending attempt 1 left 5 not_sent", await database.RecordAsync(id, 2));
        Assert.Equal(["1 not_sent"], await database.AttemptsAsync(id, 2));
    }

    [Fact]
    public async Task What_the_same_worker_began_under_a_later_lease_is_not_taken_for_an_intent_of_the_earlier_one()
    {
        var id = await database.ImportAsync(rows: 2, chunkSize: 2);
        var old = await database.LeaseAsync(id);
        await database.Transitions.SubmittingAsync(old, [1], Token);
        await database.ExpireAsync(id);
        await database.Transitions.RescuedAsync(id, 1, Token);
        var current = await database.LeaseAsync(id);
        Assert.Equal(old.Worker, current.Worker);
        await database.Transitions.SubmittingAsync(current, [2], Token);
        Assert.Equal([(1, 1)], EngineDatabase.Numbers(await database.Transitions.OpenIntentsAsync(old, [1, 2], Token)));
        Assert.Equal([(2, 1)], EngineDatabase.Numbers(await database.Transitions.OpenIntentsAsync(current, [1, 2], Token)));
    }

    [Fact]
    public async Task What_is_on_the_wire_is_submitting_to_whoever_reads_and_costs_its_record_no_write()
    {
        var id = await database.ImportAsync();
        var before = await VersionsAsync();
        await database.Transitions.SubmittingAsync(await database.LeaseAsync(id), [1, 3], Token);
        Assert.Equal(before, await VersionsAsync());
        Assert.Equal(0L, await database.OneAsync<long>("SELECT count(*) FROM importer.attempt WHERE import_id = $1", id));

        var records = new ReadRecords(database.Contexts);
        var shown = await records.ListAsync(id, new RecordFilter { State = RecordState.Submitting }, 0, 10, Token);
        Assert.Equal([1, 3], shown.Items.Select(r => r.RowNumber));
        Assert.All(shown.Items, r => Assert.Equal((RecordState.Submitting, 1), (r.State, r.Attempts)));
        Assert.Equal([2], (await records.ListAsync(id, new RecordFilter { State = RecordState.Pending }, 0, 10, Token)).Items.Select(r => r.RowNumber));
        var attempt = Assert.Single((await records.FindAsync(id, 1, Token))!.Attempts);
        Assert.Equal((1, null, EngineDatabase.Worker), (attempt.Number, attempt.Outcome, attempt.Worker!.Split(':')[0]));
        Assert.Equal("pending 1, submitting 2", await database.SoundCountsAsync(id));

        Task<string> VersionsAsync() => database.OneAsync<string>(
            "SELECT string_agg(xmin::text, ' ' ORDER BY row_number) FROM importer.import_record WHERE import_id = $1", id);
    }

    // --- answers

    [Fact]
    public async Task An_accepted_record_is_submitted_and_followed_from_then_on()
    {
        var id = await database.ImportAsync();
        await database.SubmitAsync(id, 1, 1);
        Assert.Equal("submitted attempt 1 left 4 st-1-1", await database.RecordAsync(id, 1));
        Assert.Equal(["1 accepted st-1-1"], await database.AttemptsAsync(id, 1));
        Assert.Equal("pending 2, submitted 1", await database.SoundCountsAsync(id));
    }

    [Fact]
    public async Task Answers_and_the_intents_that_take_their_place_are_one_transaction()
    {
        var id = await database.ImportAsync();
        var lease = await database.LeaseAsync(id);
        var first = await database.Transitions.SubmittingAsync(lease, [1], Token);
        var (late, begun) = await database.Transitions.AnsweredAndSubmittingAsync(lease, [EngineDatabase.Accepted(first[0])], [2],
            TimeSpan.Zero, Token);
        Assert.Empty(late);
        Assert.Equal([(2, 1)], EngineDatabase.Numbers(begun));
        Assert.Equal("pending 1, submitting 1, submitted 1", await database.SoundCountsAsync(id));
        Assert.True(await database.OneAsync<bool>("""
            SELECT r.xmin = c.xmin FROM importer.import_record r JOIN importer.import_chunk c ON c.import_id = r.import_id
            WHERE r.import_id = $1 AND r.row_number = 1 AND c.number = 1
            """, id));
    }

    [Fact]
    public async Task Answers_are_written_also_when_nothing_may_begin_in_their_place()
    {
        var id = await database.ImportAsync();
        var lease = await database.LeaseAsync(id);
        var first = await database.Transitions.SubmittingAsync(lease, [1], Token);
        await database.SqlAsync("UPDATE importer.import SET state = 'paused' WHERE id = $1", id);
        var (late, begun) = await database.Transitions.AnsweredAndSubmittingAsync(lease, [EngineDatabase.Accepted(first[0])], [2],
            TimeSpan.Zero, Token);
        Assert.Empty(late);
        Assert.Empty(begun);
        Assert.Equal("pending 2, submitted 1", await database.SoundCountsAsync(id));
    }

    [Fact]
    public async Task Answers_written_twice_change_nothing()
    {
        var id = await database.ImportAsync(rows: 4, chunkSize: 4);
        var lease = await database.LeaseAsync(id);
        var intents = (await database.Transitions.SubmittingAsync(lease, [1, 2, 3, 4], Token)).OrderBy(i => i.RowNumber).ToArray();
        Answer[] answers =
        [
            EngineDatabase.Accepted(intents[0]),
            EngineDatabase.Failed(intents[1], RecordState.Pending, FailureCode.RateLimited),
            EngineDatabase.Failed(intents[2], RecordState.Failed, FailureCode.InvalidInput),
            EngineDatabase.Failed(intents[3], RecordState.Unknown, FailureCode.ReplyTimeout),
        ];
        Assert.Empty(await database.AnswerAsync(lease, answers));
        var once = await database.RecordsAsync(id);
        Assert.Empty(await database.AnswerAsync(lease, answers));
        Assert.Equal(once, await database.RecordsAsync(id));
        Assert.Equal(["1 rate_limited"], await database.AttemptsAsync(id, 2));
        Assert.Equal("pending 1, submitted 1, failed 1, unknown 1", await database.SoundCountsAsync(id));
    }

    [Fact]
    public async Task An_answer_to_an_attempt_that_is_not_the_current_one_does_not_touch_the_record()
    {
        var id = await database.ImportAsync();
        var lease = await database.LeaseAsync(id);
        var first = (await database.Transitions.SubmittingAsync(lease, [1], Token))[0];
        await database.AnswerAsync(lease, EngineDatabase.Failed(first, RecordState.Pending, FailureCode.RemoteError));
        var second = (await database.Transitions.SubmittingAsync(lease, [1], Token))[0];

        await database.AnswerAsync(lease, EngineDatabase.Failed(first, RecordState.Failed, FailureCode.InvalidInput));
        Assert.Equal("submitting attempt 2 left 3 remote_error", await database.RecordAsync(id, 1));
        await database.AnswerAsync(lease, EngineDatabase.Accepted(second));
        Assert.Equal("submitted attempt 2 left 3 st-1-2", await database.RecordAsync(id, 1));
        Assert.Equal(["1 remote_error", "2 accepted st-1-2"], await database.AttemptsAsync(id, 1));
    }

    [Fact]
    public async Task A_late_answer_resolves_the_doubt_that_the_rescue_left()
    {
        var id = await database.ImportAsync();
        var lease = await database.LeaseAsync(id);
        var intents = await database.Transitions.SubmittingAsync(lease, [1, 2], Token);
        await database.ExpireAsync(id);
        Assert.Equal(2, await database.Transitions.RescuedAsync(id, 1, Token));
        Assert.Equal("unknown attempt 1 left 4 worker_lost", await database.RecordAsync(id, 1));

        // Somebody else works on the chunk by now; the answer is the worker's who lost it.
        await database.LeaseAsync(id, worker: "another");
        Assert.Empty(await database.AnswerAsync(lease, [.. intents.Select(EngineDatabase.Accepted)]));
        Assert.Equal("submitted attempt 1 left 4 st-1-1", await database.RecordAsync(id, 1));
        Assert.Equal(["1 accepted st-1-1"], await database.AttemptsAsync(id, 1));
        Assert.Equal("pending 1, submitted 2", await database.SoundCountsAsync(id));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_late_acceptance_after_a_resubmission_shows_that_the_source_was_imported_twice(bool againInFlight)
    {
        var id = await database.ImportAsync();
        var lost = await database.LeaseAsync(id);
        var first = (await database.Transitions.SubmittingAsync(lost, [1], Token))[0];
        await database.ExpireAsync(id);
        await database.Transitions.RescuedAsync(id, 1, Token);
        Assert.Equal(1,
            Assert.IsType<RerunDone>(await database.RerunAsync(id, new RecordFilter { State = RecordState.Unknown })).Rerun);
        var state = "pending attempt 1 left 5";
        if (againInFlight)
        {
            await database.SubmitAsync(id, 1, 1);
            state = "submitted attempt 2 left 4 st-1-2";
        }
        Assert.Equal(state, await database.RecordAsync(id, 1));

        var late = await database.AnswerAsync(lost, EngineDatabase.Accepted(first));
        Assert.Equal([first.RowNumber], late.Select(a => a.RowNumber));
        Assert.Equal($"{state} twice", await database.RecordAsync(id, 1));
        Assert.Equal("1 accepted st-1-1", (await database.AttemptsAsync(id, 1))[0]);
        await database.AssertSoundAsync(id);
    }

    [Fact]
    public async Task A_retryable_failure_is_pending_until_the_last_attempt_and_failed_after_it()
    {
        var id = await database.ImportAsync(rows: 1, maxAttempts: 2);
        var lease = await database.LeaseAsync(id);
        async Task<string> FailAsync()
        {
            var intent = (await database.Transitions.SubmittingAsync(lease, [1], Token))[0];
            await database.AnswerAsync(lease, EngineDatabase.Failed(intent, RecordState.Pending, FailureCode.RemoteError));
            return await database.RecordAsync(id, 1);
        }
        Assert.Equal("pending attempt 1 left 1 remote_error", await FailAsync());
        Assert.Equal("failed attempt 2 left 0 remote_error", await FailAsync());
        Assert.Empty(await database.Transitions.SubmittingAsync(lease, [1], Token));
        Assert.Equal("failed 1", await database.SoundCountsAsync(id));
    }

    [Fact]
    public async Task A_failure_that_is_not_the_rows_gives_the_attempt_back_however_often()
    {
        var id = await database.ImportAsync(rows: 1, maxAttempts: 1);
        var lease = await database.LeaseAsync(id);
        for (var n = 1; n <= 3; n++)
        {
            var intent = (await database.Transitions.SubmittingAsync(lease, [1], Token))[0];
            await database.AnswerAsync(lease, EngineDatabase.Failed(intent, RecordState.Pending, FailureCode.TokenRejected));
            Assert.Equal($"pending attempt {n} left 1 token_rejected", await database.RecordAsync(id, 1));
        }
        await database.AssertSoundAsync(id);
    }

    // --- conclusions

    [Fact]
    public async Task Only_the_status_of_the_current_ticket_concludes_a_record_and_only_once()
    {
        var id = await database.ImportAsync();
        await database.SubmitAsync(id, 1, 1);
        Assert.Equal(0, await database.ConcludeAsync(id, 1, "st-of-before", RecordState.Imported));
        Assert.Equal("submitted attempt 1 left 4 st-1-1", await database.RecordAsync(id, 1));
        Assert.Equal(1, await database.ConcludeAsync(id, 1, "st-1-1", RecordState.Imported));
        Assert.Equal(0, await database.ConcludeAsync(id, 1, "st-1-1", RecordState.Failed, FailureCode.SourceNotFound));
        Assert.Equal("imported attempt 1 left 4 st-1-1 rid1", await database.RecordAsync(id, 1));
        Assert.Equal(["1 imported st-1-1"], await database.AttemptsAsync(id, 1));
        Assert.Equal("pending 2, imported 1", await database.SoundCountsAsync(id));
    }

    [Fact]
    public async Task A_failed_remote_import_is_tried_again_while_attempts_are_left()
    {
        var id = await database.ImportAsync(rows: 1, maxAttempts: 2);
        await database.SubmitAsync(id, 1, 1);
        await database.ConcludeAsync(id, 1, "st-1-1", RecordState.Pending, FailureCode.SourceTimeout);
        Assert.Equal("pending attempt 1 left 1 st-1-1 source_timeout", await database.RecordAsync(id, 1));
        await database.SubmitAsync(id, 1, 1);
        await database.ConcludeAsync(id, 1, "st-1-2", RecordState.Pending, FailureCode.SourceTimeout);
        Assert.Equal("failed attempt 2 left 0 st-1-2 source_timeout", await database.RecordAsync(id, 1));
        Assert.Equal("failed 1", await database.SoundCountsAsync(id));
    }

    [Fact]
    public async Task Conclusions_of_several_imports_and_chunks_are_written_together()
    {
        var one = await database.ImportAsync(rows: 6);
        var other = await database.ImportAsync(rows: 3);
        await database.SubmitAsync(one, 1, 1);
        await database.SubmitAsync(one, 2, 5);
        await database.SubmitAsync(other, 1, 2);
        await database.LookedAsync();
        Assert.Equal(3, await database.Transitions.ConcludedAsync(
        [
            new(other, 2, new StatusId("st-2-1"), RecordState.Imported, new Rid("ridA"), null, null, null),
            new(one, 5, new StatusId("st-5-1"), RecordState.Failed, null, FailureCode.SourceNotFound, "gone", null),
            new(one, 1, new StatusId("st-1-1"), RecordState.Imported, new Rid("ridB"), null, null, null),
        ], Token));
        Assert.Equal(("pending 4, imported 1, failed 1", "pending 2, imported 1"),
            (await database.SoundCountsAsync(one), await database.SoundCountsAsync(other)));
    }

    // --- rescue

    [Fact]
    public async Task A_chunk_is_rescued_only_after_its_lease_ran_out_and_only_what_was_being_submitted_is_in_doubt()
    {
        var id = await database.ImportAsync(rows: 3);
        await database.SubmitAsync(id, 1, 1);
        await database.Transitions.SubmittingAsync(await database.LeaseAsync(id), [2], Token);

        Assert.Null(await database.Transitions.RescuedAsync(id, 1, Token));
        Assert.Equal("pending 1, submitting 1, submitted 1", await database.SoundCountsAsync(id));

        await database.ExpireAsync(id);
        Assert.Equal(1, await database.Transitions.RescuedAsync(id, 1, Token));
        Assert.Equal("pending 1, submitted 1, unknown 1", await database.SoundCountsAsync(id));
        Assert.Equal("waiting", await database.OneAsync<string>("SELECT state FROM importer.import_chunk WHERE import_id = $1", id));
        Assert.Null(await database.Transitions.RescuedAsync(id, 1, Token));
    }

    [Fact]
    public async Task What_is_in_doubt_is_sent_again_by_the_imports_setting_after_the_grace_while_attempts_are_left()
    {
        var id = await database.ImportAsync(rows: 2, maxAttempts: 2);
        await database.DoubtAsync(id, 0, (1, "https://media.example/a.mp4"), (2, "https://media.example/b.mp4"));
        await database.SqlAsync("UPDATE importer.import_record SET attempts_left = 0 WHERE import_id = $1 AND row_number = 2", id);
        await database.SqlAsync("UPDATE importer.attempt SET looked_at = now() WHERE import_id = $1", id);
        Assert.Equal(0, await ResubmitAsync()); // the setting is hold
        await database.SqlAsync("UPDATE importer.import SET when_unknown = 'resubmit' WHERE id = $1", id);
        await database.SqlAsync("UPDATE importer.import SET state = 'paused' WHERE id = $1", id);
        Assert.Equal(0, await ResubmitAsync());
        await database.SqlAsync("UPDATE importer.import SET state = 'running' WHERE id = $1", id);
        Assert.Equal(1, await ResubmitAsync());
        Assert.Equal("pending 1, unknown 1", await database.SoundCountsAsync(id));

        Task<int> ResubmitAsync() => database.Transitions.ResubmittedAsync(id, TimeSpan.FromHours(1), Token);
    }

    [Fact]
    public async Task What_is_in_doubt_is_not_sent_again_before_it_was_looked_for_unless_the_account_cannot_be_listed_for_long()
    {
        var id = await database.ImportAsync(rows: 2);
        await database.SqlAsync("UPDATE importer.import SET when_unknown = 'resubmit' WHERE id = $1", id);
        await database.DoubtAsync(id, 59, (1, "https://media.example/a.mp4"), (2, "https://media.example/b.mp4"));
        Assert.Equal(0, await ResubmitAsync());
        await database.SqlAsync("UPDATE importer.attempt SET looked_at = now() WHERE import_id = $1 AND row_number = 1", id);
        Assert.Equal(1, await ResubmitAsync());
        await database.ListingFailsAsync(id);
        Assert.Equal(0, await ResubmitAsync()); // 59 minutes in doubt
        await database.AgeAsync(id, 2, 2);
        await database.ListingFailsAsync(id, minutes: 59);
        Assert.Equal(0, await ResubmitAsync());
        // A look that is late, because a worker died in it, and one that goes on at this moment, do not fail.
        await database.ListingFailsAsync(id);
        await database.SqlAsync("UPDATE importer.reconcile_look SET next_at = now() - interval '1 second'");
        Assert.Equal(0, await ResubmitAsync());
        await database.SqlAsync("UPDATE importer.reconcile_look SET next_at = now() + interval '1 minute', problem = NULL");
        Assert.Equal(0, await ResubmitAsync());
        await database.ListingFailsAsync(id);
        await database.SqlAsync("UPDATE importer.account SET state = 'suspended' WHERE id = (SELECT account_id FROM importer.import WHERE id = $1)", id);
        Assert.Equal(0, await ResubmitAsync());
        await database.SqlAsync("UPDATE importer.account SET state = 'active' WHERE id = (SELECT account_id FROM importer.import WHERE id = $1)", id);
        Assert.Equal(1, await ResubmitAsync());
        Assert.Equal("pending 2", await database.SoundCountsAsync(id));

        Task<int> ResubmitAsync() => database.Transitions.ResubmittedAsync(id, TimeSpan.FromHours(1), Token);
    }

    [Fact]
    public async Task Candidates_keep_a_record_from_being_sent_again_and_let_its_import_finish_without_it()
    {
        var id = await database.ImportAsync(rows: 1);
        await database.SqlAsync("UPDATE importer.import SET when_unknown = 'resubmit' WHERE id = $1", id);
        await database.DoubtAsync(id, 120, (1, "https://media.example/a.mp4"));
        await database.Follow.RunAsync(Token);
        Assert.Equal("running", await database.ImportStateAsync(id));

        await database.ListingFailsAsync(id);
        await database.AddAsync(ImporterDatabase.Candidate(id, 1, "r1"));
        Assert.Equal(0, await database.Transitions.ResubmittedAsync(id, TimeSpan.Zero, Token));
        await database.Follow.RunAsync(Token);
        Assert.Equal("finished", await database.ImportStateAsync(id));

        // Those of an earlier attempt are none of this one's.
        await database.RerunAsync(id, new RecordFilter { State = RecordState.Unknown });
        await database.DoubtAsync(id, 120, (1, "https://media.example/a.mp4"));
        Assert.Equal(1, await database.Transitions.ResubmittedAsync(id, TimeSpan.Zero, Token));
    }

    // --- adoption

    [Fact]
    public async Task An_asset_is_adopted_by_the_attempt_in_doubt_only_and_by_one_record_only()
    {
        var account = await database.AccountAsync();
        var id = await database.ImportAsync(rows: 3, account: account);
        var other = await database.ImportAsync(rows: 1, account: account);
        await database.DoubtAsync(id, 0, (1, "https://media.example/a.mp4"), (2, "https://media.example/b.mp4"));
        await database.DoubtAsync(other, 0, (1, "https://media.example/a.mp4"));

        Assert.Equal(0, await database.AdoptAsync(id, 1, attempt: 2, "r1"));
        Assert.Equal(1, await database.AdoptAsync(id, 1, attempt: 1, "r1"));
        Assert.Equal(0, await database.AdoptAsync(id, 1, attempt: 1, "r2")); // it has one
        Assert.Equal(0, await database.AdoptAsync(id, 2, attempt: 1, "r1")); // it is another's
        Assert.Equal(0, await database.AdoptAsync(other, 1, attempt: 1, "r1")); // of whatever import of the account
        Assert.Equal(1, await database.AdoptAsync(other, 1, attempt: 1, "r2"));
        Assert.Equal(("pending 1, imported 1, unknown 1", "imported 1"),
            (await database.SoundCountsAsync(id), await database.SoundCountsAsync(other)));

        // Another account may have an asset of the same name.
        var foreign = await database.ImportAsync(rows: 1);
        await database.DoubtAsync(foreign, 0, (1, "https://media.example/a.mp4"));
        Assert.Equal(1, await database.AdoptAsync(foreign, 1, attempt: 1, "r1"));
    }

    [Fact]
    public async Task Of_many_who_adopt_one_asset_at_once_one_gets_it()
    {
        var id = await database.ImportAsync(rows: 6, chunkSize: 6);
        await database.DoubtAsync(id, 0, [.. Enumerable.Range(1, 6).Select(n => (n, $"https://media.example/{n}/a.mp4"))]);
        var made = await Task.WhenAll(Enumerable.Range(1, 6).Select(row => Task.Run(() => database.AdoptAsync(id, row, 1, "r1"))));
        Assert.Equal(1, made.Sum());
        Assert.Equal("imported 1, unknown 5", await database.SoundCountsAsync(id));
    }

    [Theory]
    [InlineData("found", "imported attempt 1 left 4 found", "reply_lost: It did not work. Found.")]
    [InlineData("another", "imported attempt 1 left 4 found twice",
        "reply_lost: It did not work. Found. Later Cincopa named the asset another.")]
    [InlineData(null, "imported attempt 1 left 4 found",
        "reply_lost: It did not work. Found. Later Cincopa told that the import had failed.")]
    public async Task A_late_acceptance_of_the_adopted_call_leaves_the_record_as_it_is_and_its_end_tells_whether_it_was_that_asset(
        string? rid, string record, string message)
    {
        var id = await database.ImportAsync(rows: 1);
        var intent = Assert.Single(await database.DoubtAsync(id, 11, (1, "https://media.example/a.mp4")));
        await database.AdoptAsync(id, 1, intent.Attempt, "found");

        for (var again = 0; again < 2; again++)
            Assert.Empty(await database.AnswerAsync(await database.LeaseAsync(id), EngineDatabase.Accepted(intent)));
        Assert.Equal("imported attempt 1 left 4 found", await database.RecordAsync(id, 1));
        Assert.Equal(["1 reconciled st-1-1"], await database.AttemptsAsync(id, 1));
        Assert.Equal("imported 1", await database.SoundCountsAsync(id));

        var (to, code) = rid is null ? (RecordState.Failed, (FailureCode?)FailureCode.SourceNotFound) : (RecordState.Imported, null);
        Assert.Equal(0,
            await database.Transitions.ConcludedAsync(
                [new(id, 1, new StatusId("st-1-1"), to, rid is null ? null : new Rid(rid), code, null, null)], Token));
        Assert.Equal(record, await database.RecordAsync(id, 1));
        Assert.Equal(message, await database.OneAsync<string>("SELECT message FROM importer.attempt WHERE import_id = $1", id));
        Assert.Equal(0, await database.OneAsync<long>("SELECT count(*) FROM importer.status_poll WHERE import_id = $1", id));
        Assert.Equal("imported 1", await database.SoundCountsAsync(id));
    }

    [Fact]
    public async Task A_late_acceptance_of_an_earlier_call_than_the_adopted_one_marks_the_record()
    {
        var id = await database.ImportAsync(rows: 1);
        var first = Assert.Single(await database.DoubtAsync(id, 11, (1, "https://media.example/a.mp4")));
        await database.RerunAsync(id, new RecordFilter { State = RecordState.Unknown });
        var second = Assert.Single(await database.DoubtAsync(id, 11, (1, "https://media.example/a.mp4")));
        await database.AdoptAsync(id, 1, second.Attempt, "found");
        Assert.Single(await database.AnswerAsync(await database.LeaseAsync(id), EngineDatabase.Accepted(first)));
        Assert.Equal("imported attempt 2 left 4 found twice", await database.RecordAsync(id, 1));
        Assert.Equal("imported 1", await database.SoundCountsAsync(id));
    }

    // --- cancel, rerun, duplicates

    [Fact]
    public async Task Cancelling_ends_only_what_was_not_sent()
    {
        var id = await database.ImportAsync(rows: 4, chunkSize: 2);
        await database.SubmitAsync(id, 1, 1);
        await database.Transitions.SubmittingAsync(await database.LeaseAsync(id), [2], Token);
        await database.CancelAsync(id);
        Assert.Equal("submitting 1, submitted 1, cancelled 2", await database.SoundCountsAsync(id));
    }

    [Fact]
    public async Task A_record_that_failed_after_the_cancel_in_a_way_that_could_be_retried_is_cancelled_too()
    {
        var id = await database.ImportAsync(rows: 1);
        await database.SubmitAsync(id, 1, 1);
        await database.CancelAsync(id);
        await database.ConcludeAsync(id, 1, "st-1-1", RecordState.Pending, FailureCode.SourceTimeout);
        Assert.Equal("pending 1", await database.SoundCountsAsync(id));
        await database.Follow.RunAsync(Token);
        Assert.Equal("cancelled 1", await database.SoundCountsAsync(id));
    }

    [Fact]
    public async Task Finished_records_never_get_a_submit_call_whatever_is_rerun()
    {
        var id = await database.ImportAsync(rows: 3);
        await database.SubmitAsync(id, 1, 1, 2, 3);
        await database.ConcludeAsync(id, 1, "st-1-1", RecordState.Imported);
        await database.ConcludeAsync(id, 2, "st-2-1", RecordState.Failed, FailureCode.SourceNotFound);
        var done = Assert.IsType<RerunDone>(await database.RerunAsync(id, new RecordFilter { RowNumbers = [1, 2, 3] }));
        Assert.Equal(1, done.Rerun);
        Assert.Equal([RecordState.Submitted, RecordState.Imported], done.Left.Select(r => r.State));

        var intents = await database.Transitions.SubmittingAsync(await database.LeaseAsync(id), [1, 2, 3], Token);
        Assert.Equal([(2, 2)], EngineDatabase.Numbers(intents));
        Assert.Equal("submitting 1, submitted 1, imported 1", await database.SoundCountsAsync(id));
    }

    [Fact]
    public async Task Of_rows_that_name_one_source_the_first_stays_and_the_others_become_duplicates()
    {
        var id = await database.ImportAsync(rows: 5, state: ImportState.Review);
        await database.SqlAsync(
            "UPDATE importer.import_record SET source_key = CASE WHEN row_number IN (2, 4, 5) THEN $2 ELSE gen_random_uuid() END WHERE "
                + "import_id = $1", id, Guid.NewGuid());
        await using (var connection = await database.Source.OpenConnectionAsync(Token))
        {
            Assert.Equal(2, await database.Transitions.DuplicateAsync(connection, id, new(true, false, "url", null), byReference: false, Token));
            Assert.Equal(0, await database.Transitions.DuplicateAsync(connection, id, new(true, false, "url", null), byReference: false, Token));
        }
        Assert.Equal("pending 3, duplicate 2", await database.SoundCountsAsync(id));
        Assert.Equal("duplicate attempt 0 left 5 duplicate_url", await database.RecordAsync(id, 4));
    }

    // --- the chunk's time

    [Fact]
    public async Task The_chunk_is_due_when_the_first_of_its_records_is()
    {
        var id = await database.ImportAsync(rows: 3);
        await database.SubmitAsync(id, 1, 1, 2, 3);
        await database.ReleaseAsync(id);
        Assert.True(await DueInAsync("IS NULL"));

        await database.ConcludeAsync(id, 1, "st-1-1", RecordState.Pending, FailureCode.SourceTimeout, TimeSpan.FromMinutes(10));
        Assert.True(await DueInAsync("BETWEEN now() + interval '9 minutes' AND now() + interval '10 minutes'"));
        await database.ConcludeAsync(id, 2, "st-2-1", RecordState.Pending, FailureCode.SourceTimeout, TimeSpan.FromMinutes(2));
        Assert.True(await DueInAsync("BETWEEN now() + interval '1 minute' AND now() + interval '2 minutes'"));
        await database.ConcludeAsync(id, 3, "st-3-1", RecordState.Failed, FailureCode.SourceNotFound);
        Assert.True(await DueInAsync("BETWEEN now() + interval '1 minute' AND now() + interval '2 minutes'"));
        await database.RerunAsync(id);
        Assert.True(await DueInAsync("<= now()"));
        await database.AssertSoundAsync(id);

        Task<bool> DueInAsync(string condition) =>
            database.OneAsync<bool>($"SELECT due_at {condition} FROM importer.import_chunk WHERE import_id = $1", id);
    }

    [Fact]
    public async Task Many_workers_and_pollers_on_the_same_chunks_neither_wait_for_each_other_nor_lose_a_count()
    {
        var id = await database.ImportAsync(rows: 60, chunkSize: 10);
        await Task.WhenAll(Enumerable.Range(0, 6).Select(chunk => Task.Run(async () =>
        {
            var lease = await database.LeaseAsync(id, chunk + 1);
            for (var row = lease.FirstRow; row <= lease.LastRow; row++)
            {
                var intent = (await database.Transitions.SubmittingAsync(lease, [row], Token))[0];
                await database.AnswerAsync(lease, EngineDatabase.Accepted(intent));
            }
        }, Token)).Concat(Enumerable.Range(0, 3).Select(poller => Task.Run(async () =>
        {
            // Each poller concludes a third of every chunk, in an order that crosses the others'.
            int[] rows = [.. Enumerable.Range(1, 60).Where(r => r % 3 == poller)];
            if (poller == 1) Array.Reverse(rows);
            var done = 0L;
            while (done < rows.Length)
            {
                done += await database.Transitions.ConcludedAsync(
                    [.. rows.Select(r =>
                        new Conclusion(id, r, new StatusId($"st-{r}-1"), RecordState.Imported, new Rid($"rid{r}"), null, null, null))],
                            Token);
            }
        }, Token))));
        // What waited for its first look was concluded without it here.
        await database.SqlAsync("DELETE FROM importer.work_batch WHERE import_id = $1", id);
        Assert.Equal("imported 60", await database.SoundCountsAsync(id));
    }
}
