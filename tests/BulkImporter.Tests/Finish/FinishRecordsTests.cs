using System.Net.Http.Json;
using System.Text.Json;
using BulkImporter.Accounts;
using BulkImporter.Finish;
using BulkImporter.Manifests;
using BulkImporter.Records;
using BulkImporter.Tests.Accounts;
using Cincopa.Client;
using Cincopa.Simulator;
using Cincopa.Simulator.Faults;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Npgsql;

namespace BulkImporter.Tests.Finish;

/// <summary>Stage 6 against the simulator: what the assets look like afterwards is judged there.</summary>
public sealed class FinishRecordsTests(EngineDatabase database) : IClassFixture<EngineDatabase>, IAsyncLifetime
{
    private readonly ProtectToken tokens = new(new EphemeralDataProtectionProvider());
    private readonly CincopaClient cincopa = new(new CincopaClientOptions(), TimeProvider.System);
    private SimulatorHost simulator = null!;
    private CincopaAccess access = null!;
    private int account;
    private int id;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        await database.SqlAsync("DELETE FROM importer.record_finish");
        await database.SqlAsync("DELETE FROM importer.work_batch");
        simulator = await SimulatorHost.StartAsync(cancellationToken: Token);
        Behave("""{"importMs":0}""");
        access = new CincopaAccess(simulator.BaseAddress, "1i2");
        account = await database.AccountAsync();
        await database.SqlAsync("UPDATE importer.account SET base_url = $2, token_protected = $3 WHERE id = $1", account,
            simulator.BaseAddress.ToString(), tokens.Protect("1i2"));
        id = await database.ImportAsync(rows: 3, account: account);
    }

    public async ValueTask DisposeAsync()
    {
        cincopa.Dispose();
        await simulator.DisposeAsync();
    }

    [Fact]
    public async Task What_the_listing_of_an_asset_says_is_kept_and_none_is_listed_for_it()
    {
        await SaysAsync(1, "reference_id = 'ref-1'");
        await SaysAsync(2, "caption = 'Only a caption'");
        var rid = await ImportAsync(1);
        await ImportAsync(2);
        Assert.Equal(2, await Finisher().RunAsync(Token));
        Assert.Equal([$"1 {rid} video true https"], await database.Source.QueryAsync("""
            SELECT concat_ws(' ', row_number, rid, type, playable::text, left(replace(thumbnail_url, 'http://', 'https://'), 5))
            FROM importer.record_asset WHERE import_id = $1 AND size_bytes > 0 AND seconds > 0 AND file_url LIKE '%/media/%'
            """, r => r.GetString(0), Token, id));
        Assert.Equal(1, simulator.Simulator.Ledger.Summarise().Operations[Operation.List]);
    }

    [Fact]
    public async Task An_imported_record_gets_its_texts_tags_reference_id_and_gallery_and_is_submitted_once()
    {
        await SaysAsync(1, "caption = 'Clip, one', reference_id = 'ref-1'",
            description: "Short", longDescription: "Long", tags: "a,b", linkText: "Shop", linkUrl: "https://shop.test/1",
            gallery: "Spring");
        var rid = await ImportAsync(1);
        Assert.Equal("pending", (await FinishAsync(1)).State);

        Assert.Equal(1, await Finisher().RunAsync(Token));

        Assert.Equal("done", (await FinishAsync(1)).State);
        Assert.Equal(
            ["caption=Clip, one", "description=Short", "long_description=Long", "reference_id=ref-1", "related_link_text=Shop",
                "related_link_url=https://shop.test/1", "tags=a,b"],
            await MetaAsync(rid));
        Assert.Equal([rid], await GalleryAsync("Spring"));
        Assert.Equal(1, simulator.Simulator.Ledger.Summarise().SubmitsReceived);
        Assert.Equal(RecordState.Imported, await database.StateAsync(id, 1));
        Assert.Equal(0, await Finisher().RunAsync(Token));
    }

    // One question, asked twice: by the change that imports a record, and by what is shown of it.
    [Theory]
    [InlineData("import_record", "caption = 'One'", true)]
    [InlineData("import_record", "reference_id = 'ref-1'", true)]
    [InlineData("import_record", "is_push = true", true)]
    [InlineData("record_meta", "description = 'Short'", true)]
    [InlineData("record_meta", "long_description = 'Long'", true)]
    [InlineData("record_meta", "tags = 'a,b'", true)]
    [InlineData("record_meta", "related_link_text = 'Shop'", true)]
    [InlineData("record_meta", "related_link_url = 'https://shop.test/1'", true)]
    [InlineData("record_meta", "gallery = 'Spring'", true)]
    [InlineData("record_meta", "expected_bytes = 7", true)]
    [InlineData("record_meta", "source_bytes = 7", true)]
    [InlineData("record_meta", "expected_seconds = 7", true)]
    [InlineData("record_meta", "expected_md5 = 'm'", false)]
    [InlineData("record_meta", "fid = 'A1'", false)]
    [InlineData("record_meta", "file_name = 'one.mp4'", false)]
    public async Task What_a_record_says_alone_is_both_finished_and_told_of_or_neither(string table, string says, bool isToFinish)
    {
        await SaysAsync(1, "caption = NULL, reference_id = NULL");
        await database.SqlAsync($"UPDATE importer.{table} SET {says} WHERE import_id = $1 AND row_number = 1", id);
        await ImportAsync(1);
        Assert.Equal(isToFinish ? 1 : 0, await database.OneAsync<long>(
            "SELECT count(*) FROM importer.work_batch WHERE import_id = $1 AND step = 'finish' AND 1 = ANY (rows)", id));
        Assert.Equal(isToFinish ? "pending" : null, (await FinishAsync(1))?.State);
    }

    [Fact]
    public async Task A_record_that_says_nothing_has_nothing_to_be_finished_and_an_import_ends_when_the_others_are()
    {
        await SaysAsync(2, "caption = 'Two'");
        foreach (var row in new[] { 1, 2, 3 }) await ImportAsync(row);
        Assert.Null((await new ReadRecords(database.Contexts).FindAsync(id, 1, Token))!.Record.Finish);

        await database.Follow.RunAsync(Token);
        Assert.Equal("running", await database.ImportStateAsync(id));
        await Finisher().RunAsync(Token);
        await database.Follow.RunAsync(Token);
        Assert.Equal("finished", await database.ImportStateAsync(id));
    }

    [Fact]
    public async Task A_reference_id_that_is_not_ours_stays_and_everything_else_is_written()
    {
        await SaysAsync(1, "caption = 'One', reference_id = 'ours'", gallery: "Spring");
        var rid = await ImportAsync(1);
        await cincopa.SetMetaAsync(access, new Rid(rid), new AssetMeta { ReferenceId = "theirs" }, Token);

        await Finisher().RunAsync(Token);

        var finish = await FinishAsync(1);
        Assert.Equal(("failed", FinishRecords.ReferenceIdTaken), (finish.State, finish.Code));
        Assert.Contains("theirs", finish.Message, StringComparison.Ordinal);
        Assert.Equal(["caption=One", "reference_id=theirs"], await MetaAsync(rid));
        Assert.Equal([rid], await GalleryAsync("Spring"));
    }

    [Theory]
    [InlineData("""{"importMs":0,"rules":[{"on":"set_meta","fault":"unavailable","times":1}]}""")]
    [InlineData("""{"importMs":0,"rules":[{"on":"set_meta","fault":"reply_lost","times":1}]}""")]
    [InlineData("""{"importMs":0,"rules":[{"on":"set_meta","fault":"empty_reply","times":1}]}""")]
    [InlineData("""{"importMs":0,"rules":[{"on":"list","fault":"bad_gateway","times":1}]}""")]
    [InlineData("""{"importMs":0,"rules":[{"on":"gallery_add_item","fault":"reset","times":1}]}""")]
    [InlineData("""{"importMs":0,"rules":[{"on":"gallery_list","fault":"invalid_json","times":1}]}""")]
    public async Task What_fails_for_the_moment_is_done_again_and_told(string script)
    {
        await SaysAsync(1, "caption = 'One', reference_id = 'ref-1'", gallery: "Spring");
        var rid = await ImportAsync(1);
        Behave(script);

        await Finisher().RunAsync(Token);
        var finish = await FinishAsync(1);
        Assert.Equal(("pending", 1), (finish.State, finish.Failures));
        Assert.NotNull(finish.Message);

        await DueAsync();
        await Finisher().RunAsync(Token);
        Assert.Equal("done", (await FinishAsync(1)).State);
        Assert.Equal(["caption=One", "reference_id=ref-1"], await MetaAsync(rid));
        Assert.Equal([rid], await GalleryAsync("Spring"));
    }

    [Fact]
    public async Task After_the_last_try_it_has_failed_and_a_person_orders_it_again()
    {
        await SaysAsync(1, "caption = 'One'");
        var rid = await ImportAsync(1);
        Behave("""{"importMs":0,"rules":[{"on":"set_meta","fault":"unavailable"}]}""");
        foreach (var _ in new[] { 1, 2 })
        {
            await DueAsync();
            await Finisher(attempts: 2).RunAsync(Token);
        }
        Assert.Equal(("failed", "remote_error", 2),
            ((await FinishAsync(1)).State, (await FinishAsync(1)).Code, (await FinishAsync(1)).Failures));

        Behave("""{"importMs":0}""");
        Assert.Equal(0, await Finisher().RunAsync(Token));
        Assert.Equal(0, await new FinishAgain(database.Source).RunAsync(id, new RecordFilter { Finish = "done" }, "ann", Token));
        Assert.Equal(1, await new FinishAgain(database.Source).RunAsync(id, new RecordFilter { Finish = "failed" }, "ann", Token));
        Assert.Null(await new FinishAgain(database.Source).RunAsync(-1, RecordFilter.All, "ann", Token));
        await Finisher().RunAsync(Token);
        Assert.Equal("done", (await FinishAsync(1)).State);
        Assert.Equal(["caption=One"], await MetaAsync(rid));
    }

    [Fact]
    public async Task A_token_that_may_not_write_fails_the_finishing_and_does_not_suspend_an_account_that_imports()
    {
        await SaysAsync(1, "caption = 'One'");
        await ImportAsync(1);
        simulator.Simulator.Tokens.Set(new() { Token = "1i2", Permissions = "|asset.read|asset.upload|" });

        await Finisher().RunAsync(Token);

        Assert.Equal(("failed", "permission_missing"), ((await FinishAsync(1)).State, (await FinishAsync(1)).Code));
        Assert.Equal("active", await database.OneAsync<string>("SELECT state FROM importer.account WHERE id = $1", account));
    }

    [Fact]
    public async Task Asked_to_wait_everyone_waits_and_no_try_is_lost()
    {
        await SaysAsync(1, "caption = 'One'");
        await ImportAsync(1);
        Behave("""{"importMs":0,"rules":[{"on":"set_meta","fault":"rate_limited","retryAfterSeconds":60}]}""");

        await Finisher().RunAsync(Token);
        Assert.Equal(("pending", 0), ((await FinishAsync(1)).State, (await FinishAsync(1)).Failures));
        await DueAsync();
        Assert.Equal(0, await Finisher().RunAsync(Token));
    }

    [Fact]
    public async Task A_gallery_that_a_hundred_rows_name_is_made_once_by_four_workers_at_a_time()
    {
        var import = await database.ImportAsync(rows: 100, chunkSize: 100, account: account);
        foreach (var row in Enumerable.Range(1, 100))
            await SaysAsync(row, "caption = NULL", gallery: row % 2 == 0 ? "Even" : "Odd", import: import);
        foreach (var row in Enumerable.Range(1, 100)) await ImportAsync(row, import);
        // The reply to the first creation is lost: the gallery is there all the same.
        Behave("""{"importMs":0,"rules":[{"on":"gallery_create","fault":"reply_lost","times":1}]}""");

        while (await database.OneAsync<long>("""
            SELECT (SELECT count(*) FROM importer.record_finish WHERE import_id = $1)
                + (SELECT count(*) FROM importer.work_batch WHERE import_id = $1 AND step = 'finish')
            """, import) > 0)
        {
            await DueAsync();
            await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Finisher(attempts: 100).RunAsync(Token)));
        }

        Assert.Equal((50, 50), ((await GalleryAsync("Even")).Count, (await GalleryAsync("Odd")).Count));
        Assert.Equal(2,
            Assert.IsType<GalleryListResult.Ok>(await cincopa.ListGalleriesAsync(access, new GalleryListQuery(), Token)).Items.Count);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Assets_join_a_gallery_with_a_call_for_many_and_one_that_is_gone_keeps_out_no_other(bool gone)
    {
        const int rows = FinishRecords.MostToJoin + 10;
        var import = await database.ImportAsync(rows: rows, chunkSize: rows, account: account);
        foreach (var row in Enumerable.Range(1, rows)) await SaysAsync(row, "caption = NULL", gallery: "Spring", import: import);
        var rids = new List<string>();
        foreach (var row in Enumerable.Range(1, rows)) rids.Add(await ImportAsync(row, import));
        if (gone)
        {
            await cincopa.DeleteAssetAsync(access, new Rid(rids[2]), Token);
            rids.RemoveAt(2);
        }

        // One round: the first to come looks for the gallery and makes it, and the others wait for that answer.
        await DueAsync();
        Assert.Equal(rows, await Finisher().RunAsync(Token));

        var operations = simulator.Simulator.Ledger.Summarise().Operations;
        Assert.Equal((1, 1), (operations[Operation.GalleryList], operations[Operation.GalleryCreate]));
        Assert.Equal(gone ? 1 + FinishRecords.MostToJoin + 1 : 2, operations[Operation.GalleryAddItem]);
        Assert.Equal(rids.Order(), (await GalleryAsync("Spring")).Order());
        Assert.Equal(gone ? 1 : 0, await database.OneAsync<long>(
            "SELECT count(*) FROM importer.record_finish WHERE import_id = $1 AND row_number = 3 AND error_code IS NOT NULL", import));
        Assert.Equal(gone ? 1 : 0, await database.OneAsync<long>(
            "SELECT count(*) FROM importer.record_finish WHERE import_id = $1", import));
    }

    [Fact]
    public async Task What_throws_while_a_gallery_is_joined_is_told_of_each_that_would_have_joined()
    {
        foreach (var row in new[] { 1, 2 })
        {
            await SaysAsync(row, "caption = NULL", gallery: "Spring");
            await ImportAsync(row);
        }
        await database.AddAsync(new NamedGallery { AccountId = account, Name = "Spring", Fid = "f", ClaimedUntil = DateTimeOffset.UtcNow });
        await Finisher(remote: new ScriptedCincopa { OnAddItems = (_, _) => throw new FormatException("odd") }).RunAsync(Token);
        foreach (var row in new[] { 1, 2 })
            Assert.Equal(("pending", FinishRecords.Unexpected, "FormatException: odd"),
                ((await FinishAsync(row)).State, (await FinishAsync(row)).Code, (await FinishAsync(row)).Message));
    }

    [Fact]
    public async Task Texts_that_take_all_the_time_there_is_leave_some_to_join_the_gallery()
    {
        await SaysAsync(1, "caption = 'One'", gallery: "Spring");
        await ImportAsync(1);
        await database.AddAsync(new NamedGallery { AccountId = account, Name = "Spring", Fid = "f", ClaimedUntil = DateTimeOffset.UtcNow });
        var clock = new SteppedClock();
        var joined = 0;
        var remote = new ScriptedCincopa
        {
            OnSetMeta = (_, _) =>
            {
                clock.Advance(new WorkOptions().LeaseDuration + TimeSpan.FromSeconds(1));
                return new ChangeResult.Ok();
            },
            OnAddItems = (_, _) =>
            {
                joined++;
                return new ChangeResult.Ok();
            },
        };
        await Finisher(remote: remote, clock: clock).RunAsync(Token);
        Assert.Equal((1, "done"), (joined, (await FinishAsync(1)).State));
    }

    [Fact]
    public async Task Who_waits_for_a_worker_that_died_over_the_gallery_loses_no_try()
    {
        await SaysAsync(1, "caption = 'One'", gallery: "Spring");
        var rid = await ImportAsync(1);
        await database.AddAsync(
            new NamedGallery { AccountId = account, Name = "Spring", ClaimedUntil = DateTimeOffset.UtcNow.AddSeconds(90) });
        Behave("""{"importMs":0,"rules":[{"on":"set_meta","fault":"unavailable","times":1}]}""");

        for (var round = 0; round < 3; round++)
        {
            await DueAsync();
            Assert.Equal(1, await Finisher(attempts: 2).RunAsync(Token));
        }
        Assert.Equal(("pending", 0), ((await FinishAsync(1)).State, (await FinishAsync(1)).Failures));

        await database.SqlAsync("UPDATE importer.named_gallery SET claimed_until = now()");
        foreach (var _ in new[] { 1, 2 })
        {
            await DueAsync();
            await Finisher(attempts: 2).RunAsync(Token);
        }
        Assert.Equal("done", (await FinishAsync(1)).State);
        Assert.Equal(["caption=One"], await MetaAsync(rid));
        Assert.Equal([rid], await GalleryAsync("Spring"));
    }

    [Fact]
    public async Task Who_made_a_gallery_and_cannot_write_it_down_keeps_nobody_waiting_and_it_is_made_once()
    {
        await SaysAsync(1, "caption = 'One'", gallery: "Spring");
        var rid = await ImportAsync(1);
        await database.SqlAsync("ALTER TABLE importer.named_gallery ADD CONSTRAINT refused CHECK (fid IS NULL) NOT VALID");
        await DueAsync();
        Assert.Equal(1, await Finisher().RunAsync(Token));
        await database.SqlAsync("ALTER TABLE importer.named_gallery DROP CONSTRAINT refused");
        Assert.True(await database.OneAsync<bool>(
            "SELECT claimed_until < now() + interval '6 seconds' FROM importer.named_gallery WHERE fid IS NULL"));

        await DueAsync();
        Assert.Equal(1, await Finisher().RunAsync(Token));
        Assert.Equal("done", (await FinishAsync(1)).State);
        Assert.Equal([rid], await GalleryAsync("Spring"));
    }

    [Fact]
    public async Task A_gallery_that_is_known_costs_neither_a_call_nor_a_statement()
    {
        var own = NpgsqlDataSource.Create(database.ConnectionString);
        var galleries = new NameGallery(own, cincopa, NullLogger<NameGallery>.Instance);
        using var calls = await CallsAsync();
        var known = Assert.IsType<GalleryNamed.Known>(await galleries.RunAsync(account, calls, "Spring"));

        await own.DisposeAsync();
        Assert.Equal(known, await galleries.RunAsync(account, calls, "Spring"));
        Assert.Equal(1, simulator.Simulator.Ledger.Summarise().Operations[Operation.GalleryList]);
        await Assert.ThrowsAsync<ObjectDisposedException>(() => galleries.RunAsync(account, calls, "Autumn"));
    }

    [Fact]
    public async Task Looking_for_a_gallery_and_making_it_takes_a_permit_each()
    {
        await database.SqlAsync("UPDATE importer.account SET status_rate = 2 WHERE id = $1", account);
        var before = await database.OneAsync<DateTime>("SELECT clock_timestamp()");
        using var calls = await CallsAsync();
        var galleries = new NameGallery(database.Source, cincopa, NullLogger<NameGallery>.Instance);
        Assert.IsType<GalleryNamed.Known>(await galleries.RunAsync(account, calls, "Spring"));

        // Half a second for each.
        Assert.True(await database.OneAsync<bool>(
            "SELECT next_at >= $2 + interval '1 second' FROM importer.call_budget WHERE account_id = $1 AND kind = 'status'", account, before));
    }

    [Fact]
    public async Task A_gallery_that_may_not_be_made_costs_no_texts()
    {
        await SaysAsync(1, "caption = 'One'", gallery: "Spring");
        var rid = await ImportAsync(1);
        simulator.Simulator.Tokens.Set(new() { Token = "1i2", Permissions = "|asset.read|asset.write|asset.upload|gallery.read|" });

        await Finisher().RunAsync(Token);

        Assert.Equal(("failed", "permission_missing"), ((await FinishAsync(1)).State, (await FinishAsync(1)).Code));
        Assert.Equal(["caption=One"], await MetaAsync(rid));
    }

    [Fact]
    public async Task A_text_that_no_call_can_hold_is_told_and_the_others_are_written()
    {
        await SaysAsync(1, "caption = 'One'", description: new string('d', 1600), longDescription: new string('ß', 1000));
        var rid = await ImportAsync(1);
        await Finisher().RunAsync(Token);
        Assert.Equal(("failed", FinishRecords.ValueTooLong), ((await FinishAsync(1)).State, (await FinishAsync(1)).Code));
        Assert.Contains("long_description takes 6000", (await FinishAsync(1)).Message, StringComparison.Ordinal);
        Assert.Equal(["caption=One", "description=" + new string('d', 1600)], await MetaAsync(rid));
    }

    [Theory]
    [InlineData(1_200, "done")]
    [InlineData(1_199, "failed")]
    public async Task How_much_a_call_holds_is_a_setting(int longestText, string state)
    {
        await SaysAsync(1, "caption = 'One'", longDescription: new string('ß', 200));
        var rid = await ImportAsync(1);

        await Finisher(longestText: longestText).RunAsync(Token);

        Assert.Equal(state, (await FinishAsync(1)).State);
        Assert.Equal(state == "done" ? ["caption=One", "long_description=" + new string('ß', 200)] : ["caption=One"], await MetaAsync(rid));
        if (state == "failed") Assert.Contains("assumed to allow 1199", (await FinishAsync(1)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Gallery_name_that_is_longer_than_any_may_be_fails_its_own_record_and_says_so()
    {
        await SaysAsync(1, "caption = 'One'", gallery: string.Concat(Enumerable.Range(0, 9000).Select(n => (char)('a' + n * 7919 % 26))));
        await ImportAsync(1);
        await Finisher().RunAsync(Token);
        Assert.Equal("failed", (await FinishAsync(1)).State);
        Assert.Contains("9,000 characters", (await FinishAsync(1)).Message, StringComparison.Ordinal);
    }

    /// <summary>What the manifest says of a row.</summary>
    private async Task SaysAsync(int row, string record, string? description = null, string? longDescription = null, string? tags = null,
        string? linkText = null, string? linkUrl = null, string? gallery = null, int? import = null)
    {
        await database.SqlAsync($"UPDATE importer.import_record SET {record} WHERE import_id = $1 AND row_number = $2", import ?? id, row);
        await database.AddAsync(new RecordMeta
        {
            ImportId = import ?? id,
            RowNumber = row,
            Description = description,
            LongDescription = longDescription,
            Tags = tags,
            RelatedLinkText = linkText,
            RelatedLinkUrl = linkUrl,
            Gallery = gallery,
        });
    }

    /// <summary>Submits a row for real and concludes it with its asset. Returns the asset's rid.</summary>
    private async Task<string> ImportAsync(int row, int? import = null)
    {
        var accepted =
            Assert.IsType<SubmitResult.Accepted>(await cincopa.UploadFromUrlAsync(access, $"https://media.example/{row}.mp4", null, Token));
        var done = Assert.IsType<StatusResult.Done>(await cincopa.GetUploadStatusAsync(access, accepted.StatusId, Token));
        await database.SubmitAsync(import ?? id, 1, row);
        Assert.Equal(1,
            await database.Transitions.ConcludedAsync(
                [new(import ?? id, row, new StatusId($"st-{row}-1"), RecordState.Imported, done.Rid, null, null, null)], Token));
        return done.Rid.Value;
    }

    private FinishRecords Finisher(
        int attempts = 8, int longestText = 1_700, ICincopaClient? remote = null, NpgsqlDataSource? source = null,
        TimeProvider? clock = null)
    {
        (remote, source) = (remote ?? cincopa, source ?? database.Source);
        return new(Rounds.Over(source, tokens, remote, clock),
            new NameGallery(source, remote, NullLogger<NameGallery>.Instance),
            new RetrySchedule(TimeSpan.FromSeconds(2), TimeSpan.FromMinutes(10), () => 0.5),
            Options.Create(new ManifestOptions { MaxEncodedLength = longestText + 100 }), NullLogger<FinishRecords>.Instance)
        { Attempts = attempts };
    }

    /// <summary>The right to call, of a round with one record.</summary>
    private async Task<AccountCalls> CallsAsync()
    {
        var needs = Rounds.Over(database.Source, tokens, cincopa);
        return new(needs, account, await needs.Accounts.GetAsync(account, Token), items: 1, late: Token, stop: Token);
    }

    private void Behave(string script) => simulator.Simulator.Script = FaultScript.Parse(System.Text.Encoding.UTF8.GetBytes(script));

    private async Task DueAsync()
    {
        await database.SqlAsync("UPDATE importer.record_finish SET next_at = now() WHERE state = 'pending'");
        await database.SqlAsync("UPDATE importer.work_batch SET next_at = now()");
        // A name that rests after a failure; a claim that somebody holds runs longer.
        await database.SqlAsync(
            "UPDATE importer.named_gallery SET claimed_until = now() WHERE fid IS NULL AND claimed_until < now() + interval '1 minute'");
    }

    private async Task<FinishView> FinishAsync(int row) =>
        (await new ReadRecords(database.Contexts).FindAsync(id, row, Token))!.Record.Finish!;

    private async Task<List<string>> MetaAsync(string rid)
    {
        using var http = new HttpClient();
        var assets = (await http.GetFromJsonAsync<JsonElement>(new Uri(simulator.BaseAddress, "/_sim/assets"), Token))
            .GetProperty("assets");
        var meta = assets.EnumerateArray().Single(a => a.GetProperty("rid").GetString() == rid).GetProperty("meta");
        return [.. meta.EnumerateObject().Select(m => $"{m.Name}={m.Value.GetString()}").Order(StringComparer.Ordinal)];
    }

    private async Task<List<string>> GalleryAsync(string name)
    {
        var galleries = Assert.IsType<GalleryListResult.Ok>(
            await cincopa.ListGalleriesAsync(access, new GalleryListQuery { Search = "caption=" + name }, Token)).Items;
        var items =
            Assert.IsType<AssetListResult.Ok>(await cincopa.ListGalleryItemsAsync(access, Assert.Single(galleries).Fid, 1, 100, Token));
        return [.. items.Items.Select(i => i.Rid.Value)];
    }
}
