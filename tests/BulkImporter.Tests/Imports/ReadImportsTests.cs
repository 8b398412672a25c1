using BulkImporter.Accounts;
using BulkImporter.Data;
using BulkImporter.Imports;
using BulkImporter.Records;
using Microsoft.Extensions.Options;

namespace BulkImporter.Tests.Imports;

public sealed class ReadImportsTests(ImporterDatabase database) : IClassFixture<ImporterDatabase>
{
    // One moment for all ticks of a test: on a busy machine a second may pass between two inserts.
    private readonly DateTimeOffset start = DateTimeOffset.UtcNow;

    private static readonly RecordState[] OneOfEach = Enum.GetValues<RecordState>();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private ReadImports Read => new(database.Contexts, Options.Create(new WorkOptions()));

    [Fact]
    public async Task Counts_are_those_of_the_chunks_and_failures_are_only_what_failed_or_is_unknown()
    {
        var id = await database.ImportAsync(ImportState.Running, [.. OneOfEach, RecordState.Failed]);
        var import = await Read.FindAsync(id, Token);
        Assert.NotNull(import);
        Assert.Equal(new StateCounts(1, 1, 1, 1, 2, 1, 1, 1, 1, 1), import.Counts);
        Assert.Equal((11, 11), (import.Rows, import.Counts.Total));
        Assert.Equal([new("source_not_found", FailureClass.Permanent, 2), new("reply_timeout", FailureClass.Unknown, 1)], import.Failures);
    }

    [Fact]
    public async Task Failures_by_code_follow_every_change_of_a_record()
    {
        var id = await database.ImportAsync(ImportState.Running, [.. Enumerable.Repeat(RecordState.Failed, 5), RecordState.Unknown]);
        Assert.Equal(["source_not_found 5", "reply_timeout 1"], await FailuresAsync());
        await database.SqlAsync(
            "UPDATE importer.import_record SET error_code = 'source_forbidden' WHERE import_id = $1 AND row_number IN (2, 4)", id);
        Assert.Equal(["source_not_found 3", "source_forbidden 2", "reply_timeout 1"], await FailuresAsync());
        await database.SqlAsync(
            "UPDATE importer.import_record SET state = 'pending', finished_at = NULL WHERE import_id = $1 AND row_number > 2", id);
        Assert.Equal(["source_forbidden 1", "source_not_found 1"], await FailuresAsync());
        // Also what is waiting for another attempt keeps its last code, and is no failure.
        await database.SqlAsync("UPDATE importer.import_record SET error_code = 'remote_error' WHERE import_id = $1 AND row_number > 2",
            id);
        Assert.Equal(["source_forbidden 1", "source_not_found 1"], await FailuresAsync());

        async Task<string[]> FailuresAsync() => [.. (await Read.FindAsync(id, Token))!.Failures.Select(f => $"{f.Code} {f.Count}")];
    }

    [Theory]
    [InlineData(29, 0)]
    [InlineData(31, 1)]
    public async Task A_submitted_record_is_stalled_when_nothing_has_moved_for_half_an_hour(int minutesAgo, int stalled)
    {
        var id = await database.ImportAsync(ImportState.Running, OneOfEach);
        await database.SqlAsync("UPDATE importer.import SET started_at = now() - interval '1 day' WHERE id = $1", id);
        await database.AddAsync(database.Poll(id, Array.IndexOf(OneOfEach, RecordState.Submitted) + 1, minutesAgo));
        Assert.Equal(stalled, (await Read.FindAsync(id, Token))!.Stalled);
    }

    [Fact]
    public async Task An_import_that_is_not_there_is_null() => Assert.Null(await Read.FindAsync(999_999, Token));

    [Fact]
    public async Task An_import_that_is_not_parsed_has_no_rows_yet()
    {
        var import = await Read.FindAsync(await database.ImportAsync(ImportState.Parsing, []), Token);
        Assert.Equal((null, 0, null, null), (import!.Rows, import.Counts.Total, import.RatePerSecond, import.EtaSeconds));
    }

    [Theory]
    [InlineData(50, 40, 10.0, 1L)]  // 400 ended in 40 s, 3 open: done in a second
    [InlineData(50, 4, null, null)] // too short a time
    public async Task Rate_and_time_left_come_from_the_last_minute(int latestSecondsAgo, int span, double? rate, long? eta)
    {
        var id = await database.ImportAsync(ImportState.Running, OneOfEach);
        await TickAsync(id, 300, 0);
        await TickAsync(id, latestSecondsAgo, 1000);
        await TickAsync(id, latestSecondsAgo - span, 1000 + (span * 10));
        var import = await Read.FindAsync(id, Token);
        Assert.Equal(rate, import!.RatePerSecond is { } r ? Math.Round(r) : null);
        Assert.Equal(eta, import.EtaSeconds);
    }

