using BulkImporter.Data;
using BulkImporter.Dispatch;
using BulkImporter.Hosting;
using BulkImporter.Imports;
using BulkImporter.Manifests;
using BulkImporter.Records;
using Hangfire;
using Hangfire.Common;
using Hangfire.States;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace BulkImporter.Tests.Imports;

/// <summary>An import sends at its hours and says when it waits.</summary>
public sealed class ImportScheduleTests(EngineDatabase database) : IClassFixture<EngineDatabase>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("22:00-06:00 Europe/Berlin", "22:00-06:00 Europe/Berlin")]
    [InlineData(" 9:00-17:30 ", "09:00-17:30 UTC")]
    public void A_window_reads_back_as_it_is_written(string text, string window) =>
        Assert.Equal(window, DailyWindow.Parse(DailyWindow.Parse(text).ToString()).ToString());

    [Theory]
    [InlineData("")]
    [InlineData("22:00")]
    [InlineData("22-6 UTC")]
    [InlineData("25:00-06:00")]
    [InlineData("06:00-06:00 UTC")]
    public void What_is_no_window_is_refused(string text) =>
        Assert.Equal("window", Assert.Throws<InvalidArgumentException>(() => DailyWindow.Parse(text)).Argument);

    /// <summary>The database's own clock decides, so the start of each case is a time to come.</summary>
    [Theory]
    [InlineData("2050-01-10 12:00+00", "22:00", "06:00", "UTC", "2050-01-10 22:00")] // outside: tonight
    [InlineData("2050-01-10 23:00+00", "22:00", "06:00", "UTC", "2050-01-10 23:00")] // inside, before midnight
    [InlineData("2050-01-10 05:59+00", "22:00", "06:00", "UTC", "2050-01-10 05:59")] // inside, after midnight
    [InlineData("2050-01-10 06:00+00", "22:00", "06:00", "UTC", "2050-01-10 22:00")] // the end is outside
    [InlineData("2050-01-10 18:00+00", "09:00", "17:00", "UTC", "2050-01-11 09:00")] // over for today
    [InlineData("2050-01-10 08:30+00", "09:00", "17:00", "UTC", "2050-01-10 09:00")]
    [InlineData("2050-07-10 19:59+00", "22:00", "06:00", "Europe/Berlin", "2050-07-10 20:00")] // summer time: two hours
    [InlineData("2050-01-10 20:59+00", "22:00", "06:00", "Europe/Berlin", "2050-01-10 21:00")] // winter: one
    public async Task The_next_time_to_send_is_within_the_window(string start, string from, string until, string zone, string opens) =>
        Assert.Equal(opens, await database.OneAsync<string>(
            "SELECT to_char(importer.opens_at($1::timestamptz, $2::time, $3::time, $4) AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI')", start,
            from, until, zone));

    [Fact]
    public async Task Without_a_schedule_and_within_the_window_it_may_send_now() =>
        Assert.True(await database.OneAsync<bool>("""
            SELECT importer.opens_at(NULL, NULL, NULL, NULL) IS NULL AND importer.opens_at(now() - interval '1 h', NULL, NULL, NULL) IS NULL
                AND importer.opens_at(NULL, ((now() - interval '1 h') AT TIME ZONE 'UTC')::time,
                    ((now() + interval '1 h') AT TIME ZONE 'UTC')::time, 'UTC') IS NULL
            """));

    [Fact]
    public async Task Outside_of_its_window_a_running_import_is_neither_fed_nor_leased_nor_sent_and_says_when_it_goes_on()
    {
        await database.SqlAsync("DELETE FROM importer.import");
        var id = await database.ImportAsync(rows: 3);
        var lease = await database.LeaseAsync(id);
        await CloseAsync(id);
        Assert.Empty(await database.Transitions.SubmittingAsync(lease, [1], Token));
        await database.SqlAsync(
            "UPDATE importer.import_chunk SET state = 'waiting', lease_token = NULL, lease_until = NULL, lease_owner = NULL, "
                + "lease_window = 0 WHERE import_id = $1", id);
        Assert.Equal(0, await FeedAsync());
        var keeper = new LeaseKeeper(database.Source, Options.Create(new WorkOptions()), new WorkerIdentity("this-worker"),
            TimeProvider.System, NullLogger<LeaseKeeper>.Instance);
        Assert.Null(await keeper.TakeAsync(id, 1, Token));

        var view = await ViewAsync(id);
        Assert.True(view.WaitsUntil > TimeProvider.System.GetUtcNow());
        Assert.StartsWith("Waits until ", view.Reason, StringComparison.Ordinal);
        Assert.Contains(view.Window!.ToString().Split(' ')[0].Split('-')[0], view.Reason, StringComparison.Ordinal);

        // Opened while it runs, it goes on.
        Assert.IsType<ImportChange.Done>(await new ReviseImport(database.Contexts, new ManifestBytes(database.Source))
            .RunAsync(id, new ImportRevision { ["window"] = "" }, "ann", Token));
        Assert.Equal((null, null), ((await ViewAsync(id)).Reason, (await ViewAsync(id)).WaitsUntil));
        Assert.Equal(1, await FeedAsync());
    }

    /// <summary>
    /// As after an upgrade of the server whose zones are others: of two imports the one with the lost zone is paused, and says why.
    /// </summary>
    [Fact]
    public async Task Zone_that_the_database_no_longer_knows_is_the_trouble_of_its_import_alone()
    {
        await database.SqlAsync("DELETE FROM importer.import");
        var (lost, other) = (await database.ImportAsync(rows: 3), await database.ImportAsync(rows: 3));
        await database.SqlAsync(
            "UPDATE importer.import SET window_from = '00:00', window_until = '23:59', window_zone = 'US/Pacific-New' WHERE id = $1", lost);

        Assert.Equal(1, await FeedAsync());
        Assert.StartsWith("The database no longer knows the time zone 'US/Pacific-New'", (await ViewAsync(lost)).Reason,
            StringComparison.Ordinal);
        await database.Follow.RunAsync(Token);
        var page = await new ReadImports(database.Contexts, Options.Create(new WorkOptions())).ListAsync(ImportFilter.All, null, 10, Token);
        Assert.Equal(2, page.Items.Count);
        var view = await ViewAsync(lost);
        Assert.Equal(ImportState.Paused, view.State);
        Assert.Contains("'US/Pacific-New'", view.Reason, StringComparison.Ordinal);
        Assert.Equal(1,
            await database.OneAsync<long>(
                "SELECT count(*) FROM importer.notification WHERE import_id = $1 AND kind = 'import_paused' AND reason LIKE "
                    + "'%US/Pacific-New%'", lost));
        Assert.Equal(ImportState.Running, (await ViewAsync(other)).State);

        // Resumed as it is, it is paused again; with another window it goes on.
        await new ResumeImport(database.Source).RunAsync(lost, "ann", Token);
        await database.Follow.RunAsync(Token);
        Assert.Equal("paused", await database.ImportStateAsync(lost));
        Assert.IsType<ImportChange.Done>(await new ReviseImport(database.Contexts, new ManifestBytes(database.Source))
            .RunAsync(lost, new ImportRevision { ["window"] = "" }, "ann", Token));
        await new ResumeImport(database.Source).RunAsync(lost, "ann", Token);
        await database.Follow.RunAsync(Token);
        Assert.Equal((ImportState.Running, null), ((await ViewAsync(lost)).State, (await ViewAsync(lost)).Reason));
        Assert.Equal(1, await FeedAsync());
    }

    [Theory]
    [InlineData("europe/berlin", "Europe/Berlin")]
    [InlineData("utc", "UTC")]
    [InlineData("PST", null)] // known as a distance to UTC, which has no summer
    [InlineData("Europe/Berlin; DROP", null)]
    [InlineData("US/Pacific-New", null)]
    public async Task Zone_is_stored_by_the_name_that_both_sides_know_or_refused(string zone, string? stored)
    {
        var id = await database.ImportAsync(rows: 3);
        var revision = new ReviseImport(database.Contexts, new ManifestBytes(database.Source))
            .RunAsync(id, new ImportRevision { ["window"] = $"22:00-06:00 {zone}" }, "ann", Token);
        if (stored is null) Assert.Equal("window", (await Assert.ThrowsAsync<InvalidArgumentException>(() => revision)).Argument);
        else Assert.IsType<ImportChange.Done>(await revision);
        Assert.Equal(stored
            ?? "none", await database.OneAsync<string>("SELECT coalesce(max(window_zone), 'none') FROM importer.import WHERE id = $1", id));
    }

    [Fact]
    public async Task Start_at_the_end_of_time_is_shown_like_any_other()
    {
        var id = await database.ImportAsync(rows: 3);
        await new ReviseImport(database.Contexts, new ManifestBytes(database.Source))
            .RunAsync(id, new ImportRevision { ["startAt"] = "9999-12-31T12:00:00Z", ["window"] = "09:00-10:00 UTC" }, "ann", Token);
        Assert.StartsWith("Waits until 9999-12-31", (await ViewAsync(id)).Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Nothing_is_sent_before_the_start_time()
    {
        await database.SqlAsync("DELETE FROM importer.import");
        var id = await database.ImportAsync(rows: 3);
        await new ReviseImport(database.Contexts, new ManifestBytes(database.Source)).RunAsync(id, new ImportRevision { ["startAt"] = "2099-01-01T00:00:00Z" }, "ann", Token);
        Assert.Equal(0, await FeedAsync());
        Assert.Equal("Waits until 2099-01-01 00:00 UTC.", (await ViewAsync(id)).Reason);
        await new ReviseImport(database.Contexts, new ManifestBytes(database.Source))
            .RunAsync(id, new ImportRevision { ["startAt"] = "2020-01-01T00:00:00+02:00" }, "ann", Token);
        Assert.Equal(1, await FeedAsync());
    }

    [Fact]
    public async Task While_it_runs_only_what_steers_the_sending_changes()
    {
        var id = await database.ImportAsync(rows: 3);
        var revise = new ReviseImport(database.Contexts, new ManifestBytes(database.Source));
        Assert.IsType<ImportChange.Done>(await revise.RunAsync(id, new ImportRevision
        {
            ["priority"] = "7",
            ["whenUnknown"] = "resubmit",
            ["stopAtFailurePercent"] = "10",
            ["stopAfterRows"] = "5",
            ["window"] = "22:00-06:00 Europe/Berlin"
        }, "ann", Token));
        Assert.Equal("running 7 resubmit 10 5 Europe/Berlin", await database.OneAsync<string>(
            "SELECT concat_ws(' ', state, priority, when_unknown, stop_at_failure_percent, stop_after_rows, window_zone) FROM "
                + "importer.import WHERE id = $1", id));
        foreach (var revision in new[] { new ImportRevision { ["map"] = "url=url" }, new ImportRevision { ["fid"] = "AAAA" },
            new ImportRevision { ["maxAttempts"] = "2" } })
            Assert.IsType<ImportChange.Refused>(await revise.RunAsync(id, revision, "ann", Token));
        foreach (var (revision, argument) in new[]
        {
            (new ImportRevision { ["window"] = "22:00-06:00 Europe/Atlantis" }, "window"),
                (new ImportRevision { ["startAt"] = "soon" }, "startAt"),
            (new ImportRevision { ["stopAtFailurePercent"] = "0" }, "stopAtFailurePercent"),
            (new ImportRevision { ["stopAfterRows"] = "0" }, "stopAfterRows"),
        })
        {
            Assert.Equal(argument,
                (await Assert.ThrowsAsync<InvalidArgumentException>(() => revise.RunAsync(id, revision, "ann", Token))).Argument);
        }
        Assert.Equal("pending 3", await database.SoundCountsAsync(id));
    }

    [Theory]
    [InlineData(10, 4, 1, "running")] // not yet judged
    [InlineData(10, 5, 1, "paused")] // one of five is more than ten percent
    [InlineData(20, 5, 1, "running")] // and not more than twenty
    [InlineData(100, 5, 5, "running")] // never
    public async Task The_breaker_is_the_imports_own(int percent, int finished, int failed, string state)
    {
        var id = await database.ImportAsync(rows: 6, chunkSize: 6);
        await database.SqlAsync("UPDATE importer.import SET stop_at_failure_percent = $2, stop_after_rows = 5 WHERE id = $1", id, percent);
        await database.SubmitAsync(id, 1, [.. Enumerable.Range(1, finished)]);
        for (var row = 1; row <= finished; row++)
            await database.ConcludeAsync(id, row, $"st-{row}-1", row <= failed ? RecordState.Failed : RecordState.Imported, row <= failed
                ? FailureCode.SourceNotFound : null);
        await database.Follow.RunAsync(Token);
        Assert.Equal(state, await database.ImportStateAsync(id));
    }

    /// <summary>A window of an hour that begins in an hour.</summary>
    private Task<int> CloseAsync(int id) => database.SqlAsync("""
        UPDATE importer.import SET window_from = date_trunc('minute', (now() + interval '1 h') AT TIME ZONE 'UTC')::time,
            window_until = date_trunc('minute', (now() + interval '2 h') AT TIME ZONE 'UTC')::time, window_zone = 'UTC' WHERE id = $1
        """, id);

    private async Task<ImportView> ViewAsync(int id) =>
        (await new ReadImports(database.Contexts, Options.Create(new WorkOptions())).FindAsync(id, Token))!;

    private async Task<int> FeedAsync()
    {
        await using var hangfire = new ServiceCollection().AddLogging().AddHangfireStorage(database.ConnectionString)
            .BuildServiceProvider();
        return await new ChunkFeeder(database.Source, new NoJobs(), hangfire.GetRequiredService<JobStorage>(),
            Options.Create(new WorkOptions()), NullLogger<ChunkFeeder>.Instance).RunAsync(Token);
    }

    private sealed class NoJobs : IBackgroundJobClient
    {
        public string Create(Job job, IState state) => "1";

        public bool ChangeState(string jobId, IState state, string expectedState) => throw new NotSupportedException();
    }
}
