using System.Text;
using BulkImporter.Data;
using BulkImporter.Imports;
using BulkImporter.Manifests;
using BulkImporter.Parse;
using BulkImporter.Sources;
using BulkImporter.Tests.Manifests;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace BulkImporter.Tests.Imports;

/// <summary>The review: which column is what, how many rows, and the settings, changed until somebody starts.</summary>
public sealed class ReviseImportTests(EngineDatabase database) : IClassFixture<EngineDatabase>
{
    private const string TwoLinks = """
        page,file,label
        https://media.example/page-1.html,https://media.example/1.mp4,One
        https://media.example/page-2.html,https://media.example/2.mp4,Two
        https://media.example/page-3.html,not an address,Three
        """;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_question_about_the_columns_is_answered_after_the_manifest_was_rejected()
    {
        var id = await CreateAsync(TwoLinks);
        await ParseAsync(id);
        Assert.Equal("rejected", await database.ImportStateAsync(id));
        var asked = await PreviewAsync(id);
        Assert.Equal(["page", "file", "label"], asked.Columns);
        Assert.NotNull(asked.Question);
        Assert.False(asked.Mapping.ContainsKey("url"));
        Assert.Equal(3, asked.Rows.Count);
        Assert.Equal(["https://media.example/page-1.html", "https://media.example/1.mp4", "One"], asked.Rows[0].Cells);

        Assert.Equal(new ImportChange.Done(ImportState.Parsing),
            await ReviseAsync(id, new ImportRevision { ["map"] = "url=file,caption=label" }));
        Assert.True(await AwaitsParseAsync(id));
        await ParseAsync(id);
        Assert.Equal(("review", "pending 2, invalid 1"), (await database.ImportStateAsync(id), await database.SoundCountsAsync(id)));
        var read = await PreviewAsync(id);
        Assert.Null(read.Question);
        Assert.Equal(("https://media.example/1.mp4", "One"), (read.Rows[0].Values["url"], read.Rows[0].Values["caption"]));
        Assert.Equal((true, "url_not_absolute"), (read.Rows[2].IsBlocked, Assert.Single(read.Rows[2].Findings)));
    }

    [Fact]
    public async Task Which_sheet_of_a_workbook_is_meant_is_answered_after_the_manifest_was_rejected()
    {
        var id = await CreateAsync(new MadeWorkbook().Sheet("Notes", ["Ask Ada"]).Sheet("Links", ["page", "file"],
            ["https://media.example/page-1.html", "https://media.example/1.mp4"]).Bytes());
        await ParseAsync(id);
        Assert.Equal("rejected", await database.ImportStateAsync(id));
        var asked = await PreviewAsync(id);
        Assert.Equal((FileFormat.Xlsx, "Notes"), (asked.FileFormat, asked.Sheet));
        Assert.Equal(["Notes", "Links"], asked.Sheets);
        Assert.StartsWith("Several sheets of this workbook have rows.", asked.Question, StringComparison.Ordinal);

        // The sheet is chosen, and there is a question about its columns, too.
        Assert.Equal(new ImportChange.Done(ImportState.Parsing), await ReviseAsync(id, new ImportRevision { ["sheet"] = "Links" }));
        await ParseAsync(id);
        Assert.Equal("rejected", await database.ImportStateAsync(id));
        Assert.Equal(["page", "file"], (await PreviewAsync(id)).Columns);
        await ReviseAsync(id, new ImportRevision { ["map"] = "url=file" });
        await ParseAsync(id);
        Assert.Equal(("review", "pending 1"), (await database.ImportStateAsync(id), await database.SoundCountsAsync(id)));
        var read = await PreviewAsync(id);
        Assert.Equal((null, "Links", "https://media.example/1.mp4"), (read.Question, read.Sheet, read.Rows[0].Values["url"]));
    }

