using BulkImporter.Imports;
using BulkImporter.Records;

namespace BulkImporter.Tests.Records;

public sealed class ReadRecordsTests(ImporterDatabase database) : IClassFixture<ImporterDatabase>
{
    private static readonly RecordState[] Mixed =
    [
        RecordState.Failed, RecordState.Imported, RecordState.Imported, RecordState.Imported, RecordState.Imported, RecordState.Imported,
        RecordState.Failed, RecordState.Unknown, RecordState.Submitted, RecordState.Failed, RecordState.Invalid,
    ];

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private ReadRecords Read => new(database.Contexts);

    public static TheoryData<RecordFilter, int[]> Filters() => new()
    {
        { RecordFilter.All, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11] },
        { new RecordFilter { State = RecordState.Failed }, [1, 7, 10] },
        { new RecordFilter { State = RecordState.Pending }, [] },
        { new RecordFilter { Code = "source_not_found" }, [1, 7, 10] },
        { new RecordFilter { Code = "reply_timeout", State = RecordState.Failed }, [] },
        { new RecordFilter { RowNumbers = [9, 2, 99] }, [2, 9] },
        { new RecordFilter { RowNumbers = [9, 2, 1], State = RecordState.Failed }, [1] },
        { new RecordFilter { Search = "CLIP 1" }, [1, 10, 11] },
        { new RecordFilter { Search = "CLIP 1", State = RecordState.Failed }, [1, 10] },
        { new RecordFilter { Search = "media.example/7." }, [7] },
        { new RecordFilter { Search = "rid4" }, [4] },
        { new RecordFilter { Search = "st-9" }, [9] },
        { new RecordFilter { Search = "%" }, [] },
        { new RecordFilter { Search = "clip_1" }, [] },
    };

    [Theory]
    [MemberData(nameof(Filters))]
    public async Task List_and_count_agree_on_what_a_filter_selects_whatever_the_page_size(RecordFilter filter, int[] expected)
    {
        var id = await database.ImportAsync(ImportState.Running, Mixed);
        var listed = new List<int>();
        int? after = 0;
        while (after is { } row)
        {
            var page = await Read.ListAsync(id, filter, row, 2, Token);
            Assert.True(page.Items.Count <= 2);
            listed.AddRange(page.Items.Select(r => r.RowNumber));
            after = page.Next;
        }
        Assert.Equal(expected, listed);
        Assert.Equal(expected.Length, await Read.CountAsync(id, filter, 100, Token));
    }

    [Theory]
    [MemberData(nameof(Filters))]
    public async Task Going_back_finds_the_same_as_going_on(RecordFilter filter, int[] expected)
    {
        var id = await database.ImportAsync(ImportState.Running, Mixed);
        var listed = new List<int>();
        for (var before = 100; ;)
        {
            var rows = await Read.ListBackwardAsync(id, filter, before, 0, 2, Token);
            listed.InsertRange(0, rows.Select(r => r.RowNumber));
            if (rows.Count < 2) break;
            before = rows[0].RowNumber;
        }
        Assert.Equal(expected, listed);
        Assert.Equal(expected.Where(r => r is > 3 and < 9),
            (await Read.ListBackwardAsync(id, filter, 9, 3, 100, Token)).Select(r => r.RowNumber));
    }

    [Theory]
    [MemberData(nameof(Filters))]
    public async Task A_look_in_steps_finds_the_same_and_nothing_behind_its_last_row(RecordFilter filter, int[] expected)
    {
        var id = await database.ImportAsync(ImportState.Running, Mixed);
        var found = new List<int>();
        for (var row = 0; row < Mixed.Length; row += 3)
            found.AddRange((await Read.ListAsync(id, filter, row, 10, Token, row + 3)).Items.Select(r => r.RowNumber));
        Assert.Equal(expected, found);
    }

    [Fact]
    public async Task More_than_the_most_that_is_counted_is_told_as_not_known_unless_counters_know_it()
    {
        var id = await database.ImportAsync(ImportState.Running, Mixed);
        var byCode = new RecordFilter { Code = "source_not_found" };
        Assert.Equal(3, await Read.CountAsync(id, byCode, 3, Token));
        Assert.Null(await Read.CountAsync(id, byCode, 2, Token));
        Assert.Equal(3, await Read.CountAsync(id, new RecordFilter { State = RecordState.Failed }, 2, Token));
    }

    [Theory]
    [InlineData(29, false)]
    [InlineData(31, true)]
    public async Task Stalled_records_are_submitted_ones_that_have_not_moved_for_as_long(int minutesAgo, bool selected)
    {
        var id = await database.ImportAsync(ImportState.Running, [RecordState.Submitted, RecordState.Imported]);
        await database.AddAsync(database.Poll(id, 1, minutesAgo), database.Poll(id, 2, minutesAgo));
        foreach (var filter in new[] { new RecordFilter { Stalled = TimeSpan.FromMinutes(30) },
            new RecordFilter { State = RecordState.Submitted, Stalled = TimeSpan.FromMinutes(30) } })
        {
            Assert.Equal(selected ? [1] : [], (await Read.ListAsync(id, filter, 0, 10, Token)).Items.Select(r => r.RowNumber));
            Assert.Equal(selected ? 1 : 0, await Read.CountAsync(id, filter, 100, Token));
        }
    }

    [Fact]
    public async Task The_example_of_a_failure_is_what_was_said_of_the_first_record_that_has_it_now()
    {
        var id = await database.ImportAsync(ImportState.Running, Mixed);
        await database.SqlAsync(
            "UPDATE importer.import_record SET error_message = 'Said of ' || row_number WHERE import_id = $1 AND error_code IS NOT NULL "
                + "AND row_number > 1", id);
        await database.SqlAsync("UPDATE importer.import_record SET error_message = NULL WHERE import_id = $1 AND row_number = 1", id);
        var examples = await Read.ExamplesAsync(id, ["source_not_found", "reply_timeout", "url_missing", "quota_exceeded"], Token);
        Assert.Equal(["reply_timeout: Said of 8", "source_not_found: Said of 7"], examples.Select(e => $"{e.Key}: {e.Value}")
            .Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task A_full_last_page_says_that_it_is_the_last()
    {
        var id = await database.ImportAsync(ImportState.Running, [RecordState.Failed, RecordState.Failed]);
        Assert.Null((await Read.ListAsync(id, RecordFilter.All, 0, 2, Token)).Next);
    }

    [Fact]
    public async Task A_submitted_record_shows_how_far_Cincopa_is_and_others_do_not()
    {
        var id = await database.ImportAsync(ImportState.Running, Mixed);
        var poll = database.Poll(id, 9);
        (poll.ProgressPercent, poll.ProgressBytes, poll.TotalBytes) = (40, 400, 1000);
        await database.AddAsync(poll);
        var detail = await Read.FindAsync(id, 9, Token);
        Assert.Equal((40, 400L, 1000L), (detail!.Record.Progress, detail.Record.ProgressBytes, detail.Record.TotalBytes));
        Assert.Null((await Read.FindAsync(id, 1, Token))!.Record.Progress);
    }

    [Fact]
    public async Task An_error_tells_its_class_and_a_finding_has_none()
    {
        var id = await database.ImportAsync(ImportState.Running, Mixed);
        var page = await Read.ListAsync(id, new RecordFilter { RowNumbers = [1, 8, 11] }, 0, 10, Token);
        Assert.Equal([FailureClass.Permanent, FailureClass.Unknown, null], page.Items.Select(r => r.Error!.Class));
    }

    [Fact]
    public async Task A_row_that_is_not_there_is_null() =>
        Assert.Null(await Read.FindAsync(await database.ImportAsync(ImportState.Running, Mixed), 12, Token));
}
