using BulkImporter.Dispatch;
using BulkImporter.Imports;
using BulkImporter.Records;
using BulkImporter.Tests.Manifests;
using Microsoft.Extensions.Options;

namespace BulkImporter.Tests.Imports;

/// <summary>An import that is started with its first records only: they are sent, it stops, and a person sends the rest.</summary>
public sealed class TrialTests(EngineDatabase database) : IClassFixture<EngineDatabase>
{
    // Chunks of two rows. Row 1 is invalid and row 3 a duplicate, so that the first three records are the rows 2, 4 and 5.
    private const string Library = """
        url
        ftp://media.example/1.mp4
        https://media.example/2.mp4
        https://media.example/2.mp4
        https://media.example/4.mp4
        https://media.example/5.mp4
        https://media.example/6.mp4
        https://media.example/7.mp4

        """;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private ReadImports Read => new(database.Contexts, Options.Create(new WorkOptions()));

    [Fact]
    public async Task Only_the_first_records_are_due_and_when_they_have_ended_the_import_waits_for_a_person()
    {
        var (stage, id) = await StartedAsync(3);
        var import = (await Read.FindAsync(id, Token))!;
        Assert.Equal((new TrialView(3, false), "Only the first 3 records are sent for now."), (import.Trial, import.Reason));
        Assert.Equal("the first 3 only", await DetailAsync(id, "import_started"));
        Assert.Equal("2 4 5", await DueAsync(id));
        Assert.Equal("1 2 3", await DueChunksAsync(id));

        await stage.EndAsync(id, 2, RecordState.Imported);
        await stage.EndAsync(id, 4, RecordState.Failed);
        await database.SqlAsync("DELETE FROM importer.work_batch WHERE import_id = $1", id);
        await database.Follow.RunAsync(Token);
        Assert.Equal("running", await database.ImportStateAsync(id));
        await stage.EndAsync(id, 5, RecordState.Imported);
        await database.SqlAsync("DELETE FROM importer.work_batch WHERE import_id = $1", id);
        await database.Follow.RunAsync(Token);
        import = (await Read.FindAsync(id, Token))!;
        Assert.Equal((ImportState.Paused, new TrialView(3, true), "The first 3 records have ended."),
            (import.State, import.Trial, import.Reason));
        Assert.Equal("The first 3 records have ended.",
            await database.OneAsync<string>("SELECT reason FROM importer.notification WHERE import_id = $1 AND kind = 'import_paused'", id));

        Assert.IsType<ImportChange.Done>(await ResumeAsync(id));
        import = (await Read.FindAsync(id, Token))!;
        Assert.Equal((ImportState.Running, null, null), (import.State, import.Trial, import.Reason));
        Assert.Equal("sends the rest", await DetailAsync(id, "import_resumed"));
        Assert.Equal("6 7", await DueAsync(id));
        Assert.Equal("3 4", await DueChunksAsync(id));
    }

    [Fact]
    public async Task A_chunk_that_is_given_back_sleeps_until_the_rest_is_sent_and_a_record_of_the_trial_that_is_tried_again_wakes_it()
    {
        var (_, id) = await StartedAsync(3);
        await database.SubmitAsync(id, 3, 5);
        await ReleaseAsync(id, 3);
        Assert.Equal("1 2", await DueChunksAsync(id));
        Assert.Equal("pending 4, submitted 1, invalid 1, duplicate 1", await database.SoundCountsAsync(id));
        await database.ConcludeAsync(id, 5, "st-5-1", RecordState.Pending, FailureCode.SourceTimeout);
        Assert.Equal("1 2 3", await DueChunksAsync(id));
        // While it runs, too, the rest can be sent.
        await ResumeAsync(id);
        Assert.Equal("1 2 3 4", await DueChunksAsync(id));
        Assert.Equal(ImportState.Running, (await Read.FindAsync(id, Token))!.State);
        Assert.IsType<ImportChange.Refused>(await ResumeAsync(id));
    }

    [Fact]
    public async Task A_pause_in_the_middle_of_a_trial_ends_and_the_trial_goes_on()
    {
        var (_, id) = await StartedAsync(3);
        await new PauseImport(database.Source).RunAsync(id, "ann", Token);
        await ResumeAsync(id);
        Assert.Equal(new TrialView(3, false), (await Read.FindAsync(id, Token))!.Trial);
        Assert.Equal("2 4 5", await DueAsync(id));
        Assert.Equal("1 2 3", await DueChunksAsync(id));
    }