    [Theory]
    [InlineData(" ")]
    [InlineData("Videos ")]
    public async Task A_sheet_is_meant_by_its_name_as_it_is_blanks_and_all(string name)
    {
        var id = await CreateAsync(new MadeWorkbook().Sheet(name, ["url"], ["https://media.example/first.mp4"])
            .Sheet("Videos", ["url"], ["https://media.example/second.mp4"]).Bytes());
        await ParseAsync(id);
        var asked = await PreviewAsync(id);
        Assert.Equal(name, asked.Sheet);
        Assert.NotNull(asked.Question);

        await ReviseAsync(id, new ImportRevision { ["sheet"] = name });
        await ParseAsync(id);
        Assert.Equal("https://media.example/first.mp4", (await PreviewAsync(id)).Rows[0].Values["url"]);
        await ReviseAsync(id, new ImportRevision { ["sheet"] = "Videos" });
        await ParseAsync(id);
        Assert.Equal("https://media.example/second.mp4", (await PreviewAsync(id)).Rows[0].Values["url"]);
    }

    [Fact]
    public async Task A_sheet_without_a_name_ends_in_an_answer()
    {
        var id = await CreateAsync(new MadeWorkbook().Sheet("", ["url"], ["https://media.example/first.mp4"])
            .Sheet("Videos", ["url"], ["https://media.example/second.mp4"]).Bytes());
        await ParseAsync(id);
        Assert.Equal("Videos", (await PreviewAsync(id)).Sheet);
        var none = await CreateAsync(new MadeWorkbook().Sheet("", ["url"], ["https://media.example/first.mp4"])
            .Sheet("", ["url"], ["https://media.example/second.mp4"]).Bytes());
        await ParseAsync(none);
        Assert.Null(await Preview.RunAsync(none, 5, Token));
    }

    [Fact]
    public async Task Corrections_go_with_the_rows_that_another_sheet_or_header_makes_others()
    {
        var id = await CreateAsync(new MadeWorkbook()
            .Sheet("A", ["url", "label"], ["https://media.example/a1.mp4", "x"], ["https://media.example/a2.mp4", "y"])
            .Sheet("B", ["address", "url"], ["https://media.example/b1.mp4", "https://media.example/c1.mp4"],
                ["https://media.example/b2.mp4", "https://media.example/c2.mp4"]).Bytes());
        await ParseAsync(id);
        await ReviseAsync(id, new ImportRevision { ["sheet"] = "A" });
        await CorrectAsync("https://media.example/new-a2.mp4");

        // Another column is another reading of the same rows.
        await ReviseAsync(id, new ImportRevision { ["map"] = "caption=label" });
        await ParseAsync(id);
        Assert.Equal("https://media.example/new-a2.mp4", await SecondAsync());

        await ReviseAsync(id, new ImportRevision { ["sheet"] = "B", ["map"] = "" });
        await ParseAsync(id);
        Assert.Equal("https://media.example/c2.mp4", await SecondAsync());
        Assert.Equal("https://media.example/c2.mp4", (await PreviewAsync(id)).Rows[1].Values["url"]);
        Assert.EndsWith("corrections: 1 value left out, because the rows are others now", await database.OneAsync<string>(
            "SELECT detail FROM importer.audit_entry WHERE import_id = $1 AND action = 'import_revised' ORDER BY id DESC LIMIT 1", id),
            StringComparison.Ordinal);

        async Task CorrectAsync(string url)
        {
            await ParseAsync(id);
            await database.SqlAsync("""
                INSERT INTO importer.correction (import_id, row_number, at, actor, field, new_value) VALUES ($1, 2, now(), 'ann', 'url', $2)
                """, id, url);
        }
        Task<string> SecondAsync() =>
            database.OneAsync<string>("SELECT source_url FROM importer.import_record WHERE import_id = $1 AND row_number = 2", id);
    }

    [Fact]
    public async Task Corrections_go_when_the_header_becomes_a_row()
    {
        var id = await CreateAsync("page,words\nhttps://media.example/1.mp4,One\nhttps://media.example/2.mp4,Two\n");
        await ParseAsync(id);
        await database.SqlAsync("""
            INSERT INTO importer.correction (import_id, row_number, at, actor, field, new_value)
            VALUES ($1, 2, now(), 'ann', 'url', 'https://media.example/new.mp4')
            """, id);
        await ReviseAsync(id, new ImportRevision { ["map"] = "url=column1" });
        await ParseAsync(id);
        Assert.Equal("https://media.example/1.mp4", await database.OneAsync<string>(
            "SELECT source_url FROM importer.import_record WHERE import_id = $1 AND row_number = 2", id));
    }

