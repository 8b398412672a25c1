using System.Globalization;
using System.IO.Compression;
using System.Text;
using BulkImporter.Data;
using BulkImporter.Imports;
using BulkImporter.Manifests;
using BulkImporter.Parse;
using BulkImporter.Sources;
using BulkImporter.Tests.Manifests;
using Hangfire;
using Hangfire.Common;
using Hangfire.States;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Npgsql;

namespace BulkImporter.Tests.Parse;

public sealed class ParseManifestTests(EngineDatabase database) : IClassFixture<EngineDatabase>
{
    private const string TateMap = "url=thumbnailUrl,caption=title,reference_id=accession_number";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_Tate_sample_becomes_2096_records_and_38_findings_in_chunks_of_500()
    {
        var id =
            await CreateAsync(await File.ReadAllBytesAsync(Path.Combine(AppContext.BaseDirectory, "samples", "tate-artworks.csv"), Token),
                TateMap, chunkSize: 500);
        await ParseAsync(id);
        Assert.Equal("pending 2096, invalid 38", await database.SoundCountsAsync(id));
        Assert.Equal("review 2134 2134",
            await database.OneAsync<string>("SELECT concat_ws(' ', state, row_count, parsed_rows) FROM importer.import WHERE id = $1", id));
        Assert.Equal("1-500 501-1000 1001-1500 1501-2000 2001-2134",
            await database.OneAsync<string>(
                "SELECT string_agg(first_row || '-' || last_row, ' ' ORDER BY number) FROM importer.import_chunk WHERE import_id = $1",
                id));
        Assert.Equal("url_missing 38", await FindingsAsync(id));
        Assert.Equal("A00001",
            await database.OneAsync<string>("SELECT reference_id FROM importer.import_record WHERE import_id = $1 AND row_number = 1", id));
        Assert.Equal(0L,
            await database.OneAsync<long>("SELECT count(*) FROM importer.import_chunk WHERE import_id = $1 AND due_at IS NULL", id));
    }

    [Theory]
    [InlineData("#TYPE System.Object\n# more\n\"url\", \"title\"\n\"https://media.example/1.mp4\", \"Harbour, at dusk\"\n", "0 1, 0 2", 4)]
    [InlineData("\"url,title\"\n\"https://media.example/1.mp4,\"\"Harbour, at dusk\"\"\"\n", "", 2)]
    public async Task Lines_before_the_header_and_quotes_around_lines_are_told_and_left_out_of_the_export(
        string text, string skipped, int line)
    {
        var stage = await ManifestStage.OfAsync(database);
        var id = await stage.ReadAsync(text);
        Assert.Equal("pending 1", await database.SoundCountsAsync(id));
        Assert.Equal(skipped,
            string.Join(", ", (await stage.FindingsAsync(id)).Where(f => f.Code == "line_skipped").Select(f => $"{f.Row} {f.Line}")));
        Assert.Equal($"{line} https://media.example/1.mp4 Harbour, at dusk",
            await database.OneAsync<string>(
                "SELECT concat_ws(' ', line_number, source_url, caption) FROM importer.import_record WHERE import_id = $1", id));
        var exported = await stage.ExportAsync(id);
        Assert.Equal(2, exported.TrimEnd().Split('\n').Length);
        var again = (await WholeManifest.ReadAsync(exported)).Rows[0].Checked;
        Assert.Equal(("https://media.example/1.mp4", "Harbour, at dusk"), (again.Url, again.Caption));
    }