    [Fact]
    public async Task What_stands_still_says_for_what_it_waits_and_has_no_time_left()
    {
        var doubtful = await RunningAsync(RecordState.Unknown);
        var (waiting, fetching, writing, moving) = (
            await RunningAsync(RecordState.Pending, RecordState.Imported), await RunningAsync(RecordState.Submitted),
            await RunningAsync(RecordState.Imported), await RunningAsync(RecordState.Pending, RecordState.Submitted));
        await database.SqlAsync("UPDATE importer.import_chunk SET due_at = '2031-05-06 07:08:09+00' WHERE import_id = ANY($1)",
            new[] { waiting, moving });
        await database.AddAsync(database.Finish(writing, 1, "r1"));
        await database.SqlAsync("DELETE FROM importer.import_tick WHERE import_id = $1", fetching);

        Assert.Equal("1 record waits for the next try at 2031-05-06 07:08:09 UTC.", await ReasonAsync(waiting));
        Assert.Equal("All files are sent. Cincopa is still fetching 1 file.", await ReasonAsync(fetching));
        Assert.Equal("All files are sent. 1 asset is still being finished: texts, galleries, and the look at what arrived.", await ReasonAsync(writing));
        Assert.Equal("All files are sent. Now Cincopa is searched for the assets of records in doubt.", await ReasonAsync(doubtful));
        var import = await Read.FindAsync(moving, Token);
        Assert.Equal((null, true), (import!.Reason, import.EtaSeconds > 0));

        async Task<int> RunningAsync(params RecordState[] states)
        {
            var id = await database.ImportAsync(ImportState.Running, states);
            await TickAsync(id, 40, 1000);
            await TickAsync(id, 2, 1400);
            return id;
        }

        async Task<string?> ReasonAsync(int id)
        {
            var import = await Read.FindAsync(id, Token);
            Assert.Null(import!.EtaSeconds);
            return import.Reason;
        }
    }

    [Fact]
    public async Task Too_few_ends_give_a_rate_and_no_time_left()
    {
        var id = await database.ImportAsync(ImportState.Running, OneOfEach);
        await TickAsync(id, 40, 100);
        await TickAsync(id, 2, 105);
        var import = await Read.FindAsync(id, Token);
        Assert.NotNull(import!.RatePerSecond);
        Assert.Null(import.EtaSeconds);
    }

    [Fact]
    public async Task A_rerun_that_takes_ends_back_is_no_negative_rate()
    {
        var id = await database.ImportAsync(ImportState.Running, OneOfEach);
        await TickAsync(id, 40, 1000);
        await TickAsync(id, 2, 10);
        Assert.Equal(0, (await Read.FindAsync(id, Token))!.RatePerSecond);
    }

    [Fact]
    public async Task The_reason_is_the_accounts_when_that_does_not_work_and_the_import_gives_none()
    {
        var museum = ImporterDatabase.Account("museum");
        (museum.State, museum.Reason) = (AccountState.Suspended, "the token was rejected");
        await database.AddAsync(ImporterDatabase.Budgeted(museum, room: null));
        var running = await database.ImportAsync(ImportState.Running, OneOfEach);
        var paused = await database.ImportAsync(ImportState.Paused, OneOfEach);
        var finished = await database.ImportAsync(ImportState.Finished, OneOfEach);
        await database.SqlAsync("UPDATE importer.import SET account_id = $2 WHERE id = ANY($1)",
            new[] { running, paused, finished }, museum.Id);
        await database.SqlAsync("UPDATE importer.import SET reason = 'Paused by ann.' WHERE id = $1", paused);

        Assert.Equal("Account museum is suspended: the token was rejected.", (await Read.FindAsync(running, Token))!.Reason);
        Assert.Equal("Paused by ann.", (await Read.FindAsync(paused, Token))!.Reason);
        Assert.Null((await Read.FindAsync(finished, Token))!.Reason);

        await database.SqlAsync("UPDATE importer.account SET state = 'active', reason = NULL WHERE id = $1", museum.Id);
        await database.SqlAsync("""
            UPDATE importer.call_budget
            SET blocks_in_a_row = 1, blocked_until = now() + interval '1 hour', blocked_reason = 'too many calls'
            WHERE account_id = $1 AND kind = 'submit'
            """, museum.Id);
        Assert.Contains("too many calls", (await Read.FindAsync(running, Token))!.Reason, StringComparison.Ordinal);
        await database.SqlAsync("UPDATE importer.call_budget SET blocked_until = now() - interval '1 second' WHERE account_id = $1",
            museum.Id);
        Assert.Null((await Read.FindAsync(running, Token))!.Reason);
    }

