using System.Diagnostics;
using System.Globalization;
using System.IO.Compression;
using System.Text;
using BulkImporter.Manifests;

namespace BulkImporter.Tests.Manifests;

/// <summary>Workbooks as people make them: a sheet to choose, what a cell shows, and what comes back.</summary>
public class WorkbookTests
{
    private static readonly string[] Head = ["url", "title"];

    private static string Row(params string[] cells) => $"<row>{string.Concat(cells)}</row>";

    private static string Text(string value) => MadeWorkbook.Inline(value);

    [Fact]
    public async Task Of_several_sheets_with_rows_one_is_chosen()
    {
        var two = new MadeWorkbook().Sheet("Read me", ["Some notes"]).Sheet("Empty", "<row r=\"1\"><c r=\"A1\" s=\"1\"/></row>")
            .Sheet("Videos", Head, ["https://a.test/1.mp4", "One"]).Sheet("Old", Row(Text("url")), "hidden").Bytes();

        var open = await Assert.ThrowsAsync<ManifestRejectedException>(() => WholeManifest.ReadAsync(two));
        Assert.Equal(RejectionCode.SheetUnclear, open.Code);
        Assert.Equal(["Read me", "Videos"], open.Candidates);
        Assert.Contains("Choose the one to import", open.Message, StringComparison.Ordinal);

        foreach (var name in (string[])["Videos", " videos "])
        {
            var read = await WholeManifest.ReadAsync(two, sheet: name);
            Assert.Equal("Videos", read.Layout.Sheet);
            Assert.Equal(["Read me", "Videos"], read.Layout.Sheets);
            Assert.Equal("One", Assert.Single(read.Rows).Checked.Caption);
        }

        var unknown = await Assert.ThrowsAsync<ManifestRejectedException>(() => WholeManifest.ReadAsync(two, sheet: "Nothing"));
        Assert.Equal(["Read me", "Videos"], unknown.Candidates);
    }

    [Fact]
    public async Task A_workbook_without_rows_says_so() =>
        Assert.Equal(RejectionCode.ManifestEmpty,
            (await Assert.ThrowsAsync<ManifestRejectedException>(() => WholeManifest.ReadAsync(new MadeWorkbook().Sheet("A", "").Bytes()))).Code);

    [Theory]
    [InlineData("00000", "123", "00123")]
    [InlineData("#,##0.00", "1234.5", "1,234.50")]
    [InlineData("0%", "0.25", "25%")]
    [InlineData("#,##0_);(#,##0)", "1234", "1,234")]
    [InlineData("dd.mm.yyyy", "46356", "30.11.2026")]
    [InlineData("yyyy\\-mm\\-dd hh:mm", "46356.75", "2026-11-30 18:00")]
    [InlineData("[h]:mm:ss", "1.5", "36:00:00")]
    [InlineData("yyyy-mm-dd", "-5", "-5")]
    [InlineData("yyyy-mm-dd", "99999999", "99999999")]
    [InlineData("[$-F400]0\"a\"\"b", "5", "5")]
    [InlineData("General", "0.30000000000000004", "0.3")]
    [InlineData("General", "123456789012345", "123456789012345")]
    [InlineData("General", "1234567890123456", "1234567890123456")]
    [InlineData("General", "9007199254740993", "9007199254740993")]
    [InlineData("General", "12345678901234567890123456789012", "12345678901234567890123456789012")]
    [InlineData("General", "0000000000000000007", "7")]
    [InlineData("0", "1234567890123456", "1234567890123460")]
    [InlineData("General", "1E+300", "1E+300")]
    [InlineData("General", "4.2", "4.2")]
    public async Task A_number_reads_as_people_see_it(string format, string number, string shown)
    {
        var read = await WholeManifest.ReadAsync(new MadeWorkbook { Formats = [format] }
            .Sheet("A", Row(Text("url"), Text("id")) + Row(Text("https://a.test/1.mp4"), $"<c s=\"1\"><v>{number}</v></c>")).Bytes());
        Assert.Equal(shown, read.Rows[0].Fields[1]);
    }

