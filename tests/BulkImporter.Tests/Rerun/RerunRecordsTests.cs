using BulkImporter.Imports;
using BulkImporter.Records;
using BulkImporter.Rerun;

namespace BulkImporter.Tests.Rerun;

public sealed class RerunRecordsTests(ImporterDatabase database) : IClassFixture<ImporterDatabase>
{
    private static readonly RecordState[] OneOfEach = Enum.GetValues<RecordState>();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Failed_and_cancelled_records_are_pending_again_and_the_rest_is_refused_with_its_reason()
    {
        var id = await database.ImportAsync(ImportState.Running, OneOfEach);
        var done = Assert.IsType<RerunDone>(await RunAsync(id, RecordFilter.All));
        Assert.Equal(2, done.Rerun);
        Assert.Equal(OneOfEach.Except([RecordState.Failed, RecordState.Cancelled]), done.Left.Select(r => r.State));
        Assert.All(done.Left, r => Assert.Equal(1, r.Count));
        Assert.Equal("pending 3, submitting 1, submitted 1, imported 1, unknown 1, invalid 1, duplicate 1, deleted 1",
            await database.CountsAsync(id));
    }

    [Fact]
    public async Task A_record_gets_all_its_attempts_again_and_keeps_the_ones_that_were_made()
    {
        var id = await database.ImportAsync(ImportState.Running, [RecordState.Failed]);
        await database.AddAsync(ImporterDatabase.Attempt(id, 1, "source_not_found"));
        await RunAsync(id, RecordFilter.All);

        var detail = await new ReadRecords(database.Contexts).FindAsync(id, 1, Token);
        Assert.NotNull(detail);
        Assert.Equal((RecordState.Pending, null, null, null, 1),
            (detail.Record.State, detail.Record.Error, detail.Record.StatusId, detail.Record.FinishedAt, detail.Record.Attempts));
        Assert.Single(detail.Attempts);
        Assert.Equal((short)5, await database.OneAsync<short>("SELECT attempts_left FROM importer.import_record WHERE import_id = $1", id));
        Assert.True(await database.OneAsync<bool>("SELECT due_at <= now() FROM importer.import_chunk WHERE import_id = $1", id));
    }

    [Fact]
    public async Task Unknown_records_are_left_alone_when_a_code_selects_them()
    {
        var id = await database.ImportAsync(ImportState.Running, [RecordState.Unknown]);
        var done = Assert.IsType<RerunDone>(await RunAsync(id, new RecordFilter { Code = "reply_timeout" }));
        Assert.Equal((0, "unknown 1"), (done.Rerun, await database.CountsAsync(id)));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Unknown_records_are_sent_again_when_the_state_or_the_row_names_them(bool byState)
    {
        var id = await database.ImportAsync(ImportState.Running, [RecordState.Unknown]);
        var done = Assert.IsType<RerunDone>(
            await RunAsync(id, byState ? new RecordFilter { State = RecordState.Unknown } : new RecordFilter { RowNumbers = [1] }));
        Assert.Equal((1, "pending 1"), (done.Rerun, await database.CountsAsync(id)));
    }

    [Fact]
    public async Task An_imported_record_is_never_sent_again_even_when_its_row_is_named()
    {
        var id = await database.ImportAsync(ImportState.Finished, [RecordState.Imported]);
        var done = Assert.IsType<RerunDone>(await RunAsync(id, new RecordFilter { RowNumbers = [1] }));
        Assert.Equal((0, "imported 1", "finished"), (done.Rerun, await database.CountsAsync(id), await database.StateAsync(id)));
    }

    [Theory]
    [InlineData(ImportState.Finished, "running")]
    [InlineData(ImportState.Cancelled, "running")]
    [InlineData(ImportState.Running, "running")]
    [InlineData(ImportState.Paused, "paused")]
    public async Task An_import_that_had_ended_runs_again_and_a_paused_one_stays_paused(ImportState from, string to)
    {
        var id = await database.ImportAsync(from, [RecordState.Failed, RecordState.Imported]);
        await RunAsync(id, RecordFilter.All);
        Assert.Equal(to, await database.StateAsync(id));
        Assert.True(await database.OneAsync<bool>("SELECT finished_at IS NULL FROM importer.import WHERE id = $1", id));
    }

    [Theory]
    [InlineData(ImportState.Parsing)]
    [InlineData(ImportState.Review)]
    [InlineData(ImportState.Rejected)]
    public async Task An_import_that_was_never_started_refuses(ImportState state)
    {
        var id = await database.ImportAsync(state, state == ImportState.Review ? [RecordState.Pending] : []);
        Assert.Equal(state, Assert.IsType<ImportChange.Refused>(await RunAsync(id, RecordFilter.All)).State);
    }

    [Fact]
    public async Task An_import_that_is_not_there_is_not_found() =>
        Assert.Equal(new ImportChange.NotFound(999_999), await RunAsync(999_999, RecordFilter.All));

    [Fact]
    public async Task Of_many_reruns_at_once_each_record_is_counted_once()
    {
        var id = await database.ImportAsync(ImportState.Finished, [.. Enumerable.Repeat(RecordState.Failed, 30)], chunkSize: 7);
        var results = await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => Task.Run(() => RunAsync(id, RecordFilter.All))));
        Assert.Equal(30, results.Sum(r => Assert.IsType<RerunDone>(r).Rerun));
        Assert.Equal("pending 30", await database.CountsAsync(id));
    }

    [Fact]
    public async Task What_is_to_be_pushed_from_now_on_is_and_what_was_pushed_stays_so()
    {
        var id = await database.ImportAsync(ImportState.Running, [RecordState.Failed, RecordState.Failed, RecordState.Imported]);
        await RunAsync(id, new RecordFilter { RowNumbers = [1, 3] }, push: true);
        Assert.Equal("1", await PushedAsync());
        await database.SqlAsync(
            "UPDATE importer.import_record SET state = 'failed', error_code = 'source_forbidden', finished_at = now() WHERE import_id = "
                + "$1 AND row_number = 1", id);
        await RunAsync(id, RecordFilter.All);
        Assert.Equal("1", await PushedAsync());
        Assert.Equal("1 (2 named rows), uploaded from this server", (await DetailsAsync())[0]);

        Task<string> PushedAsync() =>
            database.OneAsync<string>(
                "SELECT coalesce(string_agg(row_number::text, ' '), '') FROM importer.import_record WHERE import_id = $1 AND is_push", id);

        async Task<string[]> DetailsAsync() =>
            (await database.OneAsync<string>(
                "SELECT string_agg(detail, '|' ORDER BY id) FROM importer.audit_entry WHERE import_id = $1 AND action = 'records_rerun'",
                id)).Split('|');
    }

    private Task<ImportChange> RunAsync(int id, RecordFilter filter, bool push = false) =>
        new RerunRecords(database.Source, new RecordTransitions(database.Source)).RunAsync(id, filter, push, "ann", Token);
}
