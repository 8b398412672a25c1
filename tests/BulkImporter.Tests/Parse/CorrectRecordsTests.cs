using System.IO.Compression;
using System.Text;
using BulkImporter.Data;
using BulkImporter.Dispatch;
using BulkImporter.Imports;
using BulkImporter.Manifests;
using BulkImporter.Parse;
using BulkImporter.Records;
using BulkImporter.Tests.Manifests;

namespace BulkImporter.Tests.Parse;

/// <summary>A manifest for an import that exists: what it may change, what not, and that every row of it is answered.</summary>
public sealed class CorrectRecordsTests(EngineDatabase database) : IClassFixture<EngineDatabase>
{
    private const string Library = """
        url,title,id,note
        https://media.example/1.mp4,One,R1,x
        https://media.example/2.mp4,Two,R2,"y, y"
        ftp://media.example/3.mp4,Three,R3,z
        https://media.example/4.mp4,Four,R4,
        https://media.example/5.mp4,Five,R4,
        https://media.example/6.mp4,Six,,

        """;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(FileFormat.Xlsx)]
    [InlineData(FileFormat.Jsonl)]
    public async Task A_workbook_and_json_lines_are_corrected_by_one_of_their_own_and_come_back_so(FileFormat format)
    {
        var stage = await ManifestStage.OfAsync(database);
        var id = await stage.ReadAsync(format == FileFormat.Xlsx
            ? new MadeWorkbook().Sheet("Videos", ["url", "title", "n"], ["media.example/1.mp4", "One", "7"]).Bytes()
            : "{\"url\": \"media.example/1.mp4\", \"title\": \"One\", \"n\": 7}\n"u8.ToArray());
        Assert.Equal("invalid 1", await database.SoundCountsAsync(id));
        var report = Assert.IsType<CorrectionDone>(await stage.TryCorrectAsync(id, format == FileFormat.Xlsx
            ? new MadeWorkbook().Sheet("Fixed", ["url", "import_row"], ["https://media.example/1.mp4", "1"]).Bytes()
            : "{\"url\": \"https://media.example/1.mp4\", \"import_row\": 1}\n"u8.ToArray())).Report;
        Assert.Equal(1, report.Corrected);
        await stage.ParseAsync(id);
        Assert.Equal("pending 1", await database.SoundCountsAsync(id));

        var (asUploaded, bytes) = await stage.ExportAsUploadedAsync(id);
        Assert.Equal(format, asUploaded);
        var result = await WholeManifest.ReadAsync(bytes);
        Assert.Equal((format, true), (result.Layout.Format, result.Layout.IsResultFile));
        Assert.Equal(["https://media.example/1.mp4", "One", "7"], Assert.Single(result.Rows).Fields[..3]);
    }

    [Fact]
    public async Task Failed_and_invalid_rows_take_their_new_values_and_only_they_are_sent_again()
    {
        var (stage, id) = await EndedAsync();
        Assert.Equal("pending 2, imported 2, failed 1, invalid 1", await database.SoundCountsAsync(id));

        // As an export is edited: every column, by import_row.
        var report = await stage.CorrectAsync(id, """
            url,title,id,note,import_row,import_state
            https://media.example/1.mp4,Changed,R1,x,1,imported
            https://media.example/2-new.mp4,Two again,R2,"y, y",2,failed
            https://media.example/3.mp4,Three,R3,z,3,invalid
            https://media.example/5.mp4,Five,R4,,5,pending
            """);
        Assert.Equal(["wrong_state", "corrected", "corrected", "wrong_state"], report.Rows.Select(r => r.Outcome));
        Assert.Equal((2, 2), (report.Corrected, report.Refused));
        Assert.Equal("Replaced: url, caption. It is sent again.", report.Rows[1].Message);
        Assert.Equal("pending 4, imported 2", await database.SoundCountsAsync(id));
        Assert.Equal("imported attempt 1 left 4 st-1-1 rid1", await database.RecordAsync(id, 1));
        // The attempt that was made is kept, and all attempts are granted again.
        Assert.Equal("pending attempt 1 left 5", await database.RecordAsync(id, 2));
        Assert.Equal(["1 source_not_found st-2-1"], await database.AttemptsAsync(id, 2));
        Assert.Equal("https://media.example/2-new.mp4 Two again",
            await database.OneAsync<string>(
                "SELECT source_url || ' ' || caption FROM importer.import_record WHERE import_id = $1 AND row_number = 2", id));
        Assert.Equal("caption Two Two again, url https://media.example/2.mp4 https://media.example/2-new.mp4",
            await database.OneAsync<string>(
            "SELECT string_agg(concat_ws(' ', field, old_value, new_value), ', ' ORDER BY field) FROM importer.correction WHERE "
                + "import_id = $1 AND row_number = 2", id));

        await stage.EndAsync(id, 2, RecordState.Imported);
        await stage.EndAsync(id, 3, RecordState.Imported);
        var lines = (await stage.ExportAsync(id)).Split('\n');
        Assert.StartsWith("https://media.example/2-new.mp4,Two again,R2,\"y, y\",2,imported,", lines[2], StringComparison.Ordinal);
        Assert.StartsWith("https://media.example/1.mp4,One,R1,x,1,imported,", lines[1], StringComparison.Ordinal);
        Assert.Contains("\"url\":\"https://media.example/2-new.mp4\"", await stage.ExportAsync(id, FileFormat.Jsonl),
            StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("id,url\nR2,https://media.example/new.mp4\n", "corrected")]
    [InlineData("id,url,title\nR2,,Only the title\n", "corrected")]
    [InlineData("import_row,url,id\n2,https://media.example/new.mp4,R2-new\n", "corrected")]
    [InlineData("id,url\nR2,https://media.example/2.mp4\n", "unchanged")]
    [InlineData("id,url\nR9,https://media.example/new.mp4\n", "unmatched")]
    [InlineData("import_row,url\n77,https://media.example/new.mp4\n", "unmatched")]
    [InlineData("import_row,url\ntwo,https://media.example/new.mp4\n", "unmatched")]
    [InlineData("id,url\n,https://media.example/new.mp4\n", "unmatched")]
    [InlineData("id,url\nR4,https://media.example/new.mp4\n", "ambiguous")]
    [InlineData("id,url\nR1,https://media.example/new.mp4\n", "wrong_state")]
    [InlineData("id,url\nR2,https://youtu.be/abc\n", "invalid")]
    [InlineData("id,url,title\nR3,,No address\n", "invalid")]
    [InlineData("id,url\nR2,https://media.example/4.mp4\n", "duplicate_url")]
    [InlineData("id,url\nR2,https://media.example/elsewhere.mp4\n", "already_imported")]
    public async Task Each_row_of_the_file_is_answered(string file, string outcome)
    {
        var (stage, id) = await EndedAsync();
        var other = await stage.ReadAsync("url\nhttps://media.example/elsewhere.mp4\n");
        await stage.StartAsync(other);

        var report = await stage.CorrectAsync(id, file);
        Assert.Equal(outcome, Assert.Single(report.Rows).Outcome);
        Assert.Equal(outcome == "corrected" ? "pending 3, imported 2, invalid 1" : "pending 2, imported 2, failed 1, invalid 1",
            await database.SoundCountsAsync(id));
        if (outcome != "corrected")
            Assert.Equal(0L, await database.OneAsync<long>("SELECT count(*) FROM importer.correction WHERE import_id = $1", id));
    }

    [Fact]
    public async Task The_same_row_or_address_twice_counts_once()
    {
        var (stage, id) = await EndedAsync();
        var report = await stage.CorrectAsync(id,
            "import_row,url\n2,https://media.example/new.mp4\n2,https://media.example/newer.mp4\n3,https://media.example/new.mp4\n");
        Assert.Equal(["corrected", "repeated", "duplicate_url"], report.Rows.Select(r => r.Outcome));
        Assert.Equal([2L, 3L, 4L], report.Rows.Select(r => r.Line));
    }

    [Fact]
    public async Task An_import_that_had_ended_runs_again_and_one_that_was_rejected_refuses()
    {
        var (stage, id) = await EndedAsync();
        foreach (var row in new[] { 5, 6 }) await stage.EndAsync(id, row, RecordState.Imported);
        await database.SqlAsync("DELETE FROM importer.work_batch WHERE import_id = $1", id);
        await database.Follow.RunAsync(Token);
        Assert.Equal("finished", await database.ImportStateAsync(id));
        Assert.Equal(1, (await stage.CorrectAsync(id, "id,url\nR2,https://media.example/new.mp4\n")).Corrected);
        Assert.Equal("running", await database.ImportStateAsync(id));

        var rejected = await stage.ReadAsync("caption\nx\n");
        Assert.IsType<ImportChange.Refused>(await stage.TryCorrectAsync(rejected, "id,url\nX,https://media.example/x.mp4\n"));
        Assert.IsType<ImportChange.NotFound>(await stage.TryCorrectAsync(999_999, "id,url\nX,https://media.example/x.mp4\n"));
    }

    [Fact]
    public async Task In_review_any_row_takes_its_new_values_and_the_manifest_is_read_again_with_them()
    {
        var stage = await ManifestStage.OfAsync(database);
        var id = await stage.ReadAsync("""
            url,title,id
            https://media.example/1.mp4,One,R1
            ftp://media.example/2.mp4,Two,R2
            ,Three,R3
            https://media.example/1.mp4,Four,R4
            "https://media.example/5.mp4" x,Five,R5
            """);
        Assert.Equal("pending 1, invalid 3, duplicate 1", await database.SoundCountsAsync(id));

        var report = await stage.CorrectAsync(id, """
            import_row,url,title,id
            1,https://media.example/1-new.mp4,,
            2,https://media.example/2.mp4,Two again,
            3,https://media.example/4.mp4,,R3-new
            5,https://media.example/5.mp4,,
            """);
        Assert.Equal(["Replaced: url.", "Replaced: url, caption.", "Replaced: url, reference_id.", "Replaced: url."],
            report.Rows.Select(r => r.Message));
        Assert.Equal(("parsing", ""), (await database.ImportStateAsync(id), await database.SoundCountsAsync(id)));
        await stage.ParseAsync(id);
        // The row that was like the first is not any more.
        Assert.Equal(("review", "pending 5"), (await database.ImportStateAsync(id), await database.SoundCountsAsync(id)));
        Assert.Empty(await stage.FindingsAsync(id));
        Assert.Equal("1-new One R1, 2 Two again R2, 4 Three R3-new, 1 Four R4, 5 Five R5", await ValuesAsync());
        Assert.Equal("4 rows", await database.OneAsync<string>(
            "SELECT detail FROM importer.audit_entry WHERE import_id = $1 AND action = 'records_corrected'", id));

        // They outlive a change of the settings, are corrected once more, and are seen by what is compared with them.
        await stage.ReviseAsync(id, new ImportRevision { ["maxAttempts"] = "7" });
        await stage.ParseAsync(id);
        await stage.CorrectAsync(id, "import_row,url\n3,https://media.example/1-new.mp4\n4,https://media.example/7.mp4\n");
        await stage.ParseAsync(id);
        Assert.Equal("1-new One R1, 2 Two again R2, 4 Three R3-new, 7 Four R4, 5 Five R5", await ValuesAsync());
        Assert.Equal("One", (await stage.Preview.RunAsync(id, 5, Token))!.Rows[0].Values["caption"]);
        Assert.Equal(["https://media.example/1-new.mp4", "https://media.example/2.mp4", "https://media.example/4.mp4"],
            (await stage.Preview.RunAsync(id, 3, Token))!.Rows.Select(r => r.Values["url"]));
        var other = await stage.ReadAsync("url\nhttps://media.example/4.mp4\nhttps://media.example/2.mp4\n");
        await stage.StartAsync(other);
        await stage.StartAsync(id);
        Assert.Equal("parsing", await database.ImportStateAsync(id));
        await stage.ParseAsync(id);
        Assert.Equal(("running", "pending 3, duplicate 2"), (await database.ImportStateAsync(id), await database.SoundCountsAsync(id)));
        Assert.StartsWith("https://media.example/1-new.mp4,One,R1,1,pending,", (await stage.ExportAsync(id)).Split('\n')[1],
            StringComparison.Ordinal);

        Task<string> ValuesAsync() => database.OneAsync<string>("""
            SELECT string_agg(concat_ws(' ', substring(source_url FROM '([^/]*)[.]mp4'), caption, reference_id), ', ' ORDER BY row_number)
            FROM importer.import_record WHERE import_id = $1
            """, id);
    }

    [Fact]
    public async Task A_rejected_import_names_the_encoding_in_which_its_file_can_be_read_until_it_is_read_so()
    {
        var stage = await ManifestStage.OfAsync(database);
        var read = new ReadImports(database.Contexts, Microsoft.Extensions.Options.Options.Create(new WorkOptions()));
        var id = await stage.ReadAsync(System.Text.Encoding.Latin1.GetBytes("url,title\nhttps://media.example/1.mp4,Caf\u00e9\n"));
        Assert.Equal((ImportState.Rejected, "windows-1252"), await StandsAsync());
        await stage.ReviseAsync(id, new ImportRevision { ["encoding"] = "windows-1252" });
        Assert.Equal((ImportState.Parsing, null), await StandsAsync());
        await stage.ParseAsync(id);
        Assert.Equal((ImportState.Review, null), await StandsAsync());
        Assert.Null((await read.FindAsync(await stage.ReadAsync("title\nOne\n"), Token))!.OfferedEncoding);

        async Task<(ImportState, string?)> StandsAsync() =>
            (await read.FindAsync(id, Token))! is var import ? (import.State, import.OfferedEncoding) : default;
    }

    [Fact]
    public async Task A_check_answers_the_same_and_changes_nothing()
    {
        const string file = "import_row,url\n2,https://media.example/2-new.mp4\n3,https://media.example/4.mp4\n1,https://media.example/9.mp4\n";
        var (stage, id) = await EndedAsync();
        var check = Assert.IsType<CorrectionDone>(await stage.TryCorrectAsync(id, file, onlyCheck: true)).Report;
        Assert.Equal(["corrected", "duplicate_url", "wrong_state"], check.Rows.Select(r => r.Outcome));
        Assert.Equal("pending 2, imported 2, failed 1, invalid 1", await database.SoundCountsAsync(id));
        Assert.Equal(0L, await database.OneAsync<long>(
            "SELECT (SELECT count(*) FROM importer.correction WHERE import_id = $1) + (SELECT count(*) FROM importer.audit_entry "
                + "WHERE import_id = $1 AND action = 'records_corrected')", id));
        Assert.Equal(check.Rows, (await stage.CorrectAsync(id, file)).Rows);

        var review = await stage.ReadAsync("url\nftp://media.example/x.mp4\n");
        await stage.TryCorrectAsync(review, "import_row,url\n1,https://media.example/x.mp4\n", onlyCheck: true);
        Assert.Equal(("review", "invalid 1"), (await database.ImportStateAsync(review), await database.SoundCountsAsync(review)));
    }

    [Fact]
    public async Task An_address_that_was_masked_is_not_taken_for_the_address()
    {
        var (stage, id) = await EndedAsync();
        var report = await stage.CorrectAsync(id,
            "import_row,url\n2,https://media.example/2.mp4?sig=***\n3,https://media.example/3.mp4?…\n");
        Assert.All(report.Rows, r => Assert.Equal("invalid", r.Outcome));
        Assert.All(report.Rows, r => Assert.Contains("Write the whole URL", r.Message, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Rows_to_fix_come_with_whole_values_for_whoever_may_correct_them_and_duplicates_name_the_other_row()
    {
        var stage = await ManifestStage.OfAsync(database);
        var id = await stage.ReadAsync("""
            url,title,id
            https://media.example/1.mp4?sig=secret1&x=1,One,R1
            ftp://media.example/2.mp4?sig=secret2&x=1,https://media.example/2.jpg?sig=secret3,R1
            https://media.example/1.mp4?sig=secret1&x=1,Three,
            https://media.example/4.mp4,Four,R1
            https://media.example/notes.html,Five,
            """);
        var read = stage.ToFix;

        var invalid = await read.ListAsync(id, null, "url_scheme", isWhole: true, Token);
        Assert.Equal((2, "ftp://media.example/2.mp4?sig=secret2&x=1", "https://media.example/2.jpg?sig=secret3", "R1", "url_scheme", false),
            (invalid.Rows[0].RowNumber, invalid.Rows[0].Url, invalid.Rows[0].Caption, invalid.Rows[0].ReferenceId, invalid.Rows[0].Code,
                invalid.HasMore));
        Assert.DoesNotContain("secret", $"{Assert.Single((await read.ListAsync(id, null, "url_scheme", isWhole: false, Token)).Rows)}",
            StringComparison.Ordinal);
        var duplicate = Assert.Single((await read.ListAsync(id, null, "duplicate_url", isWhole: true, Token)).Rows);
        Assert.Equal((3, 1, null), (duplicate.RowNumber, duplicate.OtherRow, duplicate.OtherImport));
        Assert.Equal([new RowOfImport(id, 1)], await read.LikeAsync(id, 3, 10, Token));
        Assert.Equal([new RowOfImport(id, 3)], await read.LikeAsync(id, 1, 10, Token));
        Assert.Empty(await read.LikeAsync(id, 4, 10, Token));
        // A warning's rows are found too, though they can be sent.
        Assert.Equal([4], (await read.ListAsync(id, null, "duplicate_reference_id", isWhole: true, Token)).Rows.Select(r => r.RowNumber));
        Assert.Equal([(5, RecordState.Pending)],
            (await read.ListAsync(id, null, "url_not_media", isWhole: true, Token)).Rows.Select(r => (r.RowNumber, r.State)));

        await stage.StartAsync(id);
        await stage.EndAsync(id, 1, RecordState.Failed);
        Assert.Equal([(1, "source_not_found", "https://media.example/1.mp4?sig=secret1&x=1"),
                (2, "url_scheme", "ftp://media.example/2.mp4?sig=secret2&x=1")],
            (await read.ListAsync(id, null, null, isWhole: true, Token)).Rows.Select(r => (r.RowNumber, r.Code, r.Url)));
        Assert.Equal([1], (await read.ListAsync(id, RecordState.Failed, null, isWhole: true, Token)).Rows.Select(r => r.RowNumber));
        Assert.Equal([1], (await read.ListAsync(id, RecordState.Failed, "source_not_found", true, Token)).Rows.Select(r => r.RowNumber));
        Assert.Empty((await read.ListAsync(id, RecordState.Failed, "source_timeout", isWhole: true, Token)).Rows);
        Assert.Equal([4], (await read.OfAsync(id, [4, 99], null, isWhole: true, Token)).Select(r => r.RowNumber));
    }

    [Theory]
    [InlineData("title\nOne\n", "No column is named url")]
    [InlineData("url,title\nhttps://media.example/new.mp4,One\n", "The file does not say which rows it corrects")]
    public async Task A_file_that_cannot_be_used_says_why_and_changes_nothing(string file, string told)
    {
        var (stage, id) = await EndedAsync();
        Assert.Contains(told,
            (await Assert.ThrowsAsync<BulkImporter.Data.InvalidArgumentException>(() => stage.TryCorrectAsync(id, file))).Message,
            StringComparison.Ordinal);
        Assert.Equal("pending 2, imported 2, failed 1, invalid 1", await database.SoundCountsAsync(id));
    }

    [Fact]
    public async Task How_a_corrected_row_goes_is_said_by_the_file_else_by_the_import_and_what_was_pushed_of_the_old_file_is_forgotten()
    {
        var stage = await ManifestStage.OfAsync(database);
        var tooLong = "https://media.example/" + new string('x', 2000) + ".mp4";
        var id = await stage.ReadAsync(
            "url,id,transfer\nhttps://media.example/1.mp4,R1,\nhttps://media.example/2.mp4,R2,\nhttps://media.example/3.mp4,R3,push\nhttps://media.example/4.mp4,R4,\n", i => i with { Settings = i.Settings with { Transfer = ImportTransfer.Auto } });
        await stage.StartAsync(id);
        foreach (var row in new[] { 1, 2, 3, 4 }) await stage.EndAsync(id, row, RecordState.Failed);
        await database.AddAsync(new PushUpload
        { ImportId = id, RowNumber = 3, Attempt = 1, UrlProtected = "p", UniqueId = "u", FileName = "3.mp4", SentBytes = 50 });

        var report = await stage.CorrectAsync(id, $"id,url\nR1,{tooLong}\nR3,https://media.example/3-new.mp4\n");
        Assert.Equal(["Replaced: url, transfer. It is sent again.", "Replaced: url. It is sent again."],
            report.Rows.Select(r => r.Message));
        report =
            await stage.CorrectAsync(id, "id,url,transfer\nR2,https://media.example/2.mp4,push\nR4,https://media.example/4.mp4,pull\n");
        Assert.Equal(["Replaced: transfer. It is sent again.",
            "Nothing in it differs from the import. To send the row again as it is, rerun it."], report.Rows.Select(r => r.Message));
        Assert.Equal("1 2 3",
            await database.OneAsync<string>(
                "SELECT string_agg(row_number::text, ' ' ORDER BY row_number) FROM importer.import_record WHERE import_id = $1 AND is_push", id));
        Assert.Equal(0L, await database.OneAsync<long>("SELECT count(*) FROM importer.push_upload WHERE import_id = $1", id));
        Assert.Equal("1 pull push, 2 pull push", await database.OneAsync<string>(
            "SELECT string_agg(concat_ws(' ', row_number, old_value, new_value), ', ' ORDER BY row_number) FROM importer.correction "
                + "WHERE import_id = $1 AND field = 'transfer'", id));
    }

    [Fact]
    public async Task A_small_file_that_unpacks_to_more_than_a_corrections_file_may_have_is_refused()
    {
        var (stage, id) = await EndedAsync();
        using var packed = new MemoryStream();
        await using (var gzip = new GZipStream(packed, CompressionLevel.Fastest, leaveOpen: true))
        {
            await gzip.WriteAsync("import_row,url,long_description\n"u8.ToArray(), Token);
            var note = new byte[10_000];
            for (var row = 1; row <= 3400; row++)
            {
                // Not smaller than a two hundredth of itself, which is refused for that.
                Random.Shared.NextBytes(note.AsSpan(0, 100));
                await gzip.WriteAsync(
                    Encoding.UTF8.GetBytes($"{row},https://media.example/{row}-new.mp4,{Convert.ToHexString(note)}\n"), Token);
            }
        }
        Assert.InRange(packed.Length, 0, CorrectRecords.MostBytes / 20);
        var refused = await Assert.ThrowsAsync<InvalidArgumentException>(() => stage.TryCorrectAsync(id, packed.ToArray(), onlyCheck: true));
        Assert.Equal($"Unpacked, this file is larger than {CorrectRecords.MostBytes:N0} bytes. Split it into several files.",
            refused.Message);
    }

    [Fact]
    public async Task Who_can_only_look_is_shown_the_first_thousand_rows()
    {
        var stage = await ManifestStage.OfAsync(database);
        var id = await stage.ReadAsync("url\n" + string.Concat(Enumerable.Range(1, 1001).Select(n => $"ftp://media.example/{n}.mp4\n")));
        var shown = await stage.ToFix.ListAsync(id, null, null, isWhole: false, Token);
        Assert.Equal((1000, 1, true), (shown.Rows.Count, shown.Rows[0].RowNumber, shown.HasMore));
        Assert.Equal(1001, (await stage.ToFix.ListAsync(id, null, null, isWhole: true, Token)).Rows.Count);
    }

    /// <summary>Rows 1 and 4 imported, 2 failed, 3 invalid, 5 and 6 pending.</summary>
    private async Task<(ManifestStage Stage, int Import)> EndedAsync()
    {
        var stage = await ManifestStage.OfAsync(database);
        var id = await stage.ReadAsync(Library);
        await stage.StartAsync(id);
        await stage.EndAsync(id, 1, RecordState.Imported);
        await stage.EndAsync(id, 2, RecordState.Failed);
        await stage.EndAsync(id, 4, RecordState.Imported);
        return (stage, id);
    }
}
