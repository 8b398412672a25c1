using BulkImporter.Imports;
using BulkImporter.Parse;
using BulkImporter.Records;
using BulkImporter.Tests.Manifests;

namespace BulkImporter.Tests.Parse;

/// <summary>Nothing that the account has, or is getting, is imported again without being asked for.</summary>
public sealed class EarlierSourcesTests(EngineDatabase database) : IClassFixture<EngineDatabase>
{
    private const string Three = "url\nhttps://media.example/1.mp4\nhttps://media.example/2.mp4\nhttps://media.example/3.mp4\n";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_is_imported_or_in_progress_is_skipped_with_a_finding_that_names_import_and_row()
    {
        var stage = await ManifestStage.OfAsync(database);
        var first = await stage.ReadAsync(Three);
        await stage.StartAsync(first);
        await stage.EndAsync(first, 1, RecordState.Imported);
        await stage.EndAsync(first, 2, RecordState.Failed);

        var second =
            await stage.ReadAsync(
                "url\nhttps://media.example/new.mp4\nhttps://media.example/3.mp4\nhttps://media.example/2.mp4\nHTTPS://media.example:443/1.mp4\n");
        Assert.Equal("pending 2, duplicate 2", await database.SoundCountsAsync(second));
        Assert.Equal(
            [(2, "already_imported", 3, first), (4, "already_imported", 1, first)],
            (await stage.FindingsAsync(second)).Select(f => (f.Row, f.Code, f.OtherRow!.Value, f.OtherImport!.Value)));
        Assert.Equal($"Row 1 of import {first} has imported this address.", await MessageAsync(second, 4));
        Assert.Equal($"Row 3 of import {first} has this address in progress.", await MessageAsync(second, 2));

        var again = await stage.ReadAsync(Three, i => i with { Settings = i.Settings with { AlreadyImported = WhenDuplicate.Import } });
        Assert.Equal("pending 3", await database.SoundCountsAsync(again));
        Assert.Equal(new ImportChange.Done(ImportState.Parsing),
            await stage.ReviseAsync(again, new ImportRevision { ["alreadyImported"] = "skip" }));
        await stage.ParseAsync(again);
        Assert.Equal("pending 1, duplicate 2", await database.SoundCountsAsync(again));
    }

    [Fact]
    public async Task Rows_with_the_same_address_are_all_imported_when_that_is_asked_for()
    {
        const string Twice = "url,id\nhttps://media.example/1.mp4,A\nhttps://media.example/2.mp4,B\nHTTPS://media.example/1.mp4,C\n";
        var stage = await ManifestStage.OfAsync(database);
        var first = await stage.ReadAsync(Twice, i => i with { Settings = i.Settings with { DuplicateRows = WhenDuplicate.Import } });
        Assert.Equal("pending 3", await database.SoundCountsAsync(first));
        Assert.Empty(await stage.FindingsAsync(first));
        Assert.Equal(new ImportChange.Done(ImportState.Parsing),
            await stage.ReviseAsync(first, new ImportRevision { ["duplicateRows"] = "skip" }));
        await stage.ParseAsync(first);
        Assert.Equal("pending 2, duplicate 1", await database.SoundCountsAsync(first));
        await stage.ReviseAsync(first, new ImportRevision { ["duplicateRows"] = "import" });
        await stage.ParseAsync(first);
        await stage.StartAsync(first);

        // A correction may then bring an address that is there; what an earlier import has is another question.
        await stage.EndAsync(first, 2, RecordState.Failed);
        Assert.Equal(1, (await stage.CorrectAsync(first, "id,url\nB,https://media.example/1.mp4\n")).Corrected);
        Assert.Equal("duplicate 3",
            await database.SoundCountsAsync(
                await stage.ReadAsync("url\n" + string.Concat(Enumerable.Repeat("https://media.example/1.mp4\n", 3)), i =>
                    i with { Settings = i.Settings with { DuplicateRows = WhenDuplicate.Import } })));
    }

    [Fact]
    public async Task What_was_cancelled_or_only_reviewed_or_belongs_to_another_account_is_no_reason_to_skip()
    {
        var (stage, other) = (await ManifestStage.OfAsync(database), await ManifestStage.OfAsync(database));
        var cancelled = await stage.ReadAsync(Three);
        await stage.StartAsync(cancelled);
        await database.CancelAsync(cancelled);
        await stage.ReadAsync(Three);
        var elsewhere = await other.ReadAsync(Three);
        await other.StartAsync(elsewhere);
        Assert.Equal("pending 3", await database.SoundCountsAsync(await stage.ReadAsync(Three)));
    }

    [Fact]
    public async Task Of_two_imports_in_review_the_one_that_starts_second_is_compared_again_and_skips_what_the_first_has()
    {
        var stage = await ManifestStage.OfAsync(database);
        var first = await stage.ReadAsync(Three);
        var second = await stage.ReadAsync(Three + "https://media.example/4.mp4\n");
        Assert.Equal("pending 4", await database.SoundCountsAsync(second));
        Assert.Equal(new ImportChange.Done(ImportState.Running), await stage.StartAsync(first));

        Assert.Equal(new ImportChange.Done(ImportState.Parsing), await stage.StartAsync(second));
        await stage.ParseAsync(second);
        Assert.Equal(("running", "pending 1, duplicate 3"),
            (await database.ImportStateAsync(second), await database.SoundCountsAsync(second)));
    }

