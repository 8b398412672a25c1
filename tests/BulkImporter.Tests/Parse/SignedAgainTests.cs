using System.Globalization;
using System.Text;
using BulkImporter.Imports;
using BulkImporter.Records;
using BulkImporter.Tests.Manifests;

namespace BulkImporter.Tests.Parse;

/// <summary>A list that is exported twice, with freshly signed links, is the same library: nothing of it is imported again.</summary>
public sealed class SignedAgainTests(EngineDatabase database) : IClassFixture<EngineDatabase>
{
    private const int Rows = 10_000;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <summary>What somebody found who tried it.</summary>
    [Fact]
    public async Task The_same_object_with_a_fresh_signature_is_imported_once()
    {
        var stage = await ManifestStage.OfAsync(database);
        var first = await stage.ReadAsync("url,title,id\n\"" + S3("film1.mp4", "20261129T000000Z", "aaaa") + "\",Film,F-1\n");
        await stage.StartAsync(first);
        await stage.EndAsync(first, 1, RecordState.Imported);
        var second = await stage.ReadAsync("url,title,id\n\"" + S3("film1.mp4", "20261129T010000Z", "bbbb") + "\",Film,F-1\n");
        Assert.Equal("duplicate 1", await database.SoundCountsAsync(second));
        Assert.Equal([("already_imported", first)], (await stage.FindingsAsync(second)).Select(f => (f.Code, f.OtherImport!.Value)));
    }

    [Fact]
    public async Task Ten_thousand_links_signed_anew_give_nothing_to_send_and_what_is_new_among_them_is_sent()
    {
        var stage = await ManifestStage.OfAsync(database);
        var first = await stage.ReadAsync(Library("20261129T000000Z", "a"), Large);
        Assert.Equal($"pending {Rows}", await database.SoundCountsAsync(first));
        await stage.StartAsync(first);
        await ImportAllAsync(first);

        // The week after: nothing to submit.
        var again = await stage.ReadAsync(Library("20261206T000000Z", "b"), Large);
        Assert.Equal($"duplicate {Rows}", await database.SoundCountsAsync(again));

        // 50 new ones, and 20 whose file moved: by their URL these are new, by their reference id they are the same records.
        var mixed = Library("20261213T000000Z", "c", changed: 20, added: 50);
        Assert.Equal($"pending 70, duplicate {Rows - 70}", await database.SoundCountsAsync(await stage.ReadAsync(mixed, Large)));
        foreach (var match in (RowMatch[])[RowMatch.ReferenceId, RowMatch.Both])
        {
            var import = await stage.ReadAsync(mixed, i => Large(i, match));
            Assert.Equal($"pending 50, duplicate {Rows - 50}", await database.SoundCountsAsync(import));
            Assert.Equal(20L, await database.OneAsync<long>(
                "SELECT count(*) FROM importer.finding WHERE import_id = $1 AND code = 'new_address' AND other_import = $2", import, first));
            // They are imported, so they are left alone.
            Assert.Equal(new ImportChange.Done(ImportState.Running), await stage.StartAsync(import));
            Assert.Equal(0L, await database.OneAsync<long>("SELECT count(*) FROM importer.correction WHERE import_id = $1", first));
            await database.CancelAsync(import);
        }
    }

