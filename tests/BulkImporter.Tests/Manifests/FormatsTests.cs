using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;
using BulkImporter.Export;
using BulkImporter.Manifests;
using BulkImporter.Records;

namespace BulkImporter.Tests.Manifests;

/// <summary>One list in each format that a manifest can have: the same records, and each comes back as it was.</summary>
public class FormatsTests
{
    private const int Rows = 1000;

    private static readonly string[] Header = ["title", "description", "tags", "url", "referenceId", "contentType"];

    private static readonly string[][] List = [.. Enumerable.Range(1, Rows).Select(i => (string[])
    [
        i % 7 == 0 ? $"Title \"{i}\", with signs; and ünïcode" : $"Title {i}",
        i % 5 == 0 ? $"First line {i}\nsecond line" : "",
        i % 3 == 0 ? $"one,two {i}" : "",
        $"https://media.example.com/{i}.mp4?a=1&b={i}",
        $"A-{i:00000}",
        "Video",
    ])];

    public static TheoryData<string> Formats => ["csv", "tsv", "xlsx", "xlsx shared", "jsonl", "kaltura"];

    private static byte[] Write(string format) => format switch
    {
        "csv" => Separated(',', [Header, .. List]),
        "tsv" => Separated('\t', [Header, .. List]),
        "xlsx" => new MadeWorkbook().Sheet("Videos", [Header, .. List]).Bytes(),
        "xlsx shared" => Shared(),
        "jsonl" => Encoding.UTF8.GetBytes(string.Concat(List.Select(row => "{" + string.Join(", ", Header.Select((name, i) =>
            $"\"{name}\": {(name == "tags" ? Tags(row[i]) : JsonSerializer.Serialize(row[i]))}")) + "}\n"))),
        "kaltura" => [.. "# Lines that begin so are not read.\n"u8,
            .. Separated(',', [["*title", .. Header[1..]], .. List[..500], ["# nor here, https://media.example.com/no.mp4"], .. List[500..]])],
        _ => throw new ArgumentOutOfRangeException(nameof(format)),
    };

    [Theory]
    [MemberData(nameof(Formats))]
    public async Task The_same_rows_give_the_same_records(string format)
    {
        var expected = await WholeManifest.ReadAsync(Write("csv"));
        var read = await WholeManifest.ReadAsync(Write(format), chunk: 1000);

        Assert.Equal(Rows, read.Rows.Count);
        Assert.Equal(expected.Rows.Select(r => r.Checked with { LineNumber = 0 }), read.Rows.Select(r => r.Checked with { LineNumber = 0 }));
        Assert.DoesNotContain(read.Rows, r => r.Checked.IsBlocked);
        Assert.Equal(List, read.Rows.Select(r => r.Fields));
    }

