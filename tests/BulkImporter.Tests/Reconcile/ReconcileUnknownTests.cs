using BulkImporter.Reconcile;
using BulkImporter.Records;
using Cincopa.Client;
using Microsoft.Extensions.Options;

namespace BulkImporter.Tests.Reconcile;

public sealed class ReconcileUnknownTests : IClassFixture<EngineDatabase>, IAsyncLifetime
{
    private const string Clip = "https://media.example/a/clip.mp4";

    private readonly EngineDatabase database;
    private readonly ScriptedCincopa cincopa = new();
    private readonly ReconcilerUnderTest reconciler;
    private readonly List<RemoteAsset> assets = [];
    private int id;

    public ReconcileUnknownTests(EngineDatabase database)
    {
        this.database = database;
        reconciler = new(database, cincopa);
        cincopa.OnList = query => Task.FromResult(ScriptedCincopa.Page(query, [.. assets.OrderByDescending(a => a.Uploaded)]));
    }

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        await reconciler.BeginAsync();
        id = await database.ImportAsync(rows: 3, account: reconciler.Account);
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    /// <summary>
    /// It is asked every few seconds, for as long as any record is in doubt: what it reads must not grow with the records around them.
    /// </summary>
    [Theory]
    [InlineData("force_custom_plan")]
    [InlineData("force_generic_plan")]
    public async Task Whether_somebody_is_to_be_looked_for_is_read_from_those_in_doubt_alone(string planMode)
    {
        const int rows = 50_000;
        var large = await database.ImportAsync(rows, chunkSize: 500, account: reconciler.Account);
        // One in doubt in each chunk, and looked for long enough.
        await database.SqlAsync("""
            UPDATE importer.import_record
            SET state = CASE WHEN row_number % 500 = 0 THEN 'unknown' WHEN row_number % 50 = 0 THEN 'failed'
                ELSE 'imported' END, rid = 'rid', attempt_count = 1,
                error_code = CASE WHEN row_number % 500 = 0 THEN 'reply_lost' WHEN row_number % 50 = 0 THEN 'source_not_found' END, finished_at = now() - interval '2 days'
            WHERE import_id = $1
            """, large);
        await database.SqlAsync("""
            INSERT INTO importer.attempt (import_id, row_number, number, started_at, worker, finished_at, outcome, looked_at)
            SELECT $1, n, 1, now() - interval '2 days', 'w', now(), 'imported', now() FROM generate_series(1, $2) n
            """, large, rows);
        foreach (var table in new[] { "import_record", "import_chunk", "attempt", "import" })
            await database.SqlAsync($"ANALYZE importer.{table}");

        await using var explained = new ExplainedDatabase(database.ConnectionString, planMode);
        Assert.Equal(0, await reconciler.RunAsync(source: explained.Source));
        explained.AssertReads(rows / 500, "doubts");
    }

    // --- adopted

    [Fact]
    public async Task The_only_asset_that_fits_is_adopted()
    {
        await database.DoubtAsync(id, 11, (1, Clip));
        Add("other.mp4", "r0");
        Add("clip.mp4", "r1");
        Assert.Equal(1, await reconciler.RunAsync());
        Assert.Equal("imported attempt 1 left 4 r1", await database.RecordAsync(id, 1));
        Assert.Equal(["1 reconciled"], await database.AttemptsAsync(id, 1));
        Assert.Equal("pending 2, imported 1", await database.SoundCountsAsync(id));
        Assert.True(Assert.Single(cincopa.Listed).BypassCache);
        Assert.Equal(0, await reconciler.RunAsync());
    }

    [Fact]
    public async Task A_record_is_looked_for_after_the_grace_and_not_before()
    {
        await database.DoubtAsync(id, 9.5, (1, Clip));
        Add("clip.mp4", "r1");
        Assert.Equal(0, await reconciler.RunAsync());
        Assert.Empty(cincopa.Listed);
        await database.AgeAsync(id, 1, 1);
        Assert.Equal(1, await reconciler.RunAsync());
        Assert.Equal(RecordState.Imported, await database.StateAsync(id, 1));
    }