    [Fact]
    public async Task The_list_is_newest_first_page_by_page_and_by_state()
    {
        var ids = new List<int>();
        foreach (var state in new[] { ImportState.Running, ImportState.Rejected, ImportState.Running, ImportState.Running })
            ids.Add(await database.ImportAsync(state, state == ImportState.Rejected ? [] : OneOfEach));

        var running = new ImportFilter { State = ImportState.Running };
        var first = await Read.ListAsync(running, ids[3] + 1, 2, Token);
        Assert.Equal([ids[3], ids[2]], first.Items.Select(i => i.Id));
        var second = await Read.ListAsync(running, first.Next, 1, Token);
        Assert.Equal(ids[0], Assert.Single(second.Items).Id);
        Assert.Equal(ids[1], (await Read.ListAsync(new ImportFilter { State = ImportState.Rejected }, null, 1, Token)).Items[0].Id);
    }

    [Theory]
    [InlineData(ImportOrder.Newest, "2 1 0 3")]
    [InlineData(ImportOrder.Oldest, "3 0 1 2")]
    [InlineData(ImportOrder.Name, "1 3 2 0")]
    public async Task The_list_goes_in_its_order_from_page_to_page_without_losing_or_repeating_one(ImportOrder order, string expected)
    {
        var mark = Guid.NewGuid().ToString("N");
        var ids = new int[4];
        foreach (var (place, name) in new[] { (3, "b"), (0, "D"), (1, "A"), (2, "c") })
        {
            ids[place] = await database.ImportAsync(ImportState.Finished, OneOfEach);
            await database.SqlAsync("UPDATE importer.import SET name = $2 WHERE id = $1", ids[place], $"{name} {mark}");
        }
        var seen = new List<int>();
        int? after = null;
        do
        {
            var page = await Read.ListAsync(new ImportFilter { Search = mark, Order = order }, after, 3, Token);
            seen.AddRange(page.Items.Select(i => Array.IndexOf(ids, i.Id)));
            after = page.Next;
        }
        while (after is not null);
        Assert.Equal(expected, string.Join(' ', seen));
    }

    [Theory]
    [InlineData(ImportOrder.Newest)]
    [InlineData(ImportOrder.Oldest)]
    [InlineData(ImportOrder.Name)]
    public async Task Pages_are_walked_there_and_back_in_each_order(ImportOrder order)
    {
        var mark = Guid.NewGuid().ToString("N");
        for (var n = 0; n < 7; n++)
            await database.SqlAsync("UPDATE importer.import SET name = $2 WHERE id = $1",
                await database.ImportAsync(ImportState.Finished, OneOfEach), $"{"gcfaebd"[n]} {mark}");
        var filter = new ImportFilter { Search = mark, Order = order };
        var pages = new List<ListedPage<ImportView>> { await Read.PageAsync(filter, null, null, 3, Token) };
        while (pages[^1].Next is { } next) pages.Add(await Read.PageAsync(filter, next, null, 3, Token));
        Assert.Equal([3, 3, 1], pages.Select(p => p.Items.Count));
        Assert.Equal(7, pages.SelectMany(p => p.Items).Select(i => i.Id).Distinct().Count());
        Assert.All(pages, p => Assert.Equal(7, p.Total));
        Assert.Null(pages[0].Previous);

        var back = await Read.PageAsync(filter, null, pages[2].Previous, 3, Token);
        Assert.Equal(Ids(pages[1]), Ids(back));
        Assert.Equal((pages[1].Previous, pages[1].Next), (back.Previous, back.Next));
        var first = await Read.PageAsync(filter, null, back.Previous, 3, Token);
        Assert.Equal((Ids(pages[0]), null, pages[0].Next), (Ids(first), first.Previous, first.Next));

        static string Ids(ListedPage<ImportView> page) => string.Join(' ', page.Items.Select(i => i.Id));
    }

