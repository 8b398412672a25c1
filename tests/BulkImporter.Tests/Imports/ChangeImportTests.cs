using BulkImporter.Imports;
using BulkImporter.Records;

namespace BulkImporter.Tests.Imports;

public sealed class ChangeImportTests(ImporterDatabase database) : IClassFixture<ImporterDatabase>
{
    private static readonly RecordState[] Mixed =
    [
        RecordState.Pending, RecordState.Pending, RecordState.Submitting, RecordState.Submitted, RecordState.Imported, RecordState.Failed,
        RecordState.Unknown, RecordState.Pending, RecordState.Invalid, RecordState.Duplicate,
    ];

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public static TheoryData<string, ImportState, ImportState?> Orders()
    {
        // What each order makes of each state; null = refused.
        var allowed = new Dictionary<(string, ImportState), ImportState>
        {
            [("start", ImportState.Review)] = ImportState.Running,
            [("start", ImportState.Parsing)] = ImportState.Parsing,
            [("pause", ImportState.Running)] = ImportState.Paused,
            [("resume", ImportState.Paused)] = ImportState.Running,
            [("cancel", ImportState.Parsing)] = ImportState.Cancelled,
            [("cancel", ImportState.Review)] = ImportState.Cancelled,
            [("cancel", ImportState.Running)] = ImportState.Cancelled,
            [("cancel", ImportState.Paused)] = ImportState.Cancelled,
        };
        var rows = new TheoryData<string, ImportState, ImportState?>();
        foreach (var order in new[] { "start", "pause", "resume", "cancel" })
        {
            foreach (var from in Enum.GetValues<ImportState>())
                rows.Add(order, from, allowed.TryGetValue((order, from), out var to) ? to : null);
        }
        return rows;
    }

    [Theory]
    [MemberData(nameof(Orders))]
    public async Task An_order_is_carried_out_from_the_states_that_allow_it_and_refused_from_all_others(
        string order, ImportState from, ImportState? to)
    {
        var id = await database.ImportAsync(from, from is ImportState.Parsing or ImportState.Rejected ? [] : Mixed);

        var change = await RunAsync(order, id);

        if (to is { } state)
        {
            Assert.Equal(new ImportChange.Done(state), change);
        }
        else
        {
            var refused = Assert.IsType<ImportChange.Refused>(change);
            Assert.Equal(from, refused.State);
            Assert.Contains($"Import {id} is ", refused.Sentence, StringComparison.Ordinal);
        }
        Assert.Equal(BulkImporter.Data.EnumText<ImportState>.Of(to ?? from), await database.StateAsync(id));
        Assert.Equal(to is null ? 0L : 1L,
            await database.OneAsync<long>("SELECT count(*) FROM importer.audit_entry WHERE import_id = $1 AND actor = 'ann'", id));
    }

    [Theory]
    [InlineData("start")]
    [InlineData("pause")]
    [InlineData("resume")]
    [InlineData("cancel")]
    public async Task An_order_for_an_import_that_is_not_there_says_so(string order) =>
        Assert.Equal(new ImportChange.NotFound(999_999), await RunAsync(order, 999_999));

    [Fact]
    public async Task Starting_while_parsing_is_remembered_for_the_end_of_the_parse()
    {
        var id = await database.ImportAsync(ImportState.Parsing, []);
        await RunAsync("start", id);
        Assert.True(await database.OneAsync<bool>("SELECT start_when_parsed FROM importer.import WHERE id = $1", id));
        Assert.True(await database.OneAsync<bool>("SELECT started_at IS NULL FROM importer.import WHERE id = $1", id));
    }

    [Fact]
    public async Task Cancelling_ends_what_was_not_sent_and_nothing_else()
    {
        var id = await database.ImportAsync(ImportState.Running, Mixed);
        await RunAsync("cancel", id);
        Assert.Equal("submitting 1, submitted 1, imported 1, failed 1, unknown 1, cancelled 3, invalid 1, duplicate 1",
            await database.CountsAsync(id));
        Assert.Equal("Cancelled by ann.", await database.OneAsync<string>("SELECT reason FROM importer.import WHERE id = $1", id));
    }

    [Fact]
    public async Task A_refused_cancel_leaves_pending_records_alone()
    {
        var id = await database.ImportAsync(ImportState.Finished, Mixed);
        await RunAsync("cancel", id);
        Assert.Equal("pending 3, submitting 1, submitted 1, imported 1, failed 1, unknown 1, invalid 1, duplicate 1",
            await database.CountsAsync(id));
    }

    [Fact]
    public async Task A_pause_stands_in_the_history_without_saying_twice_who_it_was()
    {
        var id = await database.ImportAsync(ImportState.Running, Mixed);
        await RunAsync("pause", id);
        Assert.Equal("ann, ", await database.OneAsync<string>(
            "SELECT actor || ', ' || coalesce(detail, '') FROM importer.audit_entry WHERE import_id = $1", id));
    }

    [Fact]
    public async Task Resuming_lets_the_breaker_judge_only_what_comes_after()
    {
        var id = await database.ImportAsync(ImportState.Paused, Mixed);
        await RunAsync("resume", id);
        Assert.Equal("2/1",
            await database.OneAsync<string>(
                "SELECT breaker_finished_base || '/' || breaker_failed_base FROM importer.import WHERE id = $1", id));
    }

    [Fact]
    public async Task Of_a_pause_and_a_cancel_at_once_one_comes_first_and_no_pending_record_stays_in_a_cancelled_import()
    {
        for (var round = 0; round < 10; round++)
        {
            var id = await database.ImportAsync(ImportState.Running, Mixed);
            var changes = await Task.WhenAll(RunAsync("pause", id), RunAsync("cancel", id));
            Assert.IsType<ImportChange.Done>(changes[1]);
            Assert.Equal("cancelled", await database.StateAsync(id));
            Assert.DoesNotContain("pending", await database.CountsAsync(id), StringComparison.Ordinal);
        }
    }

    private Task<ImportChange> RunAsync(string order, int id) => order switch
    {
        "start" => NothingInTheWay.Start(database.Source).RunAsync(id, "ann", Token),
        "pause" => new PauseImport(database.Source).RunAsync(id, "ann", Token),
        "resume" => new ResumeImport(database.Source).RunAsync(id, "ann", Token),
        _ => new CancelImport(database.Source, new RecordTransitions(database.Source)).RunAsync(id, abortRemote: false, "ann", Token),
    };
}