    [Theory]
    [InlineData(5, "5 records are sent")]
    [InlineData(6, null)]
    [InlineData(100, null)]
    public async Task A_trial_of_more_records_than_there_are_is_none(int first, string? told)
    {
        var (_, id) = await StartedAsync(first);
        Assert.Equal("2 4 5 6 7", await DueAsync(id));
        var import = (await Read.FindAsync(id, Token))!;
        if (told is null) Assert.Equal((null, null), (import.Trial, import.Reason));
        else Assert.Contains(told, import.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Of_a_trial_of_all_records_nothing_waits_at_the_end()
    {
        var (stage, id) = await StartedAsync(5);
        foreach (var row in new[] { 2, 4, 5, 6, 7 }) await stage.EndAsync(id, row, RecordState.Failed);
        await database.Follow.RunAsync(Token);
        Assert.Equal("finished", await database.ImportStateAsync(id));
        Assert.Null((await Read.FindAsync(id, Token))!.Trial);
        // A correction makes it run again, without the trial.
        await stage.CorrectAsync(id, "import_row,url\n7,https://media.example/7-new.mp4\n");
        Assert.Equal(("running", "7", "4"), (await database.ImportStateAsync(id), await DueAsync(id), await DueChunksAsync(id)));
    }

    [Fact]
    public async Task A_trial_that_was_ordered_while_the_manifest_is_read_again_begins_when_it_is_read()
    {
        var stage = await ManifestStage.OfAsync(database);
        var id = await stage.ReadAsync(Library);
        var other = await stage.ReadAsync("url\nhttps://media.example/4.mp4\n");
        await stage.StartAsync(other);
        await StartAsync(id, 3);
        Assert.Equal("parsing", await database.ImportStateAsync(id));
        await stage.ParseAsync(id);
        Assert.Equal(("running", "2 5 6"), (await database.ImportStateAsync(id), await DueAsync(id)));
    }

    [Fact]
    public async Task A_trial_of_no_record_is_refused() =>
        Assert.Equal("first", (await Assert.ThrowsAsync<BulkImporter.Data.InvalidArgumentException>(() => StartAsync(1, 0))).Argument);

    private async Task<(ManifestStage Stage, int Import)> StartedAsync(int first)
    {
        var stage = await ManifestStage.OfAsync(database);
        var id = await stage.ReadAsync(Library);
        Assert.IsType<ImportChange.Done>(await StartAsync(id, first));
        return (stage, id);
    }

    private Task<ImportChange> StartAsync(int id, int first) =>
        NothingInTheWay.Start(database.Source).RunAsync(id, "ann", Token, first);

    private Task<ImportChange> ResumeAsync(int id) => new ResumeImport(database.Source).RunAsync(id, "ann", Token);

    /// <summary>As a worker does it that has sent all that was due.</summary>
    private async Task ReleaseAsync(int id, int chunk)
    {
        var token = await database.OneAsync<Guid>(
            "SELECT lease_token FROM importer.import_chunk WHERE import_id = $1 AND number = $2", id, chunk);
        Assert.Equal(1, await database.SqlAsync(
            ChunkLease.Release, id, chunk, token, Array.Empty<int>(), Array.Empty<string>(), Array.Empty<int>(), false));
    }

    /// <summary>The rows that a worker would send now.</summary>
    private async Task<string> DueAsync(int id)
    {
        var due = await database.Source.QueryAsync(DispatchChunk.ReadDue, r => r.GetInt32(0), Token, id, 1, 100);
        return string.Join(' ', due);
    }

    private Task<string> DueChunksAsync(int id) => database.OneAsync<string>(
        "SELECT string_agg(number::text, ' ' ORDER BY number) FROM importer.import_chunk WHERE import_id = $1 AND due_at <= now() "
            + "AND state = 'waiting' AND pending_count > 0", id);

    private Task<string> DetailAsync(int id, string action) => database.OneAsync<string>(
        "SELECT detail FROM importer.audit_entry WHERE import_id = $1 AND action = $2", id, action);
}