    [Fact]
    public async Task A_date_in_the_readers_own_order_reads_the_same_everywhere()
    {
        foreach (var (number, uses1904) in ((string, bool)[])[("46356", false), ("44894", true)])
        {
            var bytes = new MadeWorkbook { Formats = ["0"], Uses1904Dates = uses1904 }
                .Sheet("A", Row(Text("url"), Text("day")) + Row(Text("https://a.test/1.mp4"), $"<c s=\"2\"><v>{number}</v></c>")).Bytes();
            Assert.Equal("2026-11-30", (await WholeManifest.ReadAsync(bytes)).Rows[0].Fields[1]);
            // It comes back as the number that it is, in a workbook that counts days as that one.
            var result = await WholeManifest.ExportAsync(bytes, FileFormat.Xlsx);
            Assert.Contains($"<v>{number}</v>", MadeWorkbook.PartOf(result, "xl/worksheets/sheet1.xml"), StringComparison.Ordinal);
            Assert.Equal("2026-11-30", (await WholeManifest.ReadAsync(result)).Rows[0].Fields[1]);
        }
    }

    [Fact]
    public async Task Days_count_from_1904_on_whatever_an_extension_of_the_workbook_adds()
    {
        var read = await WholeManifest.ReadAsync(new MadeWorkbook
        {
            Formats = ["0"],
            Parts =
            {
                ["xl/workbook.xml"] = part => part.Write(Encoding.UTF8.GetBytes($"""
                    <workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"
                      xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships">
                      <workbookPr date1904="1"/><sheets><sheet name="A" sheetId="1" r:id="rId1"/></sheets>
                      <extLst><ext xmlns:x15="http://schemas.microsoft.com/office/spreadsheetml/2010/11/main">
                        <x15:workbookPr chartTrackingRefBase="1"/></ext></extLst></workbook>
                    """)),
            },
        }.Sheet("A", Row(Text("url"), Text("day")) + Row(Text("https://a.test/1.mp4"), "<c s=\"2\"><v>44894</v></c>")).Bytes());
        Assert.Equal("2026-11-30", read.Rows[0].Fields[1]);
    }

    [Theory]
    [InlineData("/xl/./worksheets/../worksheets/sheet1.xml")]
    [InlineData("../xl/worksheets/sheet1.xml")]
    [InlineData("./worksheets/sheet1.xml")]
    public async Task A_part_is_found_by_a_path_with_dots_and_true_is_true(string target)
    {
        var read = await WholeManifest.ReadAsync(new MadeWorkbook
        {
            Parts =
            {
                ["xl/_rels/workbook.xml.rels"] = part => part.Write(Encoding.UTF8.GetBytes($"""
                    <Relationships><Relationship Id="rId1" Type="x/worksheet" Target="{target}"/></Relationships>
                    """)),
            },
        }.Sheet("A", Row(Text("url"), Text("b")) + Row(Text("https://a.test/1.mp4"), "<c t=\"b\"><v>true</v></c>")).Bytes());
        Assert.Equal("TRUE", Assert.Single(read.Rows).Fields[1]);
    }