    [Fact]
    public async Task One_walk_looks_for_all_records_of_the_account()
    {
        var other = await database.ImportAsync(rows: 1, account: reconciler.Account);
        await database.DoubtAsync(id, 30, (1, Clip), (2, "https://media.example/b.mp4"));
        await database.DoubtAsync(other, 11, (1, "https://media.example/c.mp4"));
        Add("clip.mp4", "r1");
        Add("b.mp4", "r2");
        Add("c.mp4", "r3");
        Assert.Equal(1, await reconciler.RunAsync(itemsPerPage: 2));
        Assert.Equal([1, 2], cincopa.Listed.Select(q => q.Page));
        Assert.Equal(("pending 1, imported 2", "imported 1"),
            (await database.SoundCountsAsync(id), await database.SoundCountsAsync(other)));
    }

    [Fact]
    public async Task The_reference_id_that_we_write_comes_before_the_name_and_is_nobodys_else_candidate()
    {
        await database.DoubtAsync(id, 11, (1, Clip), (2, Clip), (3, "https://media.example/b.mp4"));
        await database.SqlAsync("UPDATE importer.import_record SET reference_id = 'ref-' || least(row_number, 2) WHERE import_id = $1", id);
        // Rows 2 and 3 say the same: what bears it may be either's.
        Add("clip.mp4", "r1", reference: "ref-1");
        Add("x.mp4", "r2", reference: "ref-2");
        await reconciler.RunAsync();
        Assert.Equal("imported attempt 1 left 4 r1", await database.RecordAsync(id, 1));
        Assert.Equal("imported 1, unknown 2", await database.SoundCountsAsync(id));
        Assert.Equal("reference_id", cincopa.Listed[0].Details);
    }

    // --- not certain

    [Fact]
    public async Task Two_assets_that_fit_are_candidates_for_a_person_the_latest_first()
    {
        await database.DoubtAsync(id, 11, (1, Clip));
        Add("clip.mp4", "r1", minutesAgo: 5);
        Add("clip.mp4", "r2", minutesAgo: 3, size: 7, caption: "Zwei");
        await reconciler.RunAsync();
        Assert.Equal(RecordState.Unknown, await database.StateAsync(id, 1));
        var found = await reconciler.FindAsync(id, 1);
        Assert.Equal(["r2 clip.mp4 7 Zwei", "r1 clip.mp4  "], found.Items.Select(c => $"{c.Rid} {c.FileName} {c.SizeBytes} {c.Caption}"));
        Assert.NotNull(found.LookedAt);
        Assert.Null(found.Problem);
    }

    [Fact]
    public async Task One_asset_for_two_records_in_doubt_of_the_same_name_is_a_candidate_of_both_and_adopted_when_only_one_is_left()
    {
        await database.DoubtAsync(id, 11, (1, Clip), (2, "https://media.example/b/clip.mp4?v=2"));
        Add("clip.mp4", "r1");
        Add("clip.mp4", "r2");
        await reconciler.RunAsync();
        Assert.Equal(("r1 r2", "r1 r2"), (await SortedAsync(1), await SortedAsync(2)));

        await database.AdoptAsync(id, 1, 1, "r1");
        Assert.Equal(("", "r2"), (await SortedAsync(1), await SortedAsync(2)));
        await database.AgeAsync(id, 12, 2);
        await reconciler.RunAsync();
        Assert.Equal("imported attempt 1 left 4 r2", await database.RecordAsync(id, 2));
        Assert.Equal("pending 1, imported 2", await database.SoundCountsAsync(id));

        async Task<string> SortedAsync(int row) => string.Join(' ', (await reconciler.CandidatesAsync(id, row)).Split(' ').Order());
    }