    [Fact]
    public async Task Another_mapping_reads_the_manifest_again_and_nothing_of_the_first_reading_is_left()
    {
        var id = await CreateAsync(TwoLinks, "url=file");
        await ParseAsync(id);
        Assert.Equal("pending 2, invalid 1", await database.SoundCountsAsync(id));

        await ReviseAsync(id, new ImportRevision { ["map"] = "url=page" });
        Assert.Equal(0L, await database.OneAsync<long>("""
            SELECT (SELECT count(*) FROM importer.import_record WHERE import_id = $1) + (SELECT count(*) FROM importer.import_chunk
                WHERE import_id = $1)
                + (SELECT count(*) FROM importer.finding WHERE import_id = $1)
            """, id));
        await ParseAsync(id);
        Assert.Equal("pending 3", await database.SoundCountsAsync(id));
        Assert.Equal("columns: url=page",
            await database.OneAsync<string>("SELECT detail FROM importer.audit_entry WHERE import_id = $1 AND action = 'import_revised'",
                id));
    }

    [Theory]
    [InlineData(2, "pending 2")]
    [InlineData(3, "pending 2, invalid 1")]
    [InlineData(0, "pending 2, invalid 1")]
    public async Task A_trial_reads_only_the_first_rows(int firstRows, string counts)
    {
        var id = await CreateAsync(TwoLinks, "url=file");
        await ParseAsync(id);
        await ReviseAsync(id, new ImportRevision { ["firstRows"] = "1" });
        await ParseAsync(id);
        Assert.Equal("pending 1", await database.SoundCountsAsync(id));

        await ReviseAsync(id, new ImportRevision { ["firstRows"] = $"{firstRows}" });
        await ParseAsync(id);
        Assert.Equal(counts, await database.SoundCountsAsync(id));
    }

    [Fact]
    public async Task Attempts_reach_the_records_and_the_other_settings_need_no_second_reading()
    {
        var id = await CreateAsync(TwoLinks, "url=file");
        await ParseAsync(id);
        var done = await ReviseAsync(id, new ImportRevision
        { ["name"] = "Spring", ["priority"] = "7", ["whenUnknown"] = "resubmit", ["fid"] = "AAAA" });
        Assert.Equal((new ImportChange.Done(ImportState.Review), false), (done, await AwaitsParseAsync(id)));
        Assert.Equal("Spring 7 resubmit AAAA",
            await database.OneAsync<string>("SELECT concat_ws(' ', name, priority, when_unknown, fid) FROM importer.import WHERE id = $1",
                id));
        Assert.Equal("pending 2, invalid 1", await database.SoundCountsAsync(id));

        await ReviseAsync(id, new ImportRevision { ["maxAttempts"] = "2" });
        await ParseAsync(id);
        Assert.Equal((short)2,
            await database.OneAsync<short>("SELECT max(attempts_left) FROM importer.import_record WHERE import_id = $1", id));
    }

    [Fact]
    public async Task What_changes_nothing_is_neither_read_again_nor_audited()
    {
        var id = await CreateAsync(TwoLinks, "url=file");
        await ParseAsync(id);
        await ReviseAsync(id, new ImportRevision { ["map"] = "url=file", ["maxAttempts"] = "5", ["firstRows"] = "0", ["fid"] = "" });
        Assert.False(await AwaitsParseAsync(id));
        Assert.Equal(0L,
            await database.OneAsync<long>("SELECT count(*) FROM importer.audit_entry WHERE import_id = $1 AND action = 'import_revised'",
                id));
    }

