using BulkImporter.Imports;
using BulkImporter.Records;
using BulkImporter.Rerun;

namespace BulkImporter.Tests.Rerun;

public sealed class GiveUpRecordsTests(ImporterDatabase database) : IClassFixture<ImporterDatabase>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Only_the_named_records_in_doubt_become_failed_and_the_deed_is_audited_once()
    {
        var id = await database.ImportAsync(ImportState.Finished,
            [RecordState.Unknown, RecordState.Unknown, RecordState.Imported, RecordState.Pending]);
        Assert.Equal(1, await GiveUpAsync(id, 2, 3, 4));
        Assert.Equal("pending 1, imported 1, failed 1, unknown 1", await database.CountsAsync(id));
        Assert.Equal("2 failed given_up Given up by ann. Before: reply_timeout. It did not work.", await database.OneAsync<string>(
            "SELECT concat_ws(' ', row_number, state, error_code, error_message) FROM importer.import_record WHERE import_id = $1 AND "
                + "error_code = 'given_up'", id));

        Assert.Equal(0, await GiveUpAsync(id, 2, 3, 4));
        Assert.Equal("1 (3 named rows)",
            await database.OneAsync<string>(
                "SELECT string_agg(detail, ';') FROM importer.audit_entry WHERE import_id = $1 AND action = 'records_given_up'", id));
    }

    [Fact]
    public async Task A_rerun_of_all_that_failed_leaves_what_was_given_up_and_says_why()
    {
        var id = await database.ImportAsync(ImportState.Finished, [RecordState.Unknown, RecordState.Failed]);
        await GiveUpAsync(id, 1);
        var done = await RerunAsync(id, new RecordFilter { State = RecordState.Failed });
        Assert.Equal((1, "pending 1, failed 1"), (done.Rerun, await database.CountsAsync(id)));
        var refused = Assert.Single(done.Left);
        Assert.Equal((RecordState.Failed, 1), (refused.State, refused.Count));
        Assert.Contains("given up", refused.Reason, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_rerun_that_names_the_code_or_the_row_takes_what_was_given_up(bool byCode)
    {
        var id = await database.ImportAsync(ImportState.Finished, [RecordState.Unknown]);
        await GiveUpAsync(id, 1);
        var done = await RerunAsync(id, byCode ? new RecordFilter { Code = "given_up" } : new RecordFilter { RowNumbers = [1] });
        Assert.Equal((1, 0, "pending 1"), (done.Rerun, done.Left.Count, await database.CountsAsync(id)));
    }

    private Task<int> GiveUpAsync(int id, params int[] rows) =>
        new GiveUpRecords(database.Source, new RecordTransitions(database.Source))
            .RunAsync(id, new RecordFilter { RowNumbers = rows }, "ann", Token);

    private async Task<RerunDone> RerunAsync(int id, RecordFilter filter) =>
        Assert.IsType<RerunDone>(await new RerunRecords(database.Source, new RecordTransitions(database.Source))
            .RunAsync(id, filter, push: false, "ann", Token));
}
