using BulkImporter.Accounts;
using BulkImporter.Data;
using BulkImporter.Finish;
using BulkImporter.Imports;
using BulkImporter.Manifests;
using BulkImporter.Records;
using BulkImporter.Rerun;
using BulkImporter.Tests.Accounts;
using Cincopa.Client;
using Cincopa.Simulator;
using Cincopa.Simulator.Faults;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace BulkImporter.Tests.Finish;

/// <summary>What arrived against what was expected: from where either comes, what comes of it, what it costs, and what a person can do.</summary>
public sealed class ArrivalTests(EngineDatabase database) : IClassFixture<EngineDatabase>, IAsyncLifetime
{
    private const string Md5 = "900150983cd24fb0d6963f7d28e17f72";

    private readonly ScriptedCincopa cincopa = new();
    private readonly ProtectToken tokens = new(new EphemeralDataProtectionProvider());
    private readonly List<string> written = [];
    private RemoteAsset asset = Listed(1000, 60);
    private int account;
    private int id;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        await database.SqlAsync("DELETE FROM importer.record_finish");
        await database.SqlAsync("DELETE FROM importer.work_batch");
        account = await database.AccountAsync();
        await database.SqlAsync("UPDATE importer.account SET token_protected = $2 WHERE id = $1", account, tokens.Protect("1i2"));
        id = await database.ImportAsync(rows: 3, account: account);
        cincopa.OnList = query => Task.FromResult(ScriptedCincopa.Page(query, [asset with { Rid = query.Rid!.Value }]));
        cincopa.OnSetMeta = (rid, _) =>
        {
            written.Add(rid.Value);
            return new ChangeResult.Ok();
        };
    }

    public async ValueTask DisposeAsync() => await database.AssertSoundAsync(id);

    [Theory]
    [InlineData(1000L, null, null, Arrival.Verified)]
    [InlineData(1001L, null, null, Arrival.SizeDiffers)]
    [InlineData(null, 60.0, null, Arrival.Verified)]
    [InlineData(null, 62.0, null, Arrival.Verified)]
    [InlineData(null, 62.1, null, Arrival.DurationDiffers)]
    [InlineData(1000L, 63.0, null, Arrival.DurationDiffers)]
    [InlineData(999L, 60.0, null, Arrival.SizeDiffers)]
    [InlineData(null, null, 1000L, Arrival.Verified)]
    [InlineData(null, null, 1001L, Arrival.SizeDiffers)]
    [InlineData(1000L, null, 1001L, Arrival.Verified)] // The row's word comes before the source's.
    public async Task What_arrived_is_compared_with_the_manifest_and_where_that_is_silent_with_the_source(
        long? bytes, double? seconds, long? source, Arrival arrival)
    {
        await ExpectAsync(1, bytes, seconds, source: source);
        await ImportAsync(1);
        Assert.Equal(Arrival.Unverifiable, (await AssetAsync(1)).Arrival);
        Assert.Equal(1, await Finisher().RunAsync(Token));

        var seen = await AssetAsync(1);
        Assert.Equal((arrival, bytes ?? source, 1000L, seconds, 60.0),
            (seen.Arrival, seen.ExpectedBytes, seen.SizeBytes, seen.ExpectedSeconds, seen.Seconds));
        Assert.Equal([1], await RowsAsync(arrival));
        Assert.Empty(await RowsAsync(Arrival.Unverifiable));
        var counts = (await ReadAsync()).Arrival;
        Assert.Equal((1, 1, 0), (counts.Of(arrival), counts.Compared, counts.Unverifiable));
        Assert.Empty(written);
        Assert.Equal("done", (await RecordAsync(1)).Finish!.State);
    }

    [Fact]
    public async Task Of_a_long_film_one_per_cent_is_allowed()
    {
        asset = Listed(null, 7200);
        await ExpectAsync(1, null, 7270);
        await ExpectAsync(2, null, 7275);
        await ImportAsync(1, 2);
        await Finisher().RunAsync(Token);
        Assert.Equal((Arrival.Verified, Arrival.DurationDiffers), ((await AssetAsync(1)).Arrival, (await AssetAsync(2)).Arrival));
    }

    [Fact]
    public async Task A_record_of_which_nothing_is_expected_costs_no_call_and_no_row()
    {
        await database.AddAsync(new RecordMeta { ImportId = id, RowNumber = 2, ExpectedMd5 = Md5 });
        await ImportAsync(1, 2);
        Assert.Equal(0, await Finisher().RunAsync(Token));
        Assert.Empty(cincopa.Listed);
        Assert.Equal(0L, await database.OneAsync<long>("""
            SELECT (SELECT count(*) FROM importer.record_asset WHERE import_id = $1)
                + (SELECT count(*) FROM importer.work_batch WHERE import_id = $1 AND step = 'finish')
            """, id));
        Assert.Equal([1, 2], await RowsAsync(Arrival.Unverifiable));
        Assert.Equal(new ArrivalCounts(0, 0, 0, 0, 2), (await ReadAsync()).Arrival);
    }

    [Fact]
    public async Task What_the_status_call_confirms_needs_no_other_call_and_what_it_does_not_the_asset_says()
    {
        await ExpectAsync(1, 1000);
        await ExpectAsync(2, 1000);
        await ExpectAsync(3, 1000, 60);
        await ImportAsync(fetched: 1000, 1);
        Assert.Equal((Arrival.Verified, 1000L), ((await AssetAsync(1)).Arrival, (await AssetAsync(1)).SizeBytes));
        Assert.Equal(0, await Finisher().RunAsync(Token));

        // Stale progress is no difference, and a duration is not in the status.
        await ImportAsync(fetched: 990, 2);
        await ImportAsync(fetched: 1000, 3);
        Assert.Equal(2, await Finisher().RunAsync(Token));
        Assert.Equal(["rid2", "rid3"], cincopa.Listed.Select(q => q.Rid!.Value.Value).Order());
        Assert.Equal(new ArrivalCounts(3, 0, 0, 0, 0), (await ReadAsync()).Arrival);
    }

    [Fact]
    public async Task A_confirmed_size_is_not_asked_for_again_when_a_caption_is_written()
    {
        await database.SqlAsync("UPDATE importer.import_record SET caption = 'One' WHERE import_id = $1", id);
        await ExpectAsync(1, 1000);
        await ImportAsync(fetched: 1000, 1);
        Assert.Equal(1, await Finisher().RunAsync(Token));
        Assert.Equal(["rid1"], written);
        Assert.Empty(cincopa.Listed);
    }

    [Theory]
    [InlineData("900150983cd24fb0d6963f7d28e17f72", Arrival.Verified)]
    [InlineData("00000000000000000000000000000000", Arrival.Md5Differs)]
    public async Task Of_a_push_the_size_that_was_sent_is_expected_and_its_md5_is_compared(string md5, Arrival arrival)
    {
        await database.SqlAsync("UPDATE importer.import_record SET is_push = true WHERE import_id = $1", id);
        await database.AddAsync(new RecordMeta { ImportId = id, RowNumber = 1, ExpectedMd5 = md5 });
        var lease = await database.LeaseAsync(id);
        var intents = await database.Transitions.SubmittingAsync(lease, [1], Token);
        await database.AnswerAsync(lease, new Answer(intents[0], RecordState.Imported, null, null, 200, null, null, false, new Rid("rid1"))
        { Sent = new(1000, "abc", Md5) });
        await Finisher().RunAsync(Token);
        var seen = await AssetAsync(1);
        Assert.Equal((arrival, 1000L, 1000L, "abc"), (seen.Arrival, seen.ExpectedBytes, seen.SizeBytes, seen.SentSha256));
    }

    [Fact]
    public async Task An_asset_that_is_adopted_for_a_push_is_compared_with_what_had_been_sent()
    {
        await database.SqlAsync("UPDATE importer.import_record SET is_push = true WHERE import_id = $1", id);
        var lease = await database.LeaseAsync(id);
        var intents = await database.Transitions.SubmittingAsync(lease, [1], Token);
        await database.SqlAsync("""
            INSERT INTO importer.push_upload (import_id, row_number, attempt, url_protected, unique_id, file_name, sent_bytes, total_bytes,
                last_begun_at) VALUES ($1, 1, 1, 'url', 'u', 'f', 500, 1001, now())
            """, id);
        await database.AnswerAsync(lease, EngineDatabase.Failed(intents[0], RecordState.Unknown, FailureCode.ReplyLost));
        Assert.Equal(1, await database.AdoptAsync(id, 1, 1, "rid1"));
        await Finisher().RunAsync(Token);
        Assert.Equal((Arrival.SizeDiffers, 1001L), ((await AssetAsync(1)).Arrival, (await AssetAsync(1)).ExpectedBytes));
    }

    [Fact]
    public async Task Asked_again_only_what_is_expected_is_looked_at_and_nothing_is_written_or_sent()
    {
        await database.SqlAsync("UPDATE importer.import_record SET caption = 'One' WHERE import_id = $1", id);
        await ExpectAsync(1, 1000);
        await ExpectAsync(2, 1000);
        await ImportAsync(1, 2, 3);
        await Finisher().RunAsync(Token);
        written.Clear();

        asset = Listed(900, 60);
        Assert.Equal((1, 0), await Verify().RunAsync(id, new RecordFilter { RowNumbers = [1] }, "ann", Token));
        Assert.Equal((1, 2), await Verify().RunAsync(id, RecordFilter.All, "ann", Token));
        Assert.Null(await Verify().RunAsync(-1, RecordFilter.All, "ann", Token));
        Assert.Equal(2, (await ReadAsync()).Finishing.Pending);
        Assert.Equal(2, await Finisher().RunAsync(Token));

        Assert.Equal(new ArrivalCounts(0, 2, 0, 0, 1), (await ReadAsync()).Arrival);
        Assert.Empty(written);
        Assert.Equal("imported 3", await database.SoundCountsAsync(id));
    }

    [Fact]
    public async Task An_asset_that_Cincopa_does_not_list_any_more_is_no_longer_verified()
    {
        await ExpectAsync(1, 1000, 60);
        await ImportAsync(1);
        await Finisher().RunAsync(Token);
        Assert.Equal(Arrival.Verified, (await AssetAsync(1)).Arrival);

        cincopa.OnList = query => Task.FromResult(ScriptedCincopa.Page(query, []));
        Assert.Equal((1, 0), await Verify().RunAsync(id, new RecordFilter { RowNumbers = [1] }, "ann", Token));
        await Finisher().RunAsync(Token);
        Assert.Equal((Arrival.Unverifiable, 1000L), ((await AssetAsync(1)).Arrival, (await AssetAsync(1)).ExpectedBytes));
        Assert.Equal(0, (await ReadAsync()).Arrival.Verified);
    }

    [Fact]
    public async Task Nothing_is_looked_at_for_a_suspended_account()
    {
        await ExpectAsync(1, 1000);
        await ImportAsync(1);
        await Finisher().RunAsync(Token);
        await database.SqlAsync("UPDATE importer.account SET state = 'suspended', reason = 'No.' WHERE id = $1", account);
        Assert.Equal((0, 1), await Verify().RunAsync(id, RecordFilter.All, "ann", Token));
    }

    [Fact]
    public async Task What_is_being_finished_or_undone_is_not_looked_at_besides()
    {
        await database.SqlAsync("UPDATE importer.import_record SET caption = 'One' WHERE import_id = $1", id);
        await ExpectAsync(1, 1000);
        await ImportAsync(1);
        Assert.Equal((0, 1), await Verify().RunAsync(id, RecordFilter.All, "ann", Token));
        await Finisher().RunAsync(Token);
        Assert.Single(written);

        await database.SqlAsync("UPDATE importer.import SET undo_ordered_at = now() WHERE id = $1", id);
        Assert.Equal((0, 1), await Verify().RunAsync(id, RecordFilter.All, "ann", Token));
    }

    [Fact]
    public async Task An_order_does_not_wait_for_what_is_being_finished()
    {
        await ExpectAsync(1, 1000);
        await ExpectAsync(2, 1000);
        await ImportAsync(1, 2);
        await Finisher().RunAsync(Token);
        await database.SqlAsync("""
            INSERT INTO importer.record_finish (import_id, row_number, account_id, rid, state, next_at, failed_count)
            VALUES ($1, 1, $2, 'rid1', 'pending', now() + interval '1 hour', 1)
            """, id, account);

        await using var finishing = await database.Source.OpenConnectionAsync(Token);
        await using var transaction = await finishing.BeginTransactionAsync(Token);
        await finishing.ExecuteAsync("SELECT 1 FROM importer.record_finish WHERE import_id = $1 FOR UPDATE", Token, id);
        Assert.Equal((1, 1), await Verify().RunAsync(id, RecordFilter.All, "ann", Token).WaitAsync(TimeSpan.FromSeconds(30), Token));
    }

    [Fact]
    public async Task A_token_that_may_not_look_writes_the_texts_and_the_look_can_be_done_later()
    {
        await database.SqlAsync("UPDATE importer.import_record SET caption = 'One' WHERE import_id = $1", id);
        await ExpectAsync(1, 1000);
        await ImportAsync(1);
        var list = cincopa.OnList;
        cincopa.OnList = _ => Task.FromResult<AssetListResult>(
            new AssetListResult.Failed(ScriptedCincopa.Error(RemoteErrorKind.PermissionMissing)));
        await Finisher().RunAsync(Token);
        Assert.Equal(["rid1"], written);
        var finish = (await RecordAsync(1)).Finish!;
        Assert.Equal(("failed", "permission_missing", Arrival.Unverifiable), (finish.State, finish.Code, (await AssetAsync(1)).Arrival));

        cincopa.OnList = list;
        await new FinishAgain(database.Source).RunAsync(id, RecordFilter.All, "ann", Token);
        await Finisher().RunAsync(Token);
        Assert.Equal(Arrival.Verified, (await AssetAsync(1)).Arrival);
    }

    [Fact]
    public async Task What_differs_is_sent_again_only_when_a_person_selects_that_and_its_asset_is_named_and_left()
    {
        await ExpectAsync(1, 1000);
        await ExpectAsync(2, 999);
        await ImportAsync(1, 2);
        await Finisher().RunAsync(Token);
        // As of an asset that was adopted for a record in doubt: no call was seen to be accepted.
        await database.SqlAsync("UPDATE importer.import_record SET submitted_at = NULL WHERE import_id = $1 AND row_number = 2", id);

        var refused = Assert.IsType<RerunDone>(await database.RerunAsync(id, new RecordFilter { State = RecordState.Imported }));
        Assert.Equal((0, 2), (refused.Rerun, Assert.Single(refused.Left).Count));
        Assert.IsType<RerunDone>(await database.RerunAsync(id, new RecordFilter { Arrival = Arrival.Verified }));
        Assert.Equal(RecordState.Imported, await database.StateAsync(id, 1));

        var done = Assert.IsType<RerunDone>(await database.RerunAsync(id, new RecordFilter { Arrival = Arrival.SizeDiffers }));
        Assert.Equal((1, 0), (done.Rerun, done.Left.Count));
        Assert.Equal("pending attempt 1 left 5 twice", await database.RecordAsync(id, 2));
        Assert.Equal("pending 2, imported 1", await database.SoundCountsAsync(id));
        Assert.Equal(new ArrivalCounts(1, 0, 0, 0, 0), (await ReadAsync()).Arrival);
        var attempt = Assert.Single((await new ReadRecords(database.Contexts).FindAsync(id, 2, Token))!.Attempts);
        Assert.Equal("Its asset rid2 differs from what was expected. It stays in Cincopa, and the row was sent again.", attempt.Message);
        Assert.Empty(cincopa.Deleted);
    }

    [Theory]
    [InlineData(100, "running")]
    [InlineData(50, "running")]
    [InlineData(49, "paused")]
    public async Task An_import_of_which_too_much_differs_is_paused_if_it_is_to_be(int percent, string state)
    {
        await database.SqlAsync(
            "UPDATE importer.import SET stop_at_difference_percent = $2, stop_after_rows = 2 WHERE id = $1", id, percent);
        await ExpectAsync(1, 1000);
        await ExpectAsync(2, 1001);
        await ImportAsync(1);
        await Finisher().RunAsync(Token);
        await database.Follow.RunAsync(Token);
        Assert.Equal("running", await database.ImportStateAsync(id));

        await ImportAsync(2);
        await Finisher().RunAsync(Token);
        await database.Follow.RunAsync(Token);
        Assert.Equal(state, await database.ImportStateAsync(id));
        if (state == "running") return;
        Assert.StartsWith("Paused by itself: 1 of the last 2 assets that were compared differ", (await ReadAsync()).Reason,
            StringComparison.Ordinal);

        // From here on it judges what comes.
        await new ResumeImport(database.Source).RunAsync(id, "ann", Token);
        await database.Follow.RunAsync(Token);
        Assert.Equal("running", await database.ImportStateAsync(id));
    }

    [Theory]
    [InlineData("reply_lost")]
    [InlineData("rate_limited")]
    [InlineData("bad_gateway")]
    [InlineData("permission_missing")]
    [InlineData("invalid_json")]
    [InlineData("hang")]
    public async Task Whatever_becomes_of_the_call_the_comparison_ends(string fault)
    {
        await using var simulator = await SimulatorHost.StartAsync(cancellationToken: Token);
        using var client = new CincopaClient(new CincopaClientOptions { ReadTimeout = TimeSpan.FromSeconds(1) }, TimeProvider.System);
        simulator.Simulator.Script = FaultScript.Parse("""{"importMs":0}"""u8);
        await database.SqlAsync("UPDATE importer.account SET base_url = $2 WHERE id = $1", account, simulator.BaseAddress.ToString());
        var access = new CincopaAccess(simulator.BaseAddress, "1i2");
        var accepted = Assert.IsType<SubmitResult.Accepted>(
            await client.UploadFromUrlAsync(access, "https://media.example/cut-1.mp4", null, Token));
        var done = Assert.IsType<StatusResult.Done>(await client.GetUploadStatusAsync(access, accepted.StatusId, Token));
        await ExpectAsync(1, done.Bytes * 2);
        await ImportAsync(done.Bytes, done.Rid.Value, 1);
        simulator.Simulator.Script = FaultScript.Parse(
            System.Text.Encoding.UTF8.GetBytes($$"""{"rules":[{"on":"list","fault":"{{fault}}","times":1}]}"""));

        for (var round = 0; round < 4 && (await AssetAsync(1)).Arrival == Arrival.Unverifiable; round++)
        {
            await database.SqlAsync("UPDATE importer.record_finish SET state = 'pending', next_at = now()");
            await database.SqlAsync("UPDATE importer.work_batch SET next_at = now()");
            await database.SqlAsync("UPDATE importer.call_budget SET blocked_until = NULL WHERE account_id = $1", account);
            await Finisher(client).RunAsync(Token);
        }

        Assert.Equal(Arrival.SizeDiffers, (await AssetAsync(1)).Arrival);
        Assert.Equal("imported", (await RecordAsync(1)).State.ToString().ToLowerInvariant());
        Assert.Equal(0L, await database.OneAsync<long>("SELECT count(*) FROM importer.record_finish WHERE import_id = $1", id));
        Assert.Equal(2, simulator.Simulator.Ledger.Summarise().Operations[Operation.List]);
    }

    private static RemoteAsset Listed(long? bytes, double seconds) => new(
        new Rid("any"), "clip.mp4", bytes, null, null, null, "video", "synced", Duration: TimeSpan.FromSeconds(seconds));

    private Task ExpectAsync(int row, long? bytes, double? seconds = null, long? source = null) => database.AddAsync(new RecordMeta
    { ImportId = id, RowNumber = row, ExpectedBytes = bytes, ExpectedSeconds = seconds, SourceBytes = source });

    private Task ImportAsync(params int[] rows) => ImportAsync(null, rows);

    private Task ImportAsync(long? fetched, params int[] rows) => ImportAsync(fetched, null, rows);

    private async Task ImportAsync(long? fetched, string? rid, params int[] rows)
    {
        await database.SubmitAsync(id, 1, rows);
        await database.Transitions.ConcludedAsync([.. rows.Select(row => new Conclusion(id, row, new StatusId($"st-{row}-1"),
            RecordState.Imported, new Rid(rid ?? $"rid{row}"), null, null, null, Bytes: fetched))], Token);
        await database.SqlAsync("DELETE FROM importer.work_batch WHERE step = 'look'");
    }

    private FinishRecords Finisher(ICincopaClient? remote = null)
    {
        remote ??= cincopa;
        return new(Rounds.Over(database.Source, tokens, remote),
            new NameGallery(database.Source, remote, NullLogger<NameGallery>.Instance),
            new RetrySchedule(TimeSpan.FromSeconds(2), TimeSpan.FromMinutes(10), () => 0.5),
            Options.Create(new ManifestOptions()), NullLogger<FinishRecords>.Instance);
    }

    private VerifyArrival Verify() => new(database.Source);

    private async Task<RecordView> RecordAsync(int row) => (await new ReadRecords(database.Contexts).FindAsync(id, row, Token))!.Record;

    private async Task<AssetView> AssetAsync(int row) => (await RecordAsync(row)).Asset!;

    private async Task<List<int>> RowsAsync(Arrival arrival) =>
        [.. (await new ReadRecords(database.Contexts).ListAsync(id, new RecordFilter { Arrival = arrival }, 0, 10, Token))
            .Items.Select(r => r.RowNumber)];

    private async Task<ImportView> ReadAsync() =>
        (await new ReadImports(database.Contexts, Options.Create(new WorkOptions())).FindAsync(id, Token))!;
}