    [Fact]
    public async Task A_record_whose_grace_has_not_passed_claims_the_name_too()
    {
        await database.DoubtAsync(id, 11, (1, Clip));
        await database.DoubtAsync(id, 9, (2, "https://media.example/b/clip.mp4"));
        Add("clip.mp4", "r1");
        await reconciler.RunAsync();
        Assert.Equal((RecordState.Unknown, "r1"), (await database.StateAsync(id, 1), await reconciler.CandidatesAsync(id, 1)));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_record_that_is_being_sent_or_followed_claims_the_name_and_one_of_another_account_does_not(bool isAnswered)
    {
        foreach (var account in new[] { await database.AccountAsync(), reconciler.Account })
        {
            var other = await database.ImportAsync(rows: 1, account: account);
            await database.SqlAsync(
                "UPDATE importer.import_record SET source_url = 'https://media.example/b/clip.mp4' WHERE import_id = $1", other);
            if (isAnswered) await database.SubmitAsync(other, 1, 1);
            else await database.Transitions.SubmittingAsync(await database.LeaseAsync(other), [1], Token);
            await database.AgeAsync(other, 8, 1);

            var mine = await database.ImportAsync(rows: 1, account: reconciler.Account);
            await database.DoubtAsync(mine, 11, (1, Clip));
            var rid = $"r{account}";
            Add("clip.mp4", rid, minutesAgo: 5);
            await reconciler.RunAsync();
            if (account != reconciler.Account) Assert.Equal(RecordState.Imported, await database.StateAsync(mine, 1));
            else Assert.Equal((RecordState.Unknown, rid), (await database.StateAsync(mine, 1), await reconciler.CandidatesAsync(mine, 1)));
        }
    }

    [Fact]
    public async Task An_attempt_that_began_after_the_asset_was_uploaded_claims_nothing()
    {
        await database.DoubtAsync(id, 20, (1, Clip));
        await database.DoubtAsync(id, 5, (2, "https://media.example/b/clip.mp4"));
        Add("clip.mp4", "r1", minutesAgo: 15);
        await reconciler.RunAsync();
        Assert.Equal("imported attempt 1 left 4 r1", await database.RecordAsync(id, 1));
    }

    [Fact]
    public async Task An_earlier_attempt_in_doubt_claims_the_name_whatever_became_of_its_record_since()
    {
        await database.DoubtAsync(id, 20, (2, "https://media.example/b/clip.mp4"));
        await database.RerunAsync(id, new RecordFilter { RowNumbers = [2] });
        await database.DoubtAsync(id, 11, (1, Clip));
        Add("clip.mp4", "r1");
        await reconciler.RunAsync();
        Assert.Equal((RecordState.Unknown, "r1"), (await database.StateAsync(id, 1), await reconciler.CandidatesAsync(id, 1)));
    }

    [Fact]
    public async Task Two_attempts_in_doubt_of_one_record_do_not_stand_in_each_others_way()
    {
        await database.DoubtAsync(id, 20, (1, Clip));
        await database.RerunAsync(id, new RecordFilter { RowNumbers = [1] });
        await database.DoubtAsync(id, 11, (1, Clip));
        Add("clip.mp4", "r1", minutesAgo: 5);
        await reconciler.RunAsync();
        Assert.Equal(["1 reply_lost", "2 reconciled"], await database.AttemptsAsync(id, 1));
    }

    [Fact]
    public async Task A_name_that_differs_in_case_is_a_candidate_and_never_certain()
    {
        await database.DoubtAsync(id, 11, (1, Clip));
        Add("Clip.MP4", "r1");
        await reconciler.RunAsync();
        Assert.Equal((RecordState.Unknown, "r1"), (await database.StateAsync(id, 1), await reconciler.CandidatesAsync(id, 1)));
    }

    // --- no candidate

    [Fact]
    public async Task An_asset_that_another_record_of_the_account_has_is_no_candidate()
    {
        var other = await database.ImportAsync(rows: 1, account: reconciler.Account);
        await database.SubmitAsync(other, 1, 1);
        await database.ConcludeAsync(other, 1, "st-1-1", RecordState.Imported);
        await database.DoubtAsync(id, 11, (1, Clip));
        Add("clip.mp4", "rid1");
        await reconciler.RunAsync();
        Assert.Equal((RecordState.Unknown, ""), (await database.StateAsync(id, 1), await reconciler.CandidatesAsync(id, 1)));
    }

    [Theory]
    [InlineData(12.5, true)]
    [InlineData(13.5, false)]
    public async Task An_asset_is_not_older_than_the_attempt_but_for_the_clocks(double minutesAgo, bool fits)
    {
        await database.DoubtAsync(id, 11, (1, Clip));
        Add("clip.mp4", "r1", minutesAgo);
        await reconciler.RunAsync();
        Assert.Equal(fits ? RecordState.Imported : RecordState.Unknown, await database.StateAsync(id, 1));
        Assert.Equal("", await reconciler.CandidatesAsync(id, 1));
    }

    [Fact]
    public async Task An_asset_without_a_time_or_a_name_is_no_candidate()
    {
        await database.DoubtAsync(id, 11, (1, Clip), (2, "https://media.example/folder/"));
        assets.Add(new(new Rid("r1"), "clip.mp4", null, null, null, null, null, null));
        assets.Add(new(new Rid("r2"), null, null, DateTimeOffset.UtcNow, null, null, null, null));
        Add("", "r3");
        await reconciler.RunAsync();
        Assert.Equal("pending 1, unknown 2", await database.SoundCountsAsync(id));
        Assert.Equal(("", ""), (await reconciler.CandidatesAsync(id, 1), await reconciler.CandidatesAsync(id, 2)));
    }

    [Theory]
    [InlineData(10_000, true)]
    [InlineData(10_001, false)]
    public async Task A_size_that_the_status_told_before_the_record_came_into_doubt_must_be_the_assets(long size, bool fits)
    {
        await database.SqlAsync("UPDATE importer.import_record SET source_url = $2 WHERE import_id = $1 AND row_number = 1", id, Clip);
        await database.SubmitAsync(id, 1, 1);
        await database.LookedAsync();
        await database.SqlAsync("UPDATE importer.status_poll SET total_bytes = 10000 WHERE import_id = $1", id);
        await database.ConcludeAsync(id, 1, "st-1-1", RecordState.Unknown, FailureCode.AssetUnnamed);
        await database.AgeAsync(id, 11, 1);
        Add("clip.mp4", "r1", size: size);
        await reconciler.RunAsync();
        Assert.Equal(fits ? "imported attempt 1 left 4 st-1-1 r1" : "unknown attempt 1 left 4 st-1-1 asset_unnamed",
            await database.RecordAsync(id, 1));
    }

    // --- again and again

    [Fact]
    public async Task What_was_not_found_is_looked_for_again_when_it_is_in_doubt_twice_as_long_until_a_day_has_passed()
    {
        await database.DoubtAsync(id, 11, (1, Clip));
        Assert.Equal(1, await reconciler.RunAsync());
        Assert.NotNull((await reconciler.FindAsync(id, 1)).LookedAt);
        await database.AgeAsync(id, 10, 1);
        Assert.Equal(0, await reconciler.RunAsync());
        await database.AgeAsync(id, 2, 1);
        Assert.Equal(1, await reconciler.RunAsync());

        // Half a day in doubt: one more look, at a day.
        await database.AgeAsync(id, 11 * 60, 1);
        Assert.Equal(1, await reconciler.RunAsync());
        await database.AgeAsync(id, 12 * 60, 1);
        Assert.Equal(1, await reconciler.RunAsync());
        await database.AgeAsync(id, 48 * 60, 1);
        Assert.Equal(0, await reconciler.RunAsync());
    }

    [Fact]
    public async Task Candidates_of_an_earlier_look_that_are_gone_are_candidates_no_more()
    {
        await database.DoubtAsync(id, 11, (1, Clip));
        Add("clip.mp4", "r1");
        Add("clip.mp4", "r2");
        await reconciler.RunAsync();
        assets.Clear();
        await database.AgeAsync(id, 12, 1);
        await reconciler.RunAsync();
        Assert.Equal("", await reconciler.CandidatesAsync(id, 1));
    }

    [Fact]
    public async Task A_look_is_had_again_when_a_person_asks_and_a_new_asset_still_has_its_grace()
    {
        await database.DoubtAsync(id, 11, (1, Clip));
        await reconciler.RunAsync();
        Assert.Equal(0, await reconciler.RunAsync());
        Add("clip.mp4", "r1");
        Add("clip.mp4", "r2", minutesAgo: 5, type: "video");
        var again = new LookAgain(database.Source, Options.Create(new WorkOptions()));

        var ordered = Assert.IsType<LookResult.Ordered>(await again.RunAsync(id, 1, "ann", Token));

        Assert.InRange(ordered.DueAt, DateTimeOffset.UtcNow.AddMinutes(-1), DateTimeOffset.UtcNow.AddSeconds(5));
        Assert.Null((await reconciler.FindAsync(id, 1)).LookedAt);
        Assert.Equal(1, await reconciler.RunAsync());
        Assert.Equal(["r1 ", "r2 video"], (await reconciler.FindAsync(id, 1)).Items.Select(c => $"{c.Rid} {c.Type}"));
        Assert.Equal("ann row 1", await database.OneAsync<string>(
            "SELECT actor || ' ' || detail FROM importer.audit_entry WHERE import_id = $1 AND action = 'assets_looked_for'", id));

        // Younger than the grace: it is noted, and comes when the grace is over.
        await database.DoubtAsync(id, 4, (2, "https://media.example/other.mp4"));
        ordered = Assert.IsType<LookResult.Ordered>(await again.RunAsync(id, 2, "ann", Token));
        Assert.InRange(ordered.DueAt, DateTimeOffset.UtcNow.AddMinutes(5), DateTimeOffset.UtcNow.AddMinutes(6.1));
        Assert.Equal(0, await reconciler.RunAsync());

        Assert.IsType<LookResult.Refused>(await again.RunAsync(id, 3, "ann", Token));
        Assert.IsType<LookResult.NotFound>(await again.RunAsync(id, 4, "ann", Token));
    }

    // --- what goes wrong

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task A_list_that_fails_changes_nothing_on_the_records_and_is_asked_again_later(int failing)
    {
        await database.DoubtAsync(id, 11, (1, Clip));
        Add("clip.mp4", "r1");
        Add("other.mp4", "r2", minutesAgo: 2);
        var whole = cincopa.OnList;
        cincopa.OnList = query => query.Page == failing ? Failing(RemoteErrorKind.ServerError) : whole(query);
        Assert.Equal(0, await reconciler.RunAsync(itemsPerPage: 1));
        Assert.Equal("unknown attempt 1 left 4 reply_lost", await database.RecordAsync(id, 1));
        var found = await reconciler.FindAsync(id, 1);
        Assert.Equal((null, "ServerError", 0), (found.LookedAt, found.Problem, found.Items.Count));

        cincopa.OnList = whole;
        Assert.Equal(0, await reconciler.RunAsync());
        await reconciler.DueAsync();
        Assert.Equal(1, await reconciler.RunAsync(itemsPerPage: 1));
        Assert.Equal(RecordState.Imported, await database.StateAsync(id, 1));
        Assert.Null((await reconciler.FindAsync(id, 1)).Problem);
        // What the list says of itself keeps nobody from asking for the status of imports.
        Assert.Equal(0,
            await database.OneAsync<int>("SELECT blocks_in_a_row FROM importer.call_budget WHERE account_id = $1 AND kind = 'status'",
                reconciler.Account));
    }

    [Theory]
    [InlineData(RemoteErrorKind.PermissionMissing)]
    [InlineData(RemoteErrorKind.TokenRejected)]
    public async Task A_token_that_may_not_list_does_not_suspend_an_account_that_answers_to_a_ping(RemoteErrorKind kind)
    {
        await database.DoubtAsync(id, 11, (1, Clip));
        cincopa.OnList = _ => Failing(kind);
        for (var n = 0; n < 4; n++)
        {
            await reconciler.DueAsync();
            await reconciler.RunAsync();
        }
        Assert.Equal(4, cincopa.Listed.Count);
        Assert.Equal("active", await AccountStateAsync());
        Assert.Equal(kind.ToString(), (await reconciler.FindAsync(id, 1)).Problem);
    }

    [Fact]
    public async Task A_token_that_the_ping_rejects_too_suspends_the_account_and_nobody_lists_it_any_more()
    {
        await database.DoubtAsync(id, 11, (1, Clip));
        cincopa.OnList = _ => Failing(RemoteErrorKind.TokenRejected);
        cincopa.OnPing = () => new PingResult.Failed(ScriptedCincopa.Error(RemoteErrorKind.TokenRejected));
        for (var n = 0; n < 4; n++)
        {
            await reconciler.DueAsync();
            await reconciler.RunAsync();
        }
        Assert.Equal((3, "suspended"), (cincopa.Listed.Count, await AccountStateAsync()));
    }

    [Fact]
    public async Task A_list_that_is_asked_to_slow_down_keeps_everyone_from_asking()
    {
        await database.DoubtAsync(id, 11, (1, Clip));
        cincopa.OnList = _ => Failing(RemoteErrorKind.RateLimited);
        await reconciler.RunAsync();
        await reconciler.DueAsync();
        await reconciler.RunAsync();
        Assert.Single(cincopa.Listed);
        Assert.True(
            await database.OneAsync<bool>(
                "SELECT blocked_until > now() FROM importer.call_budget WHERE account_id = $1 AND kind = 'status'", reconciler.Account));
    }

    [Fact]
    public async Task A_late_answer_that_comes_while_the_list_runs_wins()
    {
        var intent = Assert.Single(await database.DoubtAsync(id, 11, (1, Clip)));
        Add("clip.mp4", "r1");
        var whole = cincopa.OnList;
        cincopa.OnList = async query =>
        {
            await database.AnswerAsync(await database.LeaseAsync(id), EngineDatabase.Accepted(intent));
            return await whole(query);
        };
        await reconciler.RunAsync();
        Assert.Equal("submitted attempt 1 left 4 st-1-1", await database.RecordAsync(id, 1));
        Assert.Equal("", await reconciler.CandidatesAsync(id, 1));
        Assert.Equal("pending 2, submitted 1", await database.SoundCountsAsync(id));
    }

    [Fact]
    public async Task An_asset_that_becomes_another_records_while_the_list_runs_is_not_adopted()
    {
        var other = await database.ImportAsync(rows: 1, account: reconciler.Account);
        await database.SqlAsync("UPDATE importer.import_record SET source_url = 'https://media.example/b/clip.mp4' WHERE import_id = $1",
            other);
        await database.SubmitAsync(other, 1, 1);
        await database.DoubtAsync(id, 11, (1, Clip));
        Add("clip.mp4", "rid1");
        var whole = cincopa.OnList;
        cincopa.OnList = async query =>
        {
            await database.ConcludeAsync(other, 1, "st-1-1", RecordState.Imported);
            return await whole(query);
        };
        await reconciler.RunAsync();
        Assert.Equal((RecordState.Unknown, ""), (await database.StateAsync(id, 1), await reconciler.CandidatesAsync(id, 1)));
    }

    [Fact]
    public async Task Of_two_workers_one_looks_through_the_account()
    {
        await database.DoubtAsync(id, 11, (1, Clip));
        Add("clip.mp4", "r1");
        var whole = cincopa.OnList;
        cincopa.OnList = async query =>
        {
            Assert.Equal(0, await reconciler.RunAsync());
            return await whole(query);
        };
        Assert.Equal(1, await reconciler.RunAsync());
        Assert.Single(cincopa.Listed);
        Assert.Equal(RecordState.Imported, await database.StateAsync(id, 1));
    }

    [Fact]
    public async Task A_worker_that_dies_while_it_looks_leaves_a_claim_that_runs_out()
    {
        await database.DoubtAsync(id, 11, (1, Clip));
        // Neither its way to the database nor the process is there when the answer comes.
        await using var cut = new CutDatabase(database.ConnectionString);
        using var death = new CancellationTokenSource();
        cincopa.OnList = async _ =>
        {
            await cut.CutAsync(Token);
            await death.CancelAsync();
            return await Failing(RemoteErrorKind.ServerError);
        };
        Assert.Equal(0, await reconciler.RunAsync(source: cut.Source, stop: death.Token));
        Assert.True(
            await database.OneAsync<bool>(
                "SELECT next_at BETWEEN now() AND now() + interval '2 minutes' FROM importer.reconcile_look WHERE account_id = $1",
                reconciler.Account));
    }

    [Fact]
    public async Task An_account_fails_since_the_first_look_that_failed_in_an_unbroken_row_of_them()
    {
        await database.DoubtAsync(id, 11, (1, Clip));
        cincopa.OnList = _ => Failing(RemoteErrorKind.ServerError);
        await reconciler.RunAsync();
        Assert.True(await HasFailedForAsync("0 minutes", "1 minute"));

        await database.SqlAsync("UPDATE importer.reconcile_look SET failing_since = now() - interval '2 hours', next_at = now()");
        await reconciler.RunAsync();
        Assert.True(await HasFailedForAsync("2 hours", "3 hours"));

        // No worker was there meanwhile: who knows whether it could have been listed.
        await database.SqlAsync("UPDATE importer.reconcile_look SET next_at = now() - interval '11 minutes'");
        await reconciler.RunAsync();
        Assert.True(await HasFailedForAsync("0 minutes", "1 minute"));

        Task<bool> HasFailedForAsync(string least, string most) => database.OneAsync<bool>($"""
            SELECT now() - failing_since BETWEEN interval '{least}' AND interval '{most}' AND problem IS NOT NULL
            FROM importer.reconcile_look WHERE account_id = $1
            """, reconciler.Account);
    }

    [Fact]
    public async Task A_look_that_the_process_gives_up_because_it_ends_is_no_look_that_failed()
    {
        await database.DoubtAsync(id, 11, (1, Clip));
        Add("clip.mp4", "r1");
        Add("other.mp4", "r2", minutesAgo: 2);
        var whole = cincopa.OnList;
        using var end = new CancellationTokenSource();
        cincopa.OnList = async query =>
        {
            await end.CancelAsync();
            return await whole(query);
        };
        Assert.Equal(0, await reconciler.RunAsync(itemsPerPage: 1, stop: end.Token));
        Assert.Single(cincopa.Listed);
        Assert.True(await database.OneAsync<bool>(
            "SELECT failing_since IS NULL AND problem IS NULL FROM importer.reconcile_look WHERE account_id = $1", reconciler.Account));
    }

    [Fact]
    public async Task What_nobody_foresaw_is_the_accounts_problem_and_is_looked_at_again_later()
    {
        await database.DoubtAsync(id, 11, (1, Clip));
        cincopa.OnList = _ => throw new FormatException("api_token=1000001itest is no date");
        Assert.Equal(0, await reconciler.RunAsync());
        Assert.Equal("FormatException: api_token=*** is no date true",
            await database.OneAsync<string>(
                "SELECT problem || ' ' || (failing_since > now() - interval '1 minute') FROM importer.reconcile_look WHERE account_id = $1",
                reconciler.Account));
        Assert.Equal(0, await reconciler.RunAsync());
        Assert.Single(cincopa.Listed);
        Assert.Equal(RecordState.Unknown, await database.StateAsync(id, 1));
    }

    [Fact]
    public async Task What_the_database_refuses_of_one_asset_keeps_none_of_the_others()
    {
        await database.DoubtAsync(id, 11, (1, Clip), (2, "https://media.example/other.mp4"));
        Add("clip.mp4", "refused");
        Add("other.mp4", "taken");
        await database.SqlAsync("ALTER TABLE importer.import_record ADD CONSTRAINT refuses_an_asset CHECK (rid <> 'refused')");
        try
        {
            Assert.Equal(1, await reconciler.RunAsync());
        }
        finally
        {
            await database.SqlAsync("ALTER TABLE importer.import_record DROP CONSTRAINT refuses_an_asset");
        }
        Assert.Equal((RecordState.Unknown, RecordState.Imported), (await database.StateAsync(id, 1), await database.StateAsync(id, 2)));
        Assert.Equal("refused", await reconciler.CandidatesAsync(id, 1));
    }

    private static Task<AssetListResult> Failing(RemoteErrorKind kind) =>
        Task.FromResult<AssetListResult>(new AssetListResult.Failed(ScriptedCincopa.Error(kind)));

    private void Add(
        string fileName, string rid, double minutesAgo = 1, long? size = null, string? caption = null, string? reference = null,
        string? type = null) =>
        assets.Add(new(new Rid(rid), fileName, size, DateTimeOffset.UtcNow.AddMinutes(-minutesAgo), caption, reference, type, null));

    private Task<string> AccountStateAsync() =>
        database.OneAsync<string>("SELECT state FROM importer.account WHERE id = $1", reconciler.Account);
}