    [Fact]
    public async Task List_of_all_begins_with_what_runs_and_shows_each_once()
    {
        await database.SqlAsync("DELETE FROM importer.import");
        var running = await database.ImportAsync(ImportState.Running, OneOfEach);
        var others = new List<int>();
        for (var n = 0; n < 3; n++) others.Add(await database.ImportAsync(ImportState.Finished, OneOfEach));
        var first = await Read.PageAsync(ImportFilter.All, null, null, 2, Token);
        Assert.Equal([running, others[2], others[1]], first.Items.Select(i => i.Id));
        Assert.Equal((4, null), (first.Total, first.Previous));
        var second = await Read.PageAsync(ImportFilter.All, first.Next, null, 2, Token);
        Assert.Equal([others[0]], second.Items.Select(i => i.Id));
        var back = await Read.PageAsync(ImportFilter.All, null, second.Previous, 2, Token);
        Assert.Equal(first.Items.Select(i => i.Id), back.Items.Select(i => i.Id));
        // Whoever asked for an order gets it.
        var oldest = await Read.PageAsync(new ImportFilter { Order = ImportOrder.Oldest }, null, null, 1, Token);
        Assert.Equal([running], oldest.Items.Select(i => i.Id));
    }

    [Theory]
    [InlineData("spring cat", true)]
    [InlineData("SPRING.csv", true)]
    [InlineData("museum-", true)]
    [InlineData("carla", true)]
    [InlineData("50%", false)]
    [InlineData("autumn", false)]
    public async Task An_import_is_found_by_its_name_its_file_its_account_its_person_or_its_number(string search, bool found)
    {
        var id = await database.ImportAsync(ImportState.Finished, OneOfEach);
        var museum = ImporterDatabase.Account($"museum-{id}");
        await database.AddAsync(museum);
        await database.SqlAsync(
            "UPDATE importer.import SET name = 'Spring catalogue', created_by = 'Carla', account_id = $2 WHERE id = $1", id, museum.Id);
        await database.SqlAsync(
            "UPDATE importer.manifest SET file_name = 'spring.csv' WHERE id = (SELECT manifest_id FROM importer.import WHERE id = $1)", id);
        Assert.Equal(found, (await Read.ListAsync(new ImportFilter { Search = search }, null, 100, Token)).Items.Any(i => i.Id == id));
        Assert.Contains((await Read.ListAsync(new ImportFilter { Search = $"#{id}" }, null, 100, Token)).Items, i => i.Id == id);
    }

    [Theory]
    [InlineData(false, false, null)]
    [InlineData(true, false, "test")]
    [InlineData(true, true, "otto")]
    public async Task Who_started_an_import_is_who_ordered_it_or_else_who_uploaded_it_to_start_at_once(
        bool isStarted, bool byOrder, string? startedBy)
    {
        var id = await database.ImportAsync(ImportState.Review, OneOfEach);
        if (byOrder) await NothingInTheWay.Start(database.Source).RunAsync(id, "otto", Token);
        else if (isStarted) await database.SqlAsync("UPDATE importer.import SET state = 'running', started_at = now() WHERE id = $1", id);
        Assert.Equal(startedBy, (await Read.FindAsync(id, Token))!.StartedBy);
    }

    [Fact]
    public async Task The_same_bytes_uploaded_again_name_the_import_before()
    {
        var first = await database.ImportAsync(ImportState.Finished, OneOfEach);
        var second = await database.ImportAsync(ImportState.Review, OneOfEach);
        Assert.Null((await Read.FindAsync(second, Token))!.SameManifestAs);
        await database.SqlAsync("""
            UPDATE importer.manifest m SET sha256 = (SELECT sha256 FROM importer.manifest JOIN importer.import i
                ON i.manifest_id = manifest.id WHERE i.id = $1)
            FROM importer.import i WHERE i.manifest_id = m.id AND i.id = $2
            """, first, second);
        Assert.Equal(first, (await Read.FindAsync(second, Token))!.SameManifestAs);
        Assert.Null((await Read.FindAsync(first, Token))!.SameManifestAs);
    }

    [Fact]
    public async Task The_rates_over_time_are_the_differences_of_the_ticks_in_as_many_points_as_asked_for()
    {
        var id = await database.ImportAsync(ImportState.Running, OneOfEach);
        for (var second = 0; second <= 100; second++) await TickAsync(id, 200 - second, second * 5);
        var rates = await Read.RatesAsync(id, 10, Token);
        Assert.InRange(rates.Count, 8, 10);
        Assert.All(rates, r => Assert.Equal(5, r.FinishedPerSecond, 3));
        Assert.Empty(await Read.RatesAsync(999_999, 10, Token));
    }

    private Task TickAsync(int id, int secondsAgo, int finished) => database.AddAsync(
        new ImportTick { ImportId = id, At = start.AddSeconds(-secondsAgo), SubmittedCount = finished, FinishedCount = finished });
}
