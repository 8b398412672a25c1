using BulkImporter.Accounts;
using BulkImporter.Data;
using BulkImporter.Imports;
using BulkImporter.Records;
using BulkImporter.Rerun;
using BulkImporter.Tests.Accounts;
using BulkImporter.Undo;
using Cincopa.Client;
using Cincopa.Simulator;
using Cincopa.Simulator.Faults;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace BulkImporter.Tests.Undo;

/// <summary>The undo of an import against the simulator, whose assets and ledger say what was deleted and how often it was asked for.</summary>
public sealed class UndoImportTests(EngineDatabase database) : IClassFixture<EngineDatabase>, IAsyncLifetime
{
    private readonly ProtectToken tokens = new(new EphemeralDataProtectionProvider());
    private readonly CincopaClient cincopa =
        new(new CincopaClientOptions { ReadTimeout = TimeSpan.FromSeconds(1) }, TimeProvider.System);
    private SimulatorHost simulator = null!;
    private CincopaAccess access = null!;
    private int account;
    private int id;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        await database.SqlAsync("DELETE FROM importer.record_undo");
        await database.SqlAsync("DELETE FROM importer.work_batch");
        simulator = await SimulatorHost.StartAsync(cancellationToken: Token);
        Behave("""{"importMs":0}""");
        access = new CincopaAccess(simulator.BaseAddress, "1i2");
        account = await database.AccountAsync();
        await database.SqlAsync("UPDATE importer.account SET base_url = $2, token_protected = $3 WHERE id = $1", account,
            simulator.BaseAddress.ToString(), tokens.Protect("1i2"));
        id = await ImportAsync(6);
    }

    public async ValueTask DisposeAsync()
    {
        cincopa.Dispose();
        await simulator.DisposeAsync();
    }

    [Fact]
    public async Task Only_what_the_import_made_and_no_other_record_has_is_deleted_and_the_rest_is_told()
    {
        var other = await ImportAsync(2);
        string[] own = [await MakeAsync(id, 1), await MakeAsync(id, 2)];
        var twice = await MakeAsync(id, 3);
        await database.SqlAsync("UPDATE importer.import_record SET possibly_duplicated = true WHERE import_id = $1 AND row_number = 3", id);
        var adopted = await AdoptedAsync(id, 4);
        await database.Transitions.SubmittingAsync(await database.LeaseAsync(id), [5], Token);
        await database.ExpireAsync(id);
        await database.Transitions.RescuedAsync(id, 1, Token);
        var shared = await MakeAsync(id, 6);
        await MakeAsync(other, 1, shared);
        var others = await MakeAsync(other, 2);
        await EndAsync(id);
        await EndAsync(other);

        // 1. What it would do.
        var plan = Assert.IsType<UndoDone>(await UndoAsync(isDryRun: true));
        Assert.Equal(2, plan.ToDelete);
        (LeftReason Reason, int Row)[] left =
            [(LeftReason.Adopted, 4), (LeftReason.PossiblyDuplicated, 3), (LeftReason.Shared, 6), (LeftReason.Unknown, 5)];
        Assert.Equal(left, plan.Left.Select(l => (l.Reason, Assert.Single(l.RowNumbers))));
        Assert.All(plan.Left, l => Assert.Equal(1, l.Count));
        Assert.Equal(0, await Deleter().RunAsync(Token));

        // 2. Not without its name.
        var refusal = await Assert.ThrowsAsync<InvalidArgumentException>(() => UndoAsync(name: "another"));
        Assert.Equal("name", refusal.Argument);
        Assert.Equal(0, await Deleter().RunAsync(Token));

        // 3. The order, and its end.
        var done = Assert.IsType<UndoDone>(await UndoAsync());
        Assert.Equal((2, 4), (done.ToDelete, done.Left.Sum(l => l.Count)));
        Assert.Equal(2, (await ReadAsync()).Undo.Pending);
        Assert.Equal(2, await Deleter().RunAsync(Token));
        Assert.Equal(own.Order(), Deleted());
        Assert.Subset(Alive().ToHashSet(), new HashSet<string>([twice, adopted, shared, others]));
        Assert.Equal("imported 3, unknown 1, deleted 2", await database.SoundCountsAsync(id));
        await database.Follow.RunAsync(Token);
        Assert.Equal(new UndoCounts(IsUnderWay: false, 0, 0), (await ReadAsync()).Undo);

        var story = await new ReadStory(database.Source).LatestAsync(id, 10, Token);
        Assert.Contains(story, s => s is { Actor: "ann", What: "import_undone", Detail: "2 assets to be deleted, of all records; 4 left" });
        Assert.Contains(story, s => s is { What: "undo_ended", Detail: "2 assets of it are deleted in Cincopa." });
        Assert.Equal(1L, await database.OneAsync<long>(
            "SELECT count(*) FROM importer.notification WHERE import_id = $1 AND kind = 'undo_ended'", id));
    }

    [Fact]
    public async Task A_selection_is_undone_and_nothing_else()
    {
        string[] rids = [await MakeAsync(id, 1), await MakeAsync(id, 2), await MakeAsync(id, 3)];
        await EndAsync(id);
        Assert.Equal(1, Assert.IsType<UndoDone>(await UndoAsync(filter: new RecordFilter { RowNumbers = [2] })).ToDelete);
        await Deleter().RunAsync(Token);
        Assert.Equal([rids[1]], Deleted());
        Assert.Equal([2], await RowsAsync(new RecordFilter { Undo = "done" }));
        await database.Follow.RunAsync(Token);
        Assert.Equal(0,
            Assert.IsType<UndoDone>(await UndoAsync(filter: new RecordFilter { State = RecordState.Failed }, isDryRun: true)).ToDelete);
    }

    [Fact]
    public async Task An_import_that_has_not_ended_is_not_undone_and_one_that_is_being_undone_is_not_forgotten()
    {
        await MakeAsync(id, 1);
        Assert.Equal(ImportState.Running, Assert.IsType<ImportChange.Refused>(await UndoAsync()).State);
        Assert.IsType<ImportChange.NotFound>(await Undo.RunAsync(-1, RecordFilter.All, "test", false, "ann", Token));

        await EndAsync(id);
        await UndoAsync();
        Assert.IsType<ImportChange.Refused>(await UndoAsync());
        Assert.IsType<ImportChange.Refused>(await new DeleteImport(database.Source).RunAsync(id, mayDeleteAll: true, "ann", Token));
        await database.Follow.RunAsync(Token);
        Assert.IsType<ImportChange.Refused>(await new DeleteImport(database.Source).RunAsync(id, mayDeleteAll: true, "ann", Token));

        await Deleter().RunAsync(Token);
        await database.Follow.RunAsync(Token);
        Assert.IsType<ImportChange.Done>(await new DeleteImport(database.Source).RunAsync(id, mayDeleteAll: true, "ann", Token));
        Assert.IsType<ImportChange.NotFound>(await UndoAsync());
    }

    // Whether the call takes effect although its answer is spoilt, and how often it is made.
    [Theory]
    [InlineData("""{"on":"delete","fault":"reply_lost","times":1}""", 1)]
    [InlineData("""{"on":"delete","fault":"reply_cut","times":1}""", 1)]
    [InlineData("""{"on":"delete","fault":"hang","commits":true,"times":1}""", 1)]
    [InlineData("""{"on":"delete","fault":"hang","times":1}""", 2)]
    [InlineData("""{"on":"delete","fault":"reset","times":1}""", 2)]
    [InlineData("""{"on":"delete","fault":"unavailable","times":1}""", 2)]
    [InlineData("""{"on":"delete","fault":"bad_gateway","times":1}""", 2)]
    [InlineData("""{"on":"delete","fault":"bad_gateway","commits":true,"times":1}""", 1)]
    [InlineData("""{"on":"delete","fault":"empty_reply","times":1}""", 2)]
    [InlineData("""{"on":"delete","fault":"invalid_json","commits":true,"times":1}""", 1)]
    [InlineData("""{"on":"delete","fault":"refused","style":"success_false","message":"resource not found","commits":true,"times":1}""", 1)]
    [InlineData("""{"on":"delete","fault":"delay","delayMs":300,"times":1}""", 1)]
    public async Task Whatever_becomes_of_the_answer_the_list_says_whether_the_call_is_made_again(string rule, int calls)
    {
        var rid = await MakeAsync(id, 1);
        await EndAsync(id);
        await UndoAsync();
        Behave($$"""{"importMs":0,"rules":[{{rule}}]}""");
        for (var round = 0; round < 3; round++)
        {
            await DueAsync();
            await Deleter().RunAsync(Token);
        }
        Assert.Equal([rid], Deleted());
        Assert.Equal("pending 5, deleted 1", (await database.SoundCountsAsync(id)).Replace("cancelled", "pending", StringComparison.Ordinal));
        Assert.Equal(calls, Calls(Operation.Delete));
    }

    [Theory]
    [InlineData("""{"on":"list","fault":"unavailable","times":1}""")]
    [InlineData("""{"on":"list","fault":"bad_gateway","times":1}""")]
    [InlineData("""{"on":"list","fault":"reply_lost","times":1}""")]
    [InlineData("""{"on":"list","fault":"hang","times":1}""")]
    public async Task What_cannot_be_asked_is_asked_again_before_the_call_is_made_again(string rule)
    {
        await MakeAsync(id, 1);
        await EndAsync(id);
        await UndoAsync();
        Behave($$"""{"importMs":0,"rules":[{"on":"delete","fault":"reply_lost","times":1},{{rule}}]}""");
        await Deleter().RunAsync(Token);
        Assert.Equal(RecordState.Imported, await database.StateAsync(id, 1));
        await DueAsync();
        await Deleter().RunAsync(Token);
        Assert.Equal(RecordState.Deleted, await database.StateAsync(id, 1));
        Assert.Equal(1, Calls(Operation.Delete));
    }

    [Fact]
    public async Task A_worker_that_died_between_the_call_and_its_answer_leaves_nothing_that_is_deleted_twice()
    {
        var (first, second) = (await MakeAsync(id, 1), await MakeAsync(id, 2));
        await EndAsync(id);
        await UndoAsync();
        // Two claims of a worker that is gone: one of its calls was received, one never left.
        await database.SqlAsync("UPDATE importer.record_undo SET failed_count = 1, in_doubt = true WHERE import_id = $1", id);
        Assert.IsType<ChangeResult.Ok>(await cincopa.DeleteAssetAsync(access, new Rid(first), Token));
        Assert.Equal(2, await Deleter().RunAsync(Token));
        Assert.Equal(new[] { first, second }.Order(), Deleted());
        Assert.Equal(2, Calls(Operation.Delete));
        Assert.Equal("cancelled 4, deleted 2", await database.SoundCountsAsync(id));
    }

    [Fact]
    public async Task One_that_throws_is_asked_about_before_it_is_tried_again_and_the_others_are_deleted()
    {
        var (first, second) = (await MakeAsync(id, 1), await MakeAsync(id, 2));
        await EndAsync(id);
        await UndoAsync();
        var scripted = new ScriptedCincopa
        {
            OnDelete = rid => rid.Value == first ? throw new FormatException("An odd reply.") : new ChangeResult.Ok(),
        };
        await Deleter(scripted).RunAsync(Token);
        Assert.Equal([RecordState.Imported, RecordState.Deleted],
            [await database.StateAsync(id, 1), await database.StateAsync(id, 2)]);
        Assert.Equal(("pending", DeleteAssets.Unexpected, 1),
            (await ViewAsync(1) is var view ? (view!.State, view.Code, view.Failures) : default));
        Assert.Equal(0, await Deleter().RunAsync(Token));

        await DueAsync();
        await Deleter().RunAsync(Token);
        Assert.Equal((1, 1), (Calls(Operation.List), Calls(Operation.Delete)));
        Assert.Equal([first], Deleted());
        Assert.NotEqual(first, second);
    }

    [Fact]
    public async Task Asked_to_wait_everyone_waits_and_no_try_is_lost()
    {
        await MakeAsync(id, 1);
        await EndAsync(id);
        await UndoAsync();
        Behave("""{"importMs":0,"rules":[{"on":"delete","fault":"rate_limited","retryAfterSeconds":60}]}""");
        await Deleter().RunAsync(Token);
        Assert.Equal(("pending", 0), (await ViewAsync(1) is var view ? (view!.State, view.Failures) : default));
        await DueAsync();
        Assert.Equal(0, await Deleter().RunAsync(Token));
    }

    [Fact]
    public async Task A_token_that_may_not_delete_leaves_the_asset_and_does_not_suspend_an_account_that_imports()
    {
        var rid = await MakeAsync(id, 1);
        await EndAsync(id);
        await UndoAsync();
        simulator.Simulator.Tokens.Set(new() { Token = "1i2", Permissions = "|asset.read|asset.upload|" });
        await Deleter().RunAsync(Token);
        Assert.Equal(("failed", "permission_missing"), (await ViewAsync(1) is var view ? (view!.State, view.Code) : default));
        Assert.Equal("active", await database.OneAsync<string>("SELECT state FROM importer.account WHERE id = $1", account));
        Assert.Equal([1], await RowsAsync(new RecordFilter { Undo = "failed" }));
        await database.Follow.RunAsync(Token);
        Assert.Contains(await new ReadStory(database.Source).LatestAsync(id, 10, Token), s =>
            s is { What: "undo_ended", Detail: "0 assets of it are deleted in Cincopa. 1 could not be deleted; its record says why." });

        simulator.Simulator.Tokens.Set(new() { Token = "1i2", Permissions = "|asset.*|" });
        Assert.Equal(1, Assert.IsType<UndoDone>(await UndoAsync()).ToDelete);
        await Deleter().RunAsync(Token);
        Assert.Equal([rid], Deleted());
    }

    [Fact]
    public async Task After_the_last_try_the_asset_stays_and_its_record_says_why()
    {
        await MakeAsync(id, 1);
        await EndAsync(id);
        await UndoAsync();
        Behave("""{"importMs":0,"rules":[{"on":"delete","fault":"unavailable"}]}""");
        foreach (var _ in new[] { 1, 2 })
        {
            await DueAsync();
            await Deleter(attempts: 2).RunAsync(Token);
        }
        Assert.Equal(("failed", "remote_error", 2), (await ViewAsync(1) is var view ? (view!.State, view.Code, view.Failures) : default));
        Assert.Equal("imported 1, cancelled 5", await database.SoundCountsAsync(id));
        Assert.Empty(Deleted());
    }

    [Fact]
    public async Task An_asset_that_another_record_has_come_by_since_the_order_stays()
    {
        var rid = await MakeAsync(id, 1);
        await EndAsync(id);
        await UndoAsync();
        var other = await ImportAsync(1);
        await MakeAsync(other, 1, rid);
        await Deleter().RunAsync(Token);
        Assert.Equal(("failed", DeleteAssets.AssetShared), (await ViewAsync(1) is var view ? (view!.State, view.Code) : default));
        Assert.Empty(Deleted());
        Assert.Equal(0, Calls(Operation.Delete));

        // Once the other has gone the same way, nobody else has it.
        await database.Transitions.DeletedAsync([new(other, 1, new Rid(rid))], Token);
        await database.Follow.RunAsync(Token);
        await UndoAsync();
        await Deleter().RunAsync(Token);
        Assert.Equal([rid], Deleted());
    }

    [Fact]
    public async Task A_list_of_other_assets_does_not_say_that_one_is_gone()
    {
        await MakeAsync(id, 1);
        await EndAsync(id);
        await UndoAsync();
        var scripted = new ScriptedCincopa
        {
            OnDelete = _ => new ChangeResult.Failed(ScriptedCincopa.Error(RemoteErrorKind.Timeout)),
            OnList = query => Task.FromResult<AssetListResult>(
                new AssetListResult.Ok([new RemoteAsset(new Rid("another"), null, null, null, null, null, null, null)], 1, 50, 1, 1)),
        };
        await Deleter(scripted).RunAsync(Token);
        Assert.Equal(("pending", "reply_unreadable"), (await ViewAsync(1) is var view ? (view!.State, view.Code) : default));
        Assert.Equal(RecordState.Imported, await database.StateAsync(id, 1));
    }

    [Fact]
    public async Task What_was_deleted_is_sent_again_by_a_rerun_that_names_it_and_makes_another_asset()
    {
        var rid = await MakeAsync(id, 1);
        await EndAsync(id);
        await UndoAsync();
        await Deleter().RunAsync(Token);
        await database.Follow.RunAsync(Token);

        var unnamed = Assert.IsType<RerunDone>(await database.RerunAsync(id));
        Assert.Equal(5, unnamed.Rerun);
        Assert.Contains("undo", unnamed.Left.Single(r => r.State == RecordState.Deleted).Reason, StringComparison.Ordinal);
        Assert.Equal(1, Assert.IsType<RerunDone>(await database.RerunAsync(id, new RecordFilter { RowNumbers = [1] })).Rerun);
        var second = await MakeAsync(id, 1);
        Assert.NotEqual(rid, second);
        Assert.Equal([second], Alive());
    }

    [Fact]
    public async Task Four_workers_at_a_time_delete_each_asset_once()
    {
        id = await ImportAsync(100);
        foreach (var row in Enumerable.Range(1, 100)) await MakeAsync(id, row);
        await EndAsync(id);
        await UndoAsync();
        Behave("""{"importMs":0,"rules":[{"on":"delete","fault":"reply_lost","share":0.2},{"on":"delete","fault":"unavailable","share":0.1}]}""");
        while (await database.OneAsync<long>("SELECT count(*) FROM importer.record_undo WHERE import_id = $1", id) > 0)
        {
            await DueAsync();
            await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Deleter(attempts: 100).RunAsync(Token)));
        }
        Assert.Equal("deleted 100", await database.SoundCountsAsync(id));
        Assert.Equal(100, Deleted().Count());
    }

    private async Task<ImportView> ReadAsync() =>
        (await new ReadImports(database.Contexts, Options.Create(new WorkOptions())).FindAsync(id, Token))!;

    private UndoImport Undo => new(database.Source);

    private Task<ImportChange> UndoAsync(RecordFilter? filter = null, string name = "test", bool isDryRun = false) =>
        Undo.RunAsync(id, filter ?? RecordFilter.All, isDryRun ? null : name, isDryRun, "ann", Token);

    private async Task<int> ImportAsync(int rows)
    {
        var import = await database.ImportAsync(rows, chunkSize: rows, account: account);
        await database.SqlAsync("UPDATE importer.import SET name = 'test' WHERE id = $1", import);
        return import;
    }

    /// <summary>Submits a row for real and concludes it with its asset, or with another one. Returns the asset's rid.</summary>
    private async Task<string> MakeAsync(int import, int row, string? rid = null)
    {
        rid ??= await UploadAsync(row);
        await database.SubmitAsync(import, 1, row);
        var statusId = await database.OneAsync<string>(
            "SELECT status_id FROM importer.import_record WHERE import_id = $1 AND row_number = $2", import, row);
        Assert.Equal(1, await database.Transitions.ConcludedAsync(
            [new(import, row, new StatusId(statusId), RecordState.Imported, new Rid(rid), null, null, null)], Token));
        return rid;
    }

    private async Task<string> AdoptedAsync(int import, int row)
    {
        var rid = await UploadAsync(row);
        var intent = Assert.Single(await database.DoubtAsync(import, 11, (row, "https://media.example/adopted.mp4")));
        Assert.Equal(1, await database.AdoptAsync(import, row, intent.Attempt, rid));
        return rid;
    }

    private async Task<string> UploadAsync(int row)
    {
        var accepted =
            Assert.IsType<SubmitResult.Accepted>(await cincopa.UploadFromUrlAsync(access, $"https://media.example/{row}.mp4", null, Token));
        return Assert.IsType<StatusResult.Done>(await cincopa.GetUploadStatusAsync(access, accepted.StatusId, Token)).Rid.Value;
    }

    /// <summary>What was not sent is cancelled, and nothing is left to be finished.</summary>
    private async Task EndAsync(int import)
    {
        await database.CancelAsync(import);
        await database.SqlAsync("DELETE FROM importer.work_batch");
    }

    private DeleteAssets Deleter(ICincopaClient? remote = null, int attempts = 8)
    {
        remote ??= cincopa;
        return new(Rounds.Over(database.Source, tokens, remote), database.Transitions,
            new RetrySchedule(TimeSpan.FromSeconds(2), TimeSpan.FromMinutes(10), () => 0.5), NullLogger<DeleteAssets>.Instance)
        { Attempts = attempts };
    }

    private void Behave(string script) => simulator.Simulator.Script = FaultScript.Parse(System.Text.Encoding.UTF8.GetBytes(script));

    private Task<int> DueAsync() => database.SqlAsync("UPDATE importer.record_undo SET next_at = now() WHERE state = 'pending'");

    private IEnumerable<string> Deleted() => simulator.Simulator.Library.Assets().Where(a => a.Deleted).Select(a => a.Rid).Order();

    private IEnumerable<string> Alive() => simulator.Simulator.Library.Assets().Where(a => !a.Deleted).Select(a => a.Rid).Order();

    private long Calls(Operation operation) => simulator.Simulator.Ledger.Summarise().Operations.GetValueOrDefault(operation);

    private async Task<UndoView?> ViewAsync(int row) =>
        (await new ReadRecords(database.Contexts).FindAsync(id, row, Token))!.Record.Undo;

    private async Task<IEnumerable<int>> RowsAsync(RecordFilter filter) =>
        (await new ReadRecords(database.Contexts).ListAsync(id, filter, 0, 100, Token)).Items.Select(r => r.RowNumber);
}