    [Fact]
    public async Task Cells_of_every_kind_are_read_and_come_back()
    {
        var bytes = new MadeWorkbook
        {
            Formats = ["000", "0.00"],
            Shared = "<si><t>url</t></si><si><r><rPr><b/></rPr><t xml:space=\"preserve\">Rich </t></r><r><t>text</t></r>"
                + "<rPh sb=\"0\" eb=\"1\"><t>kana</t></rPh></si><si><t>line_x000D_\nbreak _x005F_x000D_ &amp; &lt;b&gt;</t></si>",
        }.Sheet("All", "<row r=\"3\"><c r=\"A3\" t=\"s\"><v>0</v></c><c r=\"B3\" t=\"str\"><f>\"a\"&amp;\"b\"</f><v>ab</v></c>"
            + "<c r=\"C3\" t=\"inlineStr\"><is><t>c</t></is></c><c r=\"E3\" t=\"inlineStr\"><is><t>e</t></is></c></row>"
            + "<row r=\"7\"><c r=\"A7\" t=\"inlineStr\"><is><t>https://a.test/1.mp4</t></is></c><c r=\"B7\" t=\"s\"><v>1</v></c>"
            + "<c r=\"C7\" s=\"1\"><f>WEBSERVICE(\"http://evil.test\")</f><v>7</v></c><c r=\"E7\" t=\"b\"><v>1</v></c></row>"
            + "<row r=\"8\"><c r=\"A8\" t=\"inlineStr\"><is><t>https://a.test/2.mp4</t></is></c><c r=\"B8\" t=\"s\"><v>2</v></c>"
            + "<c r=\"C8\" t=\"e\"><f>NA()</f><v>#N/A</v></c><c r=\"E8\" s=\"2\"><v>1.5</v></c></row>").Bytes();
        var read = await WholeManifest.ReadAsync(bytes);

        Assert.Equal(["url", "ab", "c", "column4", "e"], read.Layout.Columns);
        Assert.Equal([7, 8], read.Rows.Select(r => r.LineNumber));
        Assert.Equal(["https://a.test/1.mp4", "Rich text", "007", "", "TRUE"], read.Rows[0].Fields);
        Assert.Equal(["https://a.test/2.mp4", "line\r\nbreak _x000D_ & <b>", "#N/A", "", "1.50"], read.Rows[1].Fields);

        var result = await WholeManifest.ExportAsync(bytes, FileFormat.Xlsx);
        var again = await WholeManifest.ReadAsync(result);
        Assert.Equal("All", again.Layout.Sheet);
        Assert.Equal(read.Rows.Select(r => r.Fields), again.Rows.Select(r => r.Fields[..5]));
        var sheet = MadeWorkbook.PartOf(result, "xl/worksheets/sheet1.xml");
        Assert.DoesNotContain("<f>", sheet, StringComparison.Ordinal);
        Assert.Contains("t=\"b\"><v>1</v>", sheet, StringComparison.Ordinal);
        Assert.Contains("t=\"e\"><v>#N/A</v>", sheet, StringComparison.Ordinal);
        Assert.Contains("<v>7</v>", sheet, StringComparison.Ordinal);
        Assert.Contains("formatCode=\"000\"", MadeWorkbook.PartOf(result, "xl/styles.xml"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_a_spreadsheet_would_run_stays_a_text_in_a_workbook_and_is_guarded_in_csv()
    {
        var bytes = new MadeWorkbook().Sheet("A", ["url", "title"], ["https://a.test/1.mp4", "=HYPERLINK(\"x\")"], ["https://a.test/2.mp4", "'=1"])
            .Bytes();
        var result = await WholeManifest.ExportAsync(bytes, FileFormat.Xlsx);
        Assert.Equal(["=HYPERLINK(\"x\")", "'=1"], (await WholeManifest.ReadAsync(result)).Rows.Select(r => r.Fields[1]));
        Assert.Contains("<is><t xml:space=\"preserve\">=HYPERLINK", MadeWorkbook.PartOf(result, "xl/worksheets/sheet1.xml"),
            StringComparison.Ordinal);
        // As CSV the guard is put, and taken away again by who reads it; of a result file of ours, too.
        foreach (var one in (byte[][])[bytes, result])
        {
            var csv = await WholeManifest.ExportAsync(one, FileFormat.Csv);
            Assert.Contains("'=HYPERLINK", Encoding.UTF8.GetString(csv), StringComparison.Ordinal);
            Assert.Equal(["=HYPERLINK(\"x\")", "'=1"], (await WholeManifest.ReadAsync(csv)).Rows.Select(r => r.Fields[1]));
        }
    }

    [Fact]
    public async Task Of_merged_cells_the_first_has_the_value()
    {
        var read = await WholeManifest.ReadAsync(new MadeWorkbook
        {
            Parts =
            {
                ["xl/worksheets/sheet1.xml"] = part => part.Write(Encoding.UTF8.GetBytes("<worksheet><sheetData>"
                    + "<row r=\"1\"><c r=\"A1\" t=\"inlineStr\"><is><t>All our videos</t></is></c><c r=\"B1\"/><c r=\"C1\"/></row>"
                    + Row(Text("url"), Text("title"), Text("gallery"))
                    + Row(Text("https://a.test/1.mp4"), Text("One"), Text("Spring")) + Row(Text("https://a.test/2.mp4"), Text("Two"), "<c/>")
                    + "</sheetData><mergeCells><mergeCell ref=\"A1:C1\"/><mergeCell ref=\"C3:C4\"/></mergeCells></worksheet>")),
            },
        }.Sheet("A", "").Bytes());
        Assert.Equal(["Spring", null], read.Rows.Select(r => r.Checked.Gallery));
        Assert.Equal([3, 4], read.Rows.Select(r => r.LineNumber));
    }

    [Fact]
    public async Task Comments_and_titles_before_the_header_are_skipped_by_their_rows()
    {
        var read = await WholeManifest.ReadAsync(new MadeWorkbook().Sheet("A", ["# a comment\nof two lines"], ["My list"], ["url", "title", "id"],
            ["https://a.test/1.mp4", "One", "1"]).Bytes());
        Assert.Equal(4, Assert.Single(read.Rows).LineNumber);
        Assert.Equal([1L, 2L], read.Layout.SkippedLines.Select(l => l.Line));
    }

    [Fact]
    public async Task A_short_row_at_the_end_is_not_taken_for_one_cut_off()
    {
        var read = await WholeManifest.ReadAsync(new MadeWorkbook()
            .Sheet("A", ["url", "title", "id"], ["https://a.test/1.mp4", "One", "1"], ["https://a.test/2.mp4"]).Bytes());
        Assert.Empty(read.Findings);
        Assert.Equal(3, read.Rows[1].FieldCount);
    }

    [Theory]
    [InlineData("mimetype")]
    [InlineData("videos/1.mp4")]
    [InlineData("[Content_Types].xml")]
    public async Task An_archive_that_is_no_workbook_is_named(string first)
    {
        using var file = new MemoryStream();
        using (var zip = new ZipArchive(file, ZipArchiveMode.Create, leaveOpen: true))
        {
            zip.CreateEntry(first);
            zip.CreateEntry("word/document.xml");
        }
        var rejection = await Assert.ThrowsAsync<ManifestRejectedException>(() => WholeManifest.ReadAsync(file.ToArray()));
        Assert.Equal(RejectionCode.NotCsv, rejection.Code);
        Assert.Contains("zip archive", rejection.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Every_cut_and_every_damaged_byte_ends_in_rows_or_in_a_sentence()
    {
        var bytes = new MadeWorkbook { Shared = "<si><t>url</t></si>", Formats = ["0.0"] }
            .Sheet("A", Row("<c t=\"s\"><v>0</v></c>", Text("n")) + Row(Text("https://a.test/1.mp4"), "<c s=\"1\"><v>1</v></c>")).Bytes();
        for (var length = 30; length < bytes.Length; length += 13)
            await ReadOrRejectedAsync(bytes[..length]);
        var random = new Random(5);
        for (var i = 0; i < 400; i++)
        {
            var damaged = bytes.ToArray();
            for (var n = 0; n <= i % 3; n++)
                damaged[random.Next(64, damaged.Length)] = (byte)random.Next(256);
            await ReadOrRejectedAsync(damaged);
        }

        static async Task ReadOrRejectedAsync(byte[] file)
        {
            try
            {
                await WholeManifest.ReadAsync(file);
            }
            catch (ManifestRejectedException rejected)
            {
                Assert.NotEmpty(rejected.Message);
            }
        }
    }

    [Fact]
    public async Task Reading_a_large_sheet_can_be_cancelled()
    {
        var bytes = new MadeWorkbook
        {
            Parts =
            {
                ["xl/worksheets/sheet1.xml"] = part =>
                {
                    part.Write("<worksheet><sheetData><row><c t=\"inlineStr\"><is><t>url</t></is></c></row>"u8);
                    for (var i = 0; i < 400_000; i++)
                        part.Write(Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture,
                            $"<row><c t=\"inlineStr\"><is><t>https://a.test/{i}{i * 7919L % 1_000_003}.mp4</t></is></c></row>")));
                    part.Write("</sheetData></worksheet>"u8);
                },
            },
        }.Sheet("A", "").Bytes();
        using var stop = new CancellationTokenSource();
        await using var reader = await ManifestReader.OpenAsync(new MemoryStream(bytes), new ManifestReading(), stop.Token);
        for (var i = 0; i < 1000; i++)
            Assert.True(await reader.ReadAsync(stop.Token));
        await stop.CancelAsync();
        var since = Stopwatch.StartNew();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
        {
            while (await reader.ReadAsync(stop.Token))
            {
            }
        });
        Assert.InRange(since.Elapsed, TimeSpan.Zero, TimeSpan.FromSeconds(1));
    }
}