    [Theory]
    [InlineData(ImportState.Parsing)]
    [InlineData(ImportState.Running)]
    [InlineData(ImportState.Paused)]
    [InlineData(ImportState.Finished)]
    [InlineData(ImportState.Cancelled)]
    public async Task An_import_that_is_not_in_review_refuses(ImportState state)
    {
        var id = await database.ImportAsync(rows: 2, state: ImportState.Review);
        await database.SqlAsync(
            "UPDATE importer.import SET state = $2, finished_at = CASE WHEN $2 IN ('finished', 'cancelled') THEN now() END WHERE id = $1",
            id, EnumText<ImportState>.Of(state));
        Assert.Equal(state, Assert.IsType<ImportChange.Refused>(await ReviseAsync(id, new ImportRevision { ["name"] = "Spring" })).State);
        Assert.Equal("pending 2", await database.SoundCountsAsync(id));
        Assert.Equal(new ImportChange.NotFound(999_999), await ReviseAsync(999_999, new ImportRevision()));
    }

    [Fact]
    public async Task A_setting_that_cannot_be_meant_changes_nothing()
    {
        var id = await CreateAsync(TwoLinks, "url=file");
        await ParseAsync(id);
        foreach (var (revision, argument) in new[]
        {
            (new ImportRevision { ["map"] = "nonsense" }, "map"), (new ImportRevision { ["account"] = "nobody" }, "account"),
            (new ImportRevision { ["maxAttempts"] = "0" }, "maxAttempts"), (new ImportRevision { ["firstRows"] = "-1" }, "firstRows"),
            (new ImportRevision { ["name"] = " " }, "name"),
        })
        {
            Assert.Equal(argument, (await Assert.ThrowsAsync<InvalidArgumentException>(() => ReviseAsync(id, revision))).Argument);
        }
        Assert.Equal(("review", "pending 2, invalid 1"), (await database.ImportStateAsync(id), await database.SoundCountsAsync(id)));
    }

    [Fact]
    public async Task The_preview_hides_the_secret_of_an_address_that_cannot_be_sent()
    {
        var id = await CreateAsync("""
            url,title
            https://ann:secret@media.example/1.mp4,One
            """);
        var row = Assert.Single((await PreviewAsync(id)).Rows);
        Assert.True(row.IsBlocked);
        Assert.DoesNotContain("secret", row.Values["url"] + string.Concat(row.Cells), StringComparison.Ordinal);
        Assert.Null(await Preview.RunAsync(999_999, 5, Token));
    }

    private PreviewManifest Preview =>
        new(database.Source, new ManifestBytes(database.Source), new SourceUrlRules(new ManifestOptions()), TimeProvider.System,
            NullLogger<PreviewManifest>.Instance);

    private async Task<ManifestPreview> PreviewAsync(int id) => (await Preview.RunAsync(id, 5, Token))!;

    private Task<ImportChange> ReviseAsync(int id, ImportRevision revision) =>
        new ReviseImport(database.Contexts, new ManifestBytes(database.Source)).RunAsync(id, revision, "ann", Token);

    private Task<int> CreateAsync(string text, string? map = null) => CreateAsync(Encoding.UTF8.GetBytes(text), map);

    private async Task<int> CreateAsync(byte[] bytes, string? map = null)
    {
        var manifest = await new UploadManifest(database.Source, Options.Create(new ManifestOptions()))
            .RunAsync(new MemoryStream(bytes), "library.csv", Token);
        var id = (await new CreateImport(database.Contexts, TimeProvider.System)
            .RunAsync(new NewImport(manifest.Id, "ann") { Mapping = map, Settings = new() { ChunkSize = 2 } }, Token)).Id;
        // As if the feeder had enqueued it: only what is read again is noted below.
        await database.SqlAsync("UPDATE importer.import SET parse_queued_at = now() WHERE id = $1", id);
        return id;
    }

    private Task ParseAsync(int id) =>
        new ParseManifest(database.Source, new ManifestBytes(database.Source), new(database.Source),
            new SourceUrlRules(new ManifestOptions()), TimeProvider.System, NullLogger<ParseManifest>.Instance)
            .RunAsync(id, "library.csv", Token);

    /// <summary>What QueueParsing looks for.</summary>
    private Task<bool> AwaitsParseAsync(int id) =>
        database.OneAsync<bool>("SELECT state = 'parsing' AND parse_queued_at IS NULL FROM importer.import WHERE id = $1", id);
}