    [Theory]
    [InlineData("[{\"url\": \"https://media.example/1.mp4\"}]", "This is JSON, but not JSON lines")]
    [InlineData("<!doctype html><html></html>", "This is a web page (HTML)")]
    public async Task What_is_no_table_is_the_reason_of_the_rejected_import(string text, string reason)
    {
        // An upload refuses it today. One that an earlier version took may still wait to be read.
        var id = await CreateAsync(Urls(1));
        var packed = new byte[BrotliEncoder.GetMaxCompressedLength(text.Length)];
        Assert.True(BrotliEncoder.TryCompress(Encoding.UTF8.GetBytes(text), packed, out var length));
        await database.SqlAsync("""
            WITH stored AS (
                UPDATE importer.manifest m SET size_bytes = $3 FROM importer.import i
                WHERE i.id = $1 AND m.id = i.manifest_id RETURNING m.id)
            UPDATE importer.manifest_part p SET bytes = $2 FROM stored WHERE p.manifest_id = stored.id
            """, id, packed[..length], (long)text.Length);
        await ParseAsync(id);
        Assert.Equal("rejected", await database.ImportStateAsync(id));
        Assert.StartsWith(reason, await database.OneAsync<string>("SELECT reason FROM importer.import WHERE id = $1", id),
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task Every_column_holds_what_it_is_named_for()
    {
        // Of the numbers that stand beside each other no two are the same; the caption of the first row has two lines, and the fourth line
        // is empty.
        var id = await CreateAsync("""
            url,title,id,transfer
            https://media.example/1.mp4,"One
            more",A,

            https://media.example/2.mp4,Two,B,push
            ftp://media.example/3.mp4,Three,C,
            """, chunkSize: 2);
        await ParseAsync(id);

        Assert.Equal(
            [
                "1 1 2 pending https://media.example/1.mp4 One\nmore A false 0 5 - - false true",
                "2 1 5 pending https://media.example/2.mp4 Two B true 0 5 - - false true",
                $"3 2 6 invalid ftp://media.example/3.mp4 Three C false 0 5 url_scheme {FindingCode.UrlScheme.Hint()} false false",
            ],
            await database.Source.QueryAsync("""
                SELECT concat_ws(' ', row_number, chunk_number, line_number, state, source_url, caption, reference_id, is_push::text,
                    attempt_count, attempts_left, coalesce(error_code, '-'),
                    coalesce(error_message, '-'), possibly_duplicated::text, (finished_at IS NULL)::text)
                FROM importer.import_record WHERE import_id = $1 ORDER BY row_number
                """, r => r.GetString(0), Token, id));
        Assert.Equal(
            ["1 1-2 waiting true 0 0 pending 2, invalid 0, duplicate 0, other 0",
                "2 3-3 waiting false 0 0 pending 0, invalid 1, duplicate 0, other 0"],
            await database.Source.QueryAsync("""
                SELECT format('%s %s-%s %s %s %s %s pending %s, invalid %s, duplicate %s, other %s', number, first_row, last_row, state,
                    coalesce(due_at <= now(), false)::text, lease_window, fence, pending_count, invalid_count,
                    duplicate_count, submitting_count + submitted_count + imported_count + failed_count + unknown_count + cancelled_count)
                FROM importer.import_chunk WHERE import_id = $1 ORDER BY number
                """, r => r.GetString(0), Token, id));
        Assert.Equal(["3 6 url url_scheme error ftp://media.example/3.mp4"], await database.Source.QueryAsync(
            "SELECT concat_ws(' ', row_number, line_number, column_name, code, severity, value) FROM importer.finding WHERE import_id = $1", r => r.GetString(0), Token, id));
        Assert.True(await database.OneAsync<bool>("""
            SELECT b.first_row = 1
                AND b.keys = (SELECT string_agg(coalesce(uuid_send(r.source_key), decode(repeat('00', 16), 'hex')), ''::bytea
                    ORDER BY r.row_number)
                FROM importer.import_record r WHERE r.import_id = b.import_id AND (r.source_key IS NOT NULL OR r.row_number = 3))
            FROM importer.source_key_block b WHERE b.import_id = $1
            """, id));
        Assert.Equal(SourceKey.Of("https://media.example/2.mp4").Value,
            await database.OneAsync<Guid>("SELECT source_key FROM importer.import_record WHERE import_id = $1 AND row_number = 2", id));
    }

    [Fact]
    public async Task What_a_row_says_for_its_asset_is_kept_beside_the_record_and_only_where_there_is_something()
    {
        var id = await CreateAsync("""
            url,title,description,long_description,tags,related_link_text,related_link_url,gallery,fid,filename
            https://media.example/1.mp4,One,d,l,"a,b",text,https://shop.example/1,Spring,F1,clip.mp4
            https://media.example/2.mp4,Two,,,,,,,,
            ,,d,,,,,,,
            """);
        await ParseAsync(id);
        // A blocked row may be corrected, and then wants its texts.
        Assert.Equal(["1 d l a,b text https://shop.example/1 Spring F1 clip.mp4", "3 d"], await database.Source.QueryAsync(
            "SELECT concat_ws(' ', row_number, description, long_description, tags, related_link_text, related_link_url, gallery, fid, "
                + "file_name) FROM importer.record_meta WHERE import_id = $1 ORDER BY row_number",
            r => r.GetString(0), Token, id));
    }

    [Theory]
    [InlineData(ImportTransfer.Pull, "pending false, pending true, invalid false, pending true")]
    [InlineData(ImportTransfer.Auto, "pending false, pending true, pending true, pending true")]
    [InlineData(ImportTransfer.Push, "pending true, pending true, pending true, pending true")]
    public async Task The_import_says_how_files_go_whose_rows_do_not(ImportTransfer transfer, string expected)
    {
        var id =
            await CreateAsync(
                $"url,transfer\nhttps://media.example/1.mp4,\nhttps://media.example/2.mp4,push\nhttps://media.example/{new string('a', 2000)},\nfile:///srv/media/4.mp4,push\n");
        await database.SqlAsync("UPDATE importer.import SET transfer = $2 WHERE id = $1", id, EnumText<ImportTransfer>.Of(transfer));
        await ParseAsync(id);
        Assert.Equal(expected, string.Join(", ", await database.Source.QueryAsync(
            "SELECT state || ' ' || is_push FROM importer.import_record WHERE import_id = $1 ORDER BY row_number", r =>
                r.GetString(0), Token, id)));
    }

    [Fact]
    public async Task Rows_that_cannot_be_sent_are_kept_as_records_that_say_why()
    {
        var id = await CreateAsync("""
            url,title
            https://media.example/1.mp4,One
            ,Two
            ftp://media.example/3.mp4,Three
            https://ann:secret@media.example/4.mp4,Four
            https://media.example/5.mp4,Five
            """);
        await ParseAsync(id);
        Assert.Equal("pending 2, invalid 3", await database.SoundCountsAsync(id));
        Assert.Equal(3L,
            await database.OneAsync<long>("SELECT count(*) FROM importer.finding WHERE import_id = $1 AND severity = 'error'", id));
        Assert.Equal(3L,
            await database.OneAsync<long>(
                "SELECT count(*) FROM importer.import_record WHERE import_id = $1 AND state = 'invalid' AND error_code IS NOT NULL AND "
                    + "error_message <> ''", id));
        Assert.Equal(0L,
            await database.OneAsync<long>("SELECT count(*) FROM importer.import_record r WHERE import_id = $1 AND r::text LIKE '%secret%'",
                id));
        Assert.Equal(0L,
            await database.OneAsync<long>("SELECT count(*) FROM importer.finding f WHERE import_id = $1 AND f::text LIKE '%secret%'", id));
    }

    [Fact]
    public async Task Duplicates_are_counted_and_the_first_of_them_is_sent()
    {
        var id = await CreateAsync("""
            url,id
            https://media.example/a.mp4,1
            https://media.example/b.mp4,2
            HTTPS://MEDIA.example:443/a.mp4,3
            https://media.example/a.mp4,4
            https://media.example/c.mp4,2
            """, chunkSize: 2);
        await ParseAsync(id);
        Assert.Equal("pending 3, duplicate 2", await database.SoundCountsAsync(id));
        Assert.Equal("1 2 5",
            await database.OneAsync<string>(
                "SELECT string_agg(row_number::text, ' ' ORDER BY row_number) FROM importer.import_record WHERE import_id = $1 AND state "
                    + "= 'pending'", id));
        Assert.Equal("duplicate_reference_id 1, duplicate_url 2", await FindingsAsync(id));
    }

    [Theory]
    [InlineData("a,b\n1,2\n", "url")]
    [InlineData("url\n", "no rows")]
    public async Task A_manifest_that_cannot_be_read_is_rejected_with_the_reason(string text, string reason)
    {
        var id = await CreateAsync(text);
        await ParseAsync(id);
        Assert.Equal("rejected", await database.ImportStateAsync(id));
        Assert.Contains(reason, await database.OneAsync<string>("SELECT reason FROM importer.import WHERE id = $1", id),
            StringComparison.OrdinalIgnoreCase);
        Assert.Equal(0L, await LeftoversAsync(id));
    }

    [Fact]
    public async Task A_row_that_cannot_be_read_while_the_rows_before_it_are_written_rejects_the_manifest()
    {
        // The first 10,000 rows take the database a second; meanwhile the text of line 18,002 is read.
        var id =
            await CreateAsync([.. Encoding.UTF8.GetBytes(Urls(18_000)), 0xC3, 0x28, (byte)'\n', .. Encoding.UTF8.GetBytes(Urls(7_000))],
                chunkSize: 500);
        await database.SqlAsync(
            "CREATE FUNCTION public.slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(1); RETURN NEW; END $$");
        await database.SqlAsync(
            $"CREATE TRIGGER slow_{id} BEFORE INSERT ON importer.import_chunk FOR EACH ROW WHEN (NEW.import_id = {id} AND NEW.number = "
                + "1) EXECUTE FUNCTION public.slow()");
        await ParseAsync(id);
        Assert.Equal("rejected", await database.ImportStateAsync(id));
        Assert.Contains("in line 18002", await database.OneAsync<string>("SELECT reason FROM importer.import WHERE id = $1", id),
            StringComparison.Ordinal);
        Assert.Equal(0L, await LeftoversAsync(id));
    }

    [Fact]
    public async Task A_manifest_whose_bytes_are_damaged_is_rejected_with_the_reason()
    {
        var id = await CreateAsync("url\nhttps://media.example/1.mp4\n");
        await database.SqlAsync(
            "UPDATE importer.manifest_part SET bytes = '\\x00' WHERE manifest_id = (SELECT manifest_id FROM importer.import WHERE id = $1)", id);
        await ParseAsync(id);
        Assert.Equal("rejected", await database.ImportStateAsync(id));
        Assert.Contains("damaged", await database.OneAsync<string>("SELECT reason FROM importer.import WHERE id = $1", id),
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_second_job_for_the_same_import_ends_while_the_first_reads_and_changes_nothing_after_it()
    {
        var id = await CreateAsync(Urls(30));
        // As the first job holds it, from another session.
        await using (var connection = await database.Source.OpenConnectionAsync(Token))
        await using (var transaction = await connection.BeginTransactionAsync(Token))
        {
            await using (var take = new NpgsqlCommand("SELECT pg_advisory_xact_lock(hashtext('bulkimporter.parse'), $1)",
                connection)
            { Parameters = { new() { Value = id } } })
                await take.ExecuteNonQueryAsync(Token);
            await ParseAsync(id);
            Assert.Equal(("parsing", 0L), (await database.ImportStateAsync(id), await LeftoversAsync(id)));
        }
        await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(() => ParseAsync(id))));
        await ParseAsync(id);
        Assert.Equal("pending 30", await database.SoundCountsAsync(id));
        Assert.Equal("review", await database.ImportStateAsync(id));
    }

    [Fact]
    public async Task Cancelled_while_it_is_read_an_import_has_no_records()
    {
        // Two checkpoints: the cancel falls between them, seen from another session by the progress that is told there.
        var id = await CreateAsync(Urls(40_500), chunkSize: 500);
        await database.SqlAsync($"""
            CREATE OR REPLACE FUNCTION public.cancel_{id}() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN NEW.state := 'cancelled'; NEW.finished_at := now(); RETURN NEW; END $$
            """);
        await database.SqlAsync(
            $"CREATE TRIGGER cancel_{id} BEFORE UPDATE ON importer.import FOR EACH ROW WHEN (NEW.id = {id} AND NEW.parsed_rows = 20000) "
                + $"EXECUTE FUNCTION public.cancel_{id}()");
        await ParseAsync(id);
        Assert.Equal(("cancelled", 0L), (await database.ImportStateAsync(id), await LeftoversAsync(id)));
    }

    [Fact]
    public async Task Cancelled_between_blank_lines_that_do_not_end_the_reading_ends_within_a_second()
    {
        var text = new byte[400_000_000];
        Array.Fill(text, (byte)'\n');
        "url\nhttps://blank.example/a.mp4"u8.CopyTo(text);
        var id = await CreateAsync(text);
        var parsing = Task.Run(() => ParseAsync(id), Token);
        await database.SqlAsync("UPDATE importer.import SET state = 'cancelled', finished_at = now() WHERE id = $1", id);
        await parsing.WaitAsync(TimeSpan.FromSeconds(1.5), Token);
        Assert.Equal(("cancelled", 0L), (await database.ImportStateAsync(id), await LeftoversAsync(id)));
    }

    [Theory]
    [InlineData(2, 2, "0 4")]
    [InlineData(3, 3, "")]
    [InlineData(4, 3, "")]
    public async Task Rows_beyond_the_limit_are_left_out_with_a_finding_and_those_before_it_are_imported(int most, int rows, string found)
    {
        var id = await CreateAsync(Urls(3));
        await ParseAsync(id, maxRows: most);
        Assert.Equal($"pending {rows}", await database.SoundCountsAsync(id));
        Assert.Equal("review", await database.ImportStateAsync(id));
        var stage = await ManifestStage.OfAsync(database);
        Assert.Equal(found,
            string.Join(", ", (await stage.FindingsAsync(id)).Where(f => f.Code == "rows_left_out").Select(f => $"{f.Row} {f.Line}")));
    }

    [Fact]
    public async Task A_parse_that_dies_leaves_nothing_and_the_next_one_starts_afresh()
    {
        var id = await CreateAsync(Urls(20_500), chunkSize: 500);
        await using (var cut = new CutDatabase(database.ConnectionString))
        {
            // When the first 20,000 rows are written the server ends the session that wrote them.
            await database.SqlAsync($"""
                CREATE OR REPLACE FUNCTION public.kill_{id}() RETURNS trigger LANGUAGE plpgsql AS
                $$ BEGIN PERFORM pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = session_user
                    AND pid <> pg_backend_pid(); RETURN NEW; END $$
                """);
            await database.SqlAsync(
                $"CREATE TRIGGER kill_{id} BEFORE UPDATE ON importer.import FOR EACH ROW WHEN (NEW.id = {id} AND NEW.parsed_rows = "
                    + $"20000) EXECUTE FUNCTION public.kill_{id}()");
            await Assert.ThrowsAnyAsync<NpgsqlException>(() => ParseAsync(id, cut.Source));
        }
        Assert.Equal(("parsing", 0L), (await database.ImportStateAsync(id), await LeftoversAsync(id)));
        await database.SqlAsync($"DROP TRIGGER kill_{id} ON importer.import");
        await ParseAsync(id);
        Assert.Equal("review", await database.ImportStateAsync(id));
        Assert.Equal(20_500L,
            await database.OneAsync<long>("SELECT sum(pending_count) FROM importer.import_chunk WHERE import_id = $1", id));
        await database.AssertSoundAsync(id);
    }

    [Theory]
    [InlineData(false, "review")]
    [InlineData(true, "running")]
    public async Task A_parsed_import_is_started_when_that_was_asked_for_and_waits_for_review_otherwise(bool start, string state)
    {
        var id = await CreateAsync($"url\nhttps://started.example/{start}.mp4\n", start: start);
        await ParseAsync(id);
        Assert.Equal(state, await database.ImportStateAsync(id));
        Assert.Equal(start, await database.OneAsync<bool>("SELECT started_at IS NOT NULL FROM importer.import WHERE id = $1", id));
    }

    [Fact]
    public async Task A_gzipped_manifest_is_read_like_the_plain_one()
    {
        using var zipped = new MemoryStream();
        await using (var gzip = new GZipStream(zipped, CompressionLevel.Fastest, leaveOpen: true)) await gzip.WriteAsync(
            Encoding.UTF8.GetBytes(Urls(5)), Token);
        var id = await CreateAsync(zipped.ToArray());
        await ParseAsync(id);
        Assert.Equal("pending 5", await database.SoundCountsAsync(id));
    }

    [Fact]
    public async Task A_waiting_import_is_enqueued_once_and_again_only_when_its_job_gave_no_sign_of_life()
    {
        var id = await CreateAsync(Urls(1));
        var jobs = new NotedJobs();
        var queue = new QueueParsing(database.Source, jobs);
        await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(() => queue.RunAsync(Token))));
        Assert.Equal(1, jobs.Of(id));
        await database.SqlAsync("UPDATE importer.import SET parse_queued_at = now() - interval '61 seconds' WHERE id = $1", id);
        await queue.RunAsync(Token);
        Assert.Equal(2, jobs.Of(id));
        await ParseAsync(id);
        await database.SqlAsync("UPDATE importer.import SET parse_queued_at = NULL WHERE id = $1", id);
        await queue.RunAsync(Token);
        Assert.Equal(2, jobs.Of(id));
    }