    [Fact]
    public async Task Rows_that_wait_take_the_fresh_link_when_the_import_starts_and_not_before()
    {
        var stage = await ManifestStage.OfAsync(database);
        var first = await stage.ReadAsync($"url,id\n{S3("1.mp4", "20261129T000000Z", "old")},A\n{S3("2.mp4", "20261129T000000Z", "old")},B\n{S3("3.mp4", "20261129T000000Z", "old")},C\n");
        await stage.StartAsync(first);
        await stage.EndAsync(first, 1, RecordState.Imported);

        var fresh = $"url,id\n{S3("1.mp4", "20261130T000000Z", "new")},A\n{S3("2.mp4", "20261130T000000Z", "new")},B\n";
        var second = await stage.ReadAsync(fresh);
        Assert.Equal("duplicate 2", await database.SoundCountsAsync(second));
        Assert.DoesNotContain("Signature=new", await UrlAsync(first, 2), StringComparison.Ordinal);
        await stage.StartAsync(second);
        Assert.Contains("Signature=new", await UrlAsync(first, 2), StringComparison.Ordinal);
        Assert.Equal(["Signature=old", "Signature=old"], [(await UrlAsync(first, 1))[^13..], (await UrlAsync(first, 3))[^13..]]);
        Assert.Equal((2, "url", $"import {second}"), await NotedAsync(first));
        // It is in the results, and still the same row of the manifest.
        Assert.Contains("Signature=new", await stage.ExportAsync(first), StringComparison.Ordinal);

        // An import that was to start by itself does the same when it has been read.
        var third = await stage.ReadAsync($"url,id\n{S3("3.mp4", "20261201T000000Z", "third")},C\n", i => i with { Start = true });
        Assert.Equal("running", await database.ImportStateAsync(third));
        Assert.Contains("Signature=third", await UrlAsync(first, 3), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_row_with_the_reference_id_of_an_earlier_one_and_another_URL_is_that_record_with_a_new_address()
    {
        const string moved = "url,id\nhttps://new.example/1.mp4,A\nhttps://new.example/2.mp4,B\nhttps://new.example/3.mp4,C\nhttps://new.example/4.mp4,D\nhttps://media.example/3.mp4,E\n";
        var stage = await ManifestStage.OfAsync(database);
        var first = await stage.ReadAsync(
            "url,id,size\nhttps://media.example/1.mp4,A,100\nhttps://media.example/2.mp4,B,100\nhttps://media.example/3.mp4,C,100\n");
        await stage.StartAsync(first);
        await stage.EndAsync(first, 1, RecordState.Imported);
        await stage.EndAsync(first, 2, RecordState.Failed);

        // By their URLs these are four new files and one that is there.
        Assert.Equal("pending 4, duplicate 1", await database.SoundCountsAsync(await stage.ReadAsync(moved)));

        // By their reference ids three are there, and E is another record of the same file.
        var second = await stage.ReadAsync(moved, i => By(i, RowMatch.ReferenceId));
        Assert.Equal("pending 2, duplicate 3", await database.SoundCountsAsync(second));
        Assert.Equal([(1, "new_address", 1), (2, "new_address", 2), (3, "new_address", 3)],
            (await stage.FindingsAsync(second)).Select(f => (f.Row, f.Code, f.OtherRow!.Value)));
        Assert.Equal("pending 1, duplicate 4", await database.SoundCountsAsync(await stage.ReadAsync(moved, i => By(i, RowMatch.Both))));

        await stage.StartAsync(second);
        Assert.Equal(["https://media.example/1.mp4", "https://new.example/2.mp4", "https://new.example/3.mp4"],
            [await UrlAsync(first, 1), await UrlAsync(first, 2), await UrlAsync(first, 3)]);
        Assert.Equal("pending 1, imported 1, failed 1", await database.SoundCountsAsync(first));
        // What was expected of the former file is not expected of another.
        Assert.Equal("1", await database.OneAsync<string>(
            "SELECT string_agg(row_number::text, ' ') FROM importer.record_meta WHERE import_id = $1 AND expected_bytes IS NOT NULL", first));
        // What failed is rerun by a person, with the new address; the state is its own.
        Assert.Equal("failed", await database.OneAsync<string>(
            "SELECT state FROM importer.import_record WHERE import_id = $1 AND row_number = 2", first));
        Assert.Equal("duplicate", await database.OneAsync<string>(
            "SELECT state FROM importer.import_record WHERE import_id = $1 AND row_number = 2", second));
        Assert.Equal(1, Assert.IsType<BulkImporter.Rerun.RerunDone>(await new BulkImporter.Rerun.RerunRecords(database.Source, database.Transitions)
            .RunAsync(first, RecordFilter.All with { State = RecordState.Failed }, false, "ann", Token)).Rerun);
    }

    [Fact]
    public async Task What_is_on_its_way_or_about_to_be_sent_keeps_its_address()
    {
        var stage = await ManifestStage.OfAsync(database);
        var first = await stage.ReadAsync("url,id\nhttps://media.example/1.mp4,A\nhttps://media.example/2.mp4,B\nhttps://media.example/3.mp4,C\n");
        await stage.StartAsync(first);
        // Its worker has read the rows of the first chunk.
        await database.SubmitAsync(first, 1, 1);
        var second = await stage.ReadAsync("url,id\nhttps://new.example/1.mp4,A\nhttps://new.example/2.mp4,B\nhttps://new.example/3.mp4,C\n",
            i => By(i, RowMatch.Both));
        Assert.Equal("duplicate 3", await database.SoundCountsAsync(second));
        await stage.StartAsync(second);
        Assert.Equal(["https://media.example/1.mp4", "https://media.example/2.mp4", "https://new.example/3.mp4"],
            [await UrlAsync(first, 1), await UrlAsync(first, 2), await UrlAsync(first, 3)]);
    }

    [Fact]
    public async Task Of_rows_with_one_reference_id_the_first_is_imported_when_that_says_what_they_are()
    {
        const string text = "url,id\nhttps://media.example/1.mp4,A\nhttps://media.example/2.mp4,A\nhttps://media.example/1.mp4,B\nhttps://media.example/4.mp4,\nhttps://media.example/4.mp4,\n";
        var stage = await ManifestStage.OfAsync(database);
        Assert.Equal("2 warning, 3 error, 5 error", await OutcomeAsync(RowMatch.Url, "pending 3, duplicate 2"));
        Assert.Equal("2 error, 5 error", await OutcomeAsync(RowMatch.ReferenceId, "pending 3, duplicate 2"));
        Assert.Equal("2 error, 3 error, 5 error", await OutcomeAsync(RowMatch.Both, "pending 2, duplicate 3"));
        var all = await stage.ReadAsync(text, i => By(i, RowMatch.Both) with
        { Settings = By(i, RowMatch.Both).Settings with { DuplicateRows = WhenDuplicate.Import } });
        Assert.Equal("pending 5", await database.SoundCountsAsync(all));

        async Task<string> OutcomeAsync(RowMatch match, string counts)
        {
            var import = await stage.ReadAsync(text, i => By(i, match));
            Assert.Equal(counts, await database.SoundCountsAsync(import));
            return string.Join(", ", (await stage.FindingsAsync(import)).OrderBy(f => f.Row).Select(f => $"{f.Row} {f.Severity}"));
        }
    }

    private static NewImport By(NewImport import, RowMatch match) => import with { Settings = import.Settings with { MatchBy = match } };

    private static NewImport Large(NewImport import) => Large(import, RowMatch.Url);

    private static NewImport Large(NewImport import, RowMatch match) =>
        import with { Settings = import.Settings with { ChunkSize = 500, MatchBy = match } };

    private static string S3(string name, string time, string signature) =>
        $"https://bucket.s3.amazonaws.com/{name}?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=K%2F{time[..8]}%2Feu-west-1%2Fs3%2Faws4_request&X-Amz-Date={time}&X-Amz-Expires=604800&X-Amz-SignedHeaders=host&X-Amz-Signature={signature}";

    /// <summary>As many rows as ever: for those that are added the first are gone.</summary>
    private static string Library(string time, string signature, int changed = 0, int added = 0)
    {
        var text = new StringBuilder("url,title,id\n");
        for (var row = 1 + added; row <= Rows + added; row++)
        {
            var folder = row <= added + changed ? "moved" : "films";
            text.Append(CultureInfo.InvariantCulture, $"{S3($"{folder}/{row}.mp4", time, $"{signature}{row:x8}")},Film {row},F-{row}\n");
        }
        return text.ToString();
    }

    private async Task ImportAllAsync(int id)
    {
        await database.SqlAsync("UPDATE importer.import_record SET state = 'imported', rid = 'r' || row_number, finished_at = now() WHERE import_id = $1", id);
    }

    private Task<string> UrlAsync(int id, int row) =>
        database.OneAsync<string>("SELECT source_url FROM importer.import_record WHERE import_id = $1 AND row_number = $2", id, row);

    private async Task<(int Row, string Field, string Actor)> NotedAsync(int id)
    {
        var text = await database.OneAsync<string>(
            "SELECT string_agg(row_number || ' ' || field || ' ' || actor, ';') FROM importer.correction WHERE import_id = $1", id);
        var parts = text.Split(' ', 3);
        return (int.Parse(parts[0], CultureInfo.InvariantCulture), parts[1], parts[2]);
    }
}