    [Fact]
    public async Task A_source_that_came_by_correction_is_known_too()
    {
        var stage = await ManifestStage.OfAsync(database);
        var first = await stage.ReadAsync(Three);
        await stage.StartAsync(first);
        await stage.EndAsync(first, 1, RecordState.Failed);
        Assert.Equal(1, (await stage.CorrectAsync(first, "import_row,url\n1,https://media.example/corrected.mp4\n")).Corrected);
        await stage.EndAsync(first, 1, RecordState.Imported);

        var second = await stage.ReadAsync("url\nhttps://media.example/1.mp4\nhttps://media.example/corrected.mp4\n");
        Assert.Equal("pending 1, duplicate 1", await database.SoundCountsAsync(second));
        Assert.Equal((2, first, 1),
            ((await stage.FindingsAsync(second)).Select(f => (f.Row, f.OtherImport!.Value, f.OtherRow!.Value)).Single()));
    }

    [Fact]
    public async Task A_result_file_uploaded_again_imports_only_what_is_not_imported_wherever_it_comes_from()
    {
        var stage = await ManifestStage.OfAsync(database);
        var first = await stage.ReadAsync(Three);
        await stage.StartAsync(first);
        foreach (var (row, state) in new[] { (1, RecordState.Imported), (2, RecordState.Failed), (3, RecordState.Imported) })
            await stage.EndAsync(first, row, state);
        var results = await stage.ExportAsync(first);

        var second = await stage.ReadAsync(results);
        Assert.Equal("pending 1, duplicate 2", await database.SoundCountsAsync(second));
        Assert.Equal("2",
            await database.OneAsync<string>(
                "SELECT string_agg(row_number::text, ',') FROM importer.import_record WHERE import_id = $1 AND state = 'pending'", second));

        // Another account has no earlier import of it; the file itself says so.
        var elsewhere = await ManifestStage.OfAsync(database);
        var third = await elsewhere.ReadAsync(results);
        Assert.Equal("pending 1, duplicate 2", await database.SoundCountsAsync(third));
        Assert.Equal(["already_imported", "already_imported"], (await elsewhere.FindingsAsync(third)).Select(f => f.Code));
        Assert.Equal("pending 3",
            await database.SoundCountsAsync(await elsewhere.ReadAsync(results, i =>
                i with { Settings = i.Settings with { AlreadyImported = WhenDuplicate.Import } })));
    }

    [Fact]
    public async Task Keys_stand_in_blocks_over_more_rows_than_one_holds()
    {
        var stage = await ManifestStage.OfAsync(database);
        const int rows = 2 * SourceKeyBlock.Rows + 10;
        var text = "url\n"
            + string.Concat(Enumerable.Range(1, rows).Select(n => FormattableString.Invariant($"https://media.example/block/{n}.mp4\n")));
        var first = await stage.ReadAsync(text, i => i with { Start = true, Settings = i.Settings with { ChunkSize = 5000 } });
        Assert.Equal(3L, await database.OneAsync<long>("SELECT count(*) FROM importer.source_key_block WHERE import_id = $1", first));
        var second =
            await stage.ReadAsync(
                FormattableString.Invariant(
                    $"url\nhttps://media.example/block/{SourceKeyBlock.Rows}.mp4\nhttps://media.example/block/{rows}.mp4\nhttps://media.example/block/0.mp4\n"));
        Assert.Equal([(1, SourceKeyBlock.Rows), (2, rows)], (await stage.FindingsAsync(second)).Select(f => (f.Row, f.OtherRow!.Value)));
    }

    [Fact]
    public async Task Links_that_run_out_before_the_estimated_end_are_warned_of()
    {
        // Three rows at one call in 100,000 seconds: more than three days.
        var stage = await ManifestStage.OfAsync(database, submitRate: 0.00001);
        var until = TimeProvider.System.GetUtcNow().AddDays(2).ToUnixTimeSeconds();
        var later = TimeProvider.System.GetUtcNow().AddDays(30).ToUnixTimeSeconds();
        var text =
            FormattableString.Invariant(
                $"url\nhttps://d1.cloudfront.net/1.mp4?Expires={until}&Signature=s&Key-Pair-Id=K\nhttps://d1.cloudfront.net/2.mp4?Expires={later}&Signature=s&Key-Pair-Id=K\nhttps://d1.cloudfront.net/3.mp4\n");
        Assert.Equal([(1, "url_expires_soon")], (await stage.FindingsAsync(await stage.ReadAsync(text))).Select(f => (f.Row, f.Code)));
        // Without a limit, and without an earlier import that tells a speed, only what runs out within a day is.
        Assert.Empty(await (await ManifestStage.OfAsync(database))
            .FindingsAsync(await (await ManifestStage.OfAsync(database)).ReadAsync(text)));
        // An hour a day makes it 24 times as long.
        var patient = await ManifestStage.OfAsync(database, submitRate: 0.00005);
        Assert.Empty(await patient.FindingsAsync(await patient.ReadAsync(text)));
        Assert.Equal([1],
            (await patient.FindingsAsync(await patient.ReadAsync(text, i =>
                i with { Settings = i.Settings with { Window = DailyWindow.Parse("02:00-03:00") } }))).Select(f => f.Row));
    }

    private Task<string> MessageAsync(int id, int row) =>
        database.OneAsync<string>("SELECT error_message FROM importer.import_record WHERE import_id = $1 AND row_number = $2", id, row);
}