    [Fact]
    public async Task A_reading_that_fails_unexpectedly_says_why_at_once_and_is_rejected_after_some_tries()
    {
        var id = await CreateAsync(Urls(3));
        await database.SqlAsync($"ALTER TABLE importer.import_record ADD CONSTRAINT refuses_import CHECK (import_id <> {id})");
        try
        {
            for (var tries = 1; tries <= 4; tries++)
            {
                await Assert.ThrowsAsync<PostgresException>(() => ParseAsync(id));
                Assert.Equal("parsing", await database.ImportStateAsync(id));
                Assert.StartsWith(
                    $"Reading the manifest failed (try {tries} of 5) and is tried again by itself: PostgresException 23514: ",
                    await ReasonAsync(id), StringComparison.Ordinal);
            }
            // The queue waits longer each time: a minute, two, four, eight.
            Assert.Equal(8,
                await database.OneAsync<int>(
                    "SELECT round(extract(epoch FROM parse_queued_at - now()) / 60)::int + 1 FROM importer.import WHERE id = $1", id));
            await Assert.ThrowsAsync<PostgresException>(() => ParseAsync(id));
            Assert.Equal("rejected", await database.ImportStateAsync(id));
            Assert.StartsWith("The manifest could not be read, 5 times; the last time: PostgresException 23514: ", await ReasonAsync(id),
                StringComparison.Ordinal);
            Assert.Equal(0L, await LeftoversAsync(id));

            // A person tries again, which counts anew.
            Assert.IsType<ImportChange.Done>(await new ReviseImport(database.Contexts, new ManifestBytes(database.Source)).RunAsync(id, new ImportRevision(), "ann", Token));
            await Assert.ThrowsAsync<PostgresException>(() => ParseAsync(id));
            Assert.StartsWith("Reading the manifest failed (try 1 of 5)", await ReasonAsync(id), StringComparison.Ordinal);
        }
        finally
        {
            await database.SqlAsync("ALTER TABLE importer.import_record DROP CONSTRAINT refuses_import");
        }
        await ParseAsync(id);
        Assert.Equal(("review", null), (await database.ImportStateAsync(id), await ReasonAsync(id)));
    }