    [Theory]
    [MemberData(nameof(Formats))]
    public async Task Each_comes_back_in_its_own_format_with_its_cells_as_they_were(string format)
    {
        var bytes = Write(format);
        var kind = await ManifestReader.FormatAsync(new MemoryStream(bytes), null, TestContext.Current.CancellationToken);
        var result = await WholeManifest.ExportAsync(bytes, kind);
        var again = await WholeManifest.ReadAsync(result);

        Assert.Equal(kind, again.Layout.Format);
        Assert.True(again.Layout.IsResultFile);
        Assert.Equal(format == "kaltura" ? ["*title", .. Header[1..]] : Header, again.Layout.Columns.Take(Header.Length));
        Assert.Equal(List, again.Rows.Select(r => r.Fields[..Header.Length]));
        Assert.All(again.Rows, r => Assert.Equal("imported", r.Fields[again.Layout.ResultColumn("import_state")]));
        // And once more, with new results in place of the old ones.
        Assert.Equal(await WholeManifest.ExportAsync(result, kind), await WholeManifest.ExportAsync(
            await WholeManifest.ExportAsync(result, kind), kind));
        if (kind == FileFormat.Csv)
        {
            Assert.StartsWith(Encoding.UTF8.GetString(bytes).Split('\n').First(l => l[0] != '#'), Encoding.UTF8.GetString(result),
                StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("xlsx", FileFormat.Csv)]
    [InlineData("jsonl", FileFormat.Xlsx)]
    [InlineData("csv", FileFormat.Xlsx)]
    [InlineData("kaltura", FileFormat.Jsonl)]
    public async Task Each_can_be_had_in_any_other_format(string format, FileFormat other)
    {
        var again = await WholeManifest.ReadAsync(await WholeManifest.ExportAsync(Write(format), other));
        Assert.Equal(other, again.Layout.Format);
        Assert.Equal(List, again.Rows.Select(r => r.Fields[..Header.Length]));
    }

    [Fact]
    public async Task A_list_for_Storage_Transfer_Service_has_url_size_and_md5_and_keeps_its_first_line()
    {
        var list = "TsvHttpData-1.0\n" + string.Concat(Enumerable.Range(1, Rows).Select(i =>
            $"https://media.example.com/{i}.mp4\t{1000 + i}\t{Convert.ToBase64String(Encoding.ASCII.GetBytes($"{i:0000000000000000}"))}\n"));
        var read = await WholeManifest.ReadAsync(list);

        Assert.Equal(["url", "size", "md5"], read.Layout.Columns);
        Assert.Equal(Rows, read.Rows.Count);
        Assert.Equal("https://media.example.com/1.mp4", read.Rows[0].Checked.Url);
        Assert.Equal("1001", read.Rows[0].Fields[1]);
        Assert.Equal(2, read.Rows[0].LineNumber);
        // What the list says of the file is what is compared when it has arrived.
        Assert.Equal((1001, "30303030303030303030303030303031"), (read.Rows[0].Checked.ExpectedBytes, read.Rows[0].Checked.ExpectedMd5));
        Assert.Empty(read.Findings);

        var result = Encoding.UTF8.GetString(await WholeManifest.ExportAsync(Encoding.UTF8.GetBytes(list), FileFormat.Csv));
        var lines = result.Split('\n');
        Assert.Equal("TsvHttpData-1.0", lines[0]);
        Assert.StartsWith("url\tsize\tmd5\timport_row", lines[1], StringComparison.Ordinal);
        Assert.StartsWith(list.Split('\n')[1] + "\t1\timported", lines[2], StringComparison.Ordinal);
        var again = await WholeManifest.ReadAsync(result);
        Assert.Equal(read.Rows.Select(r => r.Fields), again.Rows.Select(r => r.Fields[..3]));
    }

    [Theory]
    [InlineData("TsvHttpData-1.0\r\nhttps://a.test/1.mp4\r\nhttps://a.test/2.mp4\r\n")]
    [InlineData("TsvHttpData-1.0\nhttps://a.test/1.mp4\t5\nhttps://a.test/2.mp4\t6\n")]
    public async Task A_list_for_Storage_Transfer_Service_may_leave_size_and_md5_out(string list) =>
        Assert.Equal(["https://a.test/1.mp4", "https://a.test/2.mp4"], (await WholeManifest.ReadAsync(list)).Rows.Select(r => r.Checked.Url));

    [Fact]
    public async Task A_number_sign_begins_a_comment_in_Kalturas_list_only()
    {
        const string rows = "# one,https://a.test/1.mp4,Video\n";
        Assert.Empty((await WholeManifest.ReadAsync("*title,url,contentType\n" + rows)).Rows);
        Assert.Equal("# one", Assert.Single((await WholeManifest.ReadAsync("*title,url,kind\n" + rows)).Rows).Checked.Caption);
        Assert.Equal("# one", Assert.Single((await WholeManifest.ReadAsync("title,url,contentType\n" + rows)).Rows).Checked.Caption);
    }

    [Fact]
    public async Task Json_lines_keep_what_a_cell_can_only_tell_of()
    {
        const string lines = """
            {"url": "https://a.test/1.mp4", "title": "One", "tags": ["a", "b"], "views": 12.50, "nested": {"k": [1, true]}, "none": null}

            {"url": "https://a.test/2.mp4", "later": "kept", "tags": [], "title": "Zw\u00f6lf"}
            """;
        var read = await WholeManifest.ReadAsync(lines);
        Assert.Equal([1, 3], read.Rows.Select(r => r.LineNumber));
        Assert.Equal("a,b", read.Rows[0].Checked.Tags);
        Assert.Equal(["https://a.test/1.mp4", "One", "a,b", "12.50", """{"k": [1, true]}""", ""], read.Rows[0].Fields[..6]);
        Assert.Equal("Zwölf", read.Rows[1].Checked.Caption);

        var result = Encoding.UTF8.GetString(await WholeManifest.ExportAsync(Encoding.UTF8.GetBytes(lines), FileFormat.Jsonl)).Split('\n');
        Assert.StartsWith("""{"url":"https://a.test/1.mp4","title":"One","tags":["a","b"],"views":12.50,"nested":{"k":[1,true]},"none":null,"import_row":1,""",
            result[0], StringComparison.Ordinal);
        Assert.StartsWith("""{"url":"https://a.test/2.mp4","later":"kept","tags":[],"title":"Zwölf","import_row":2,""", result[1],
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_corrected_member_of_a_json_line_stands_in_its_place_or_behind_the_others()
    {
        var corrected = new Dictionary<ManifestColumn, string> { [ManifestColumn.Url] = "https://a.test/new.mp4", [ManifestColumn.Caption] = "New" };
        var result = Encoding.UTF8.GetString(await WholeManifest.ExportAsync(
            """
            {"url": "https://a.test/1.mp4", "title": "One"}
            {"n": 5, "url": "https://a.test/2.mp4"}
            """u8.ToArray(), FileFormat.Jsonl, corrected: corrected)).Split('\n');
        Assert.StartsWith("""{"url":"https://a.test/new.mp4","title":"New","import_row":1""", result[0], StringComparison.Ordinal);
        Assert.StartsWith("""{"n":5,"url":"https://a.test/new.mp4","title":"New","import_row":2""", result[1], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(FileFormat.Csv)]
    [InlineData(FileFormat.Xlsx)]
    [InlineData(FileFormat.Jsonl)]
    public async Task Who_may_not_see_secrets_gets_none_in_any_format(FileFormat format)
    {
        foreach (var bytes in (byte[][])
        [
            """{"url": "https://ann:hunter2@a.test/1.mp4", "more": {"list": ["https://a.test/2.mp4?token=hunter2"]}}"""u8.ToArray(),
            new MadeWorkbook().Sheet("A", ["url", "more"],
                ["https://ann:hunter2@a.test/1.mp4", "https://a.test/2.mp4?token=hunter2"]).Bytes(),
        ])
        {
            var result = await WholeManifest.ExportAsync(bytes, format, isWhole: false);
            var text = format == FileFormat.Xlsx ? MadeWorkbook.PartOf(result, "xl/worksheets/sheet1.xml") : Encoding.UTF8.GetString(result);
            Assert.DoesNotContain("hunter2", text, StringComparison.Ordinal);
            Assert.Contains("a.test/1.mp4", text, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("{\"url\": \"https://a.test/1.mp4\"}\n{\"url\": \"https://a.test/2", "Line 2 cannot be read as JSON")]
    [InlineData("{\"url\": \"https://a.test/1.mp4\"}\n[1]\n", "Line 2 is not a JSON object")]
    public async Task A_line_that_is_no_object_is_named(string lines, string named)
    {
        var rejection = await Assert.ThrowsAsync<ManifestRejectedException>(() => WholeManifest.ReadAsync(lines));
        Assert.Equal((RejectionCode.JsonDamaged, 2L), (rejection.Code, rejection.Line));
        Assert.Contains(named, rejection.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(FileFormat.Csv)]
    [InlineData(FileFormat.Xlsx)]
    [InlineData(FileFormat.Jsonl)]
    public async Task Each_format_has_every_result_under_its_name(FileFormat format)
    {
        var at = new DateTimeOffset(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);
        var result = new RowResult("imported", "st-1", "Rid1", 2, "code", "Error", at, at)
        {
            Asset = new("hls", "embed", "file", "thumbnail", "Fid", "video", 120, 1.5, true, Arrival.Verified, 130, 2.5, "m", "n", "abc"),
        };
        string[] expected =
        [
            "1", "imported", "st-1", "Rid1", "2", "code", "Error", "2026-01-02T03:04:05", "2026-01-02T03:04:05", "hls", "embed", "file",
            "thumbnail", "Fid", "true", "verified", "130", "120", "2.5", "1.5", "abc",
        ];
        // The last field is beyond the header, and stands behind the results.
        var bytes = await WholeManifest.ExportAsync("url,note\nhttps://a.test/1.mp4,x,beyond\n"u8.ToArray(), format, result: result);
        var read = await WholeManifest.ReadAsync(bytes);
        var fields = Assert.Single(read.Rows).Fields;
        Assert.Equal(["https://a.test/1.mp4", "x"], fields[..2]);
        Assert.All(expected.Zip(ManifestFormat.ResultColumns.Select(name => fields[read.Layout.ResultColumn(name)])),
            pair => Assert.StartsWith(pair.First, pair.Second, StringComparison.Ordinal));
        Assert.Equal(2 + expected.Length + 1, fields.Length);
        Assert.Equal("beyond", format == FileFormat.Jsonl ? fields[2] : fields[^1]);
    }

    [Fact]
    public async Task The_members_of_json_lines_are_always_the_header()
    {
        const string lines = """
            {"page": "https://a.test/1.mp4", "words": "One"}
            {"page": "https://a.test/2.mp4", "words": "Two"}
            """;
        var refused = await Assert.ThrowsAsync<ManifestRejectedException>(() => WholeManifest.ReadAsync(lines, "url=column1"));
        Assert.Equal(RejectionCode.ColumnUnknown, refused.Code);
        var address = await WholeManifest.ReadAsync("""{"https://a.test/1.mp4": "https://a.test/2.mp4"}""");
        Assert.Equal("https://a.test/2.mp4", Assert.Single(address.Rows).Checked.Url);
    }

    [Fact]
    public async Task No_title_is_looked_for_above_the_members_of_json_lines()
    {
        var read = await WholeManifest.ReadAsync("""
            {"n": 1, "words": "source", "page": null}
            {"n": 2, "words": "Two", "page": "https://a.test/2.mp4"}
            """);
        Assert.Equal(["n", "words", "page"], read.Layout.Columns);
        Assert.Equal([1, 2], read.Rows.Select(r => r.LineNumber));
        Assert.Empty(read.Layout.SkippedLines);
    }

    [Fact]
    public async Task A_member_of_ones_own_that_is_named_like_a_result_is_kept_beside_it()
    {
        var result = Encoding.UTF8.GetString(await WholeManifest.ExportAsync(
            """{"url": "https://a.test/1.mp4", "import_error": ["mine"], "import_rid": 5}"""u8.ToArray(), FileFormat.Jsonl));
        Assert.StartsWith("""{"url":"https://a.test/1.mp4","import_error (2)":["mine"],"import_rid (2)":5,"import_row":1,""", result,
            StringComparison.Ordinal);
        // Of a result file they are the old results, and go.
        var again = Encoding.UTF8.GetString(await WholeManifest.ExportAsync(Encoding.UTF8.GetBytes(result), FileFormat.Jsonl));
        Assert.Equal(result, again);
    }

    [Fact]
    public async Task Half_of_a_surrogate_pair_in_a_json_text_reads_as_a_character_that_is_missing()
    {
        var bytes = Encoding.ASCII.GetBytes("""
            {"url": "https://a.test/1.mp4", "title": "cut \ud83d", "a\uDC00": "\ud83d\ud83d\ude00 \\ud83d"}
            """);
        var read = await WholeManifest.ReadAsync(bytes);
        Assert.Equal(["url", "title", "a\uFFFD"], read.Layout.Columns);
        Assert.Equal(["https://a.test/1.mp4", "cut \uFFFD", "\uFFFD\U0001F600 \\ud83d"], Assert.Single(read.Rows).Fields);
        Assert.StartsWith("{\"url\":\"https://a.test/1.mp4\",\"title\":\"cut \uFFFD\",\"a\uFFFD\":", Encoding.UTF8.GetString(
            await WholeManifest.ExportAsync(bytes, FileFormat.Jsonl)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_member_that_counts_and_comes_too_late_is_a_question_and_not_lost()
    {
        var many = string.Concat(Enumerable.Range(0, 20_000).Select(i => $"{{\"url\": \"https://media.example.com/{i:000000}.mp4\"}}\n"));
        var rejection = await Assert.ThrowsAsync<ManifestRejectedException>(() =>
            WholeManifest.ReadAsync(many + "{\"url\": \"https://a.test/1.mp4\", \"caption\": \"One\"}\n"));
        Assert.Equal((RejectionCode.JsonDamaged, 20_001L), (rejection.Code, rejection.Line));
        Assert.Contains("\"caption\"", rejection.Message, StringComparison.Ordinal);
        Assert.Equal(20_001, (await WholeManifest.ReadAsync(many + "{\"url\": \"https://a.test/1.mp4\", \"other\": \"One\"}\n")).Rows.Count);
    }

    [Fact]
    public async Task A_line_without_an_end_and_a_line_of_a_thousand_members_are_refused()
    {
        var endless = await Assert.ThrowsAsync<ManifestRejectedException>(() =>
            WholeManifest.ReadAsync("{\"url\": \"https://a.test/1.mp4\"}\n{\"url\": \"" + new string('a', 5_000_000) + "\"}\n"));
        // The first line tells the columns, however long it is.
        var first = await WholeManifest.ReadAsync(
            "{\"notes\": \"" + new string('a', 900_000) + "\", \"url\": \"https://a.test/1.mp4\"}\n{\"url\": \"https://a.test/2.mp4\"}\n");
        Assert.Equal(["https://a.test/1.mp4", "https://a.test/2.mp4"], first.Rows.Where(r => r.State == "pending").Select(r => r.Checked.Url));
        Assert.Contains("longer than 4 MB", (await Assert.ThrowsAsync<ManifestRejectedException>(() => WholeManifest.ReadAsync(
            "{\"notes\": \"" + new string('a', 5_000_000) + "\", \"url\": \"https://a.test/1.mp4\"}\n"))).Message);
        Assert.Equal((RejectionCode.RowTooLong, 2L), (endless.Code, endless.Line));
        var wide = await Assert.ThrowsAsync<ManifestRejectedException>(() => WholeManifest.ReadAsync(
            "{" + string.Join(',', Enumerable.Range(0, 1001).Select(i => $"\"m{i}\":1")) + "}\n"));
        Assert.Equal(RejectionCode.TooManyColumns, wide.Code);
    }

    [Theory]
    [InlineData(FileFormat.Csv)]
    [InlineData(FileFormat.Xlsx)]
    public async Task The_template_reads_as_its_one_row_with_every_column_known(FileFormat format)
    {
        var bytes = new ArrayBufferWriter<byte>();
        ManifestTemplate.Write(format, bytes);
        var read = await WholeManifest.ReadAsync(bytes.WrittenSpan.ToArray());

        Assert.Equal(format, read.Layout.Format);
        Assert.Equal(read.Layout.Columns.Count, read.Layout.Mapping.Count);
        Assert.Equal(("Spring", "spring, park"), (Assert.Single(read.Rows).Checked.Caption, read.Rows[0].Checked.Tags));
        Assert.Empty(read.Findings);
        Assert.Equal(read.Layout.Columns.Count + 2, read.Rows[0].LineNumber);
    }

    private static string Tags(string value) => value.Length == 0 ? "null" : JsonSerializer.Serialize(value.Split(','));

    private static byte[] Separated(char separator, IEnumerable<string[]> rows) => Encoding.UTF8.GetBytes(string.Concat(rows.Select(row =>
        string.Join(separator, row.Select(v => v.AsSpan().IndexOfAny($"{separator}\"\n") < 0 || v.StartsWith('#')
            ? v : $"\"{v.Replace("\"", "\"\"", StringComparison.Ordinal)}\"")) + "\n")));

    /// <summary>As Excel writes it: texts by number, cells by name, empty ones left out.</summary>
    private static byte[] Shared()
    {
        var numbers = new Dictionary<string, int>();
        var data = new StringBuilder();
        foreach (var (row, r) in ((string[][])[Header, .. List]).Select((row, r) => (row, r + 1)))
        {
            data.Append(CultureInfo.InvariantCulture, $"<row r=\"{r}\" spans=\"1:6\">");
            for (var column = 0; column < row.Length; column++)
            {
                if (row[column].Length == 0) continue;
                var number = numbers.TryAdd(row[column], numbers.Count) ? numbers.Count - 1 : numbers[row[column]];
                data.Append(CultureInfo.InvariantCulture, $"<c r=\"{(char)('A' + column)}{r}\" t=\"s\"><v>{number}</v></c>");
            }
            data.Append("</row>");
        }
        return new MadeWorkbook
        {
            Shared = string.Concat(numbers.Keys.Select(t => $"<si><t xml:space=\"preserve\">{System.Security.SecurityElement.Escape(t)}</t></si>")),
        }.Sheet("Videos", data.ToString()).Sheet("Notes", "").Bytes();
    }
}