    private async Task<string?> ReasonAsync(int id) => (await database.Source.QueryAsync(
        "SELECT reason FROM importer.import WHERE id = $1", r => r.IsDBNull(0) ? null : r.GetString(0), Token, id))[0];

    private static string Urls(int count) =>
        "url\n" + string.Concat(Enumerable.Range(1, count).Select(n => FormattableString.Invariant($"https://media.example/{n}.mp4\n")));

    private Task<int> CreateAsync(string text, string? map = null, int chunkSize = 3, bool start = false) =>
        CreateAsync(Encoding.UTF8.GetBytes(text), map, chunkSize, start);

    private async Task<int> CreateAsync(byte[] bytes, string? map = null, int chunkSize = 3, bool start = false)
    {
        var manifest = await new UploadManifest(database.Source, Options.Create(new ManifestOptions()))
            .RunAsync(new MemoryStream(bytes), "library.csv", Token);
        return (await new CreateImport(database.Contexts, TimeProvider.System)
            .RunAsync(new NewImport(manifest.Id, "ann") { Mapping = map, Start = start, Settings = new() { ChunkSize = chunkSize } },
                Token)).Id;
    }

    private Task ParseAsync(int id, NpgsqlDataSource? source = null, int maxRows = int.MaxValue)
    {
        source ??= database.Source;
        return new ParseManifest(source, new ManifestBytes(source), new(source), new SourceUrlRules(new ManifestOptions()),
            TimeProvider.System, NullLogger<ParseManifest>.Instance)
        { MaxRows = maxRows }
            .RunAsync(id, "library.csv", Token);
    }

    private Task<long> LeftoversAsync(int id) => database.OneAsync<long>("""
        SELECT (SELECT count(*) FROM importer.import_record WHERE import_id = $1) + (SELECT count(*) FROM importer.import_chunk
            WHERE import_id = $1)
            + (SELECT count(*) FROM importer.finding WHERE import_id = $1)
        """, id);

    private Task<string> FindingsAsync(int id) => database.OneAsync<string>("""
        SELECT coalesce(string_agg(code || ' ' || n, ', ' ORDER BY code), '') FROM (SELECT code, count(*) AS n FROM importer.finding
            WHERE import_id = $1 GROUP BY code) f
        """, id);

    private sealed class NotedJobs : IBackgroundJobClient
    {
        private readonly List<int> imports = [];

        public string Create(Job job, IState state)
        {
            lock (imports) imports.Add((int)job.Args[0]);
            return imports.Count.ToString(CultureInfo.InvariantCulture);
        }

        public int Of(int importId)
        {
            lock (imports) return imports.Count(i => i == importId);
        }

        public bool ChangeState(string jobId, IState state, string expectedState) => throw new NotSupportedException();
    }
}
