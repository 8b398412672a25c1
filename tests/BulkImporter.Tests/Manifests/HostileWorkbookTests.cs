using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;
using BulkImporter.Manifests;

namespace BulkImporter.Tests.Manifests;

/// <summary>
/// Workbooks that somebody made to do harm: each is refused with a sentence, in little time and memory. Alone, because the memory that is
/// measured is that of the whole process.
/// </summary>
[Collection(nameof(EndlessManifestTests))]
public class HostileWorkbookTests
{
    private const string SheetPart = "xl/worksheets/sheet1.xml";
    private const string SharedPart = "xl/sharedStrings.xml";

    private static readonly byte[] OneRow =
        "<row><c t=\"inlineStr\"><is><t>url</t></is></c></row><row><c t=\"s\"><v>0</v></c></row>"u8.ToArray();

    [Fact]
    public async Task A_sheet_that_unpacks_to_a_thousand_times_its_size() =>
        await RefusedAsync(With(SheetPart, part => Repeated(part, "<worksheet><sheetData>", "<row/>", 50_000_000), CompressionLevel.Optimal),
            "200 times its size");

    [Fact]
    public async Task Two_gigabytes_of_shared_texts() =>
        await RefusedAsync(With(SharedPart, part => Repeated(part, "<sst>", "<si><t>aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa</t></si>", 2L << 30)),
            "are the limit");

    [Fact]
    public async Task Shared_texts_that_lie_about_their_size()
    {
        // Sizes stand in the archive's directory and before each part; here both say 1,000 bytes.
        var bytes = new MadeWorkbook
        {
            Shared = "",
            Parts = { [SharedPart] = part => Repeated(part, "<sst>", "<si><t>aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa</t></si>", 20_000_000) },
        }.Sheet("A", "<row><c t=\"s\"><v>9000</v></c></row>").Bytes();
        var entry = bytes.AsSpan().LastIndexOf("xl/sharedStrings.xml"u8) - 46;
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(entry + 24), 1000);
        // What is said is all that is unpacked, and the end is missing then.
        await RefusedAsync(bytes, "damaged");
    }

    [Fact]
    public async Task A_million_columns() =>
        await RefusedAsync(With(SheetPart, part => Repeated(part, "<worksheet><sheetData><row>", "<c><v>1</v></c>", 15_000_000, varies: true)),
            "at most 1,000 columns");

    [Theory]
    [InlineData("BDWGN1")]
    [InlineData("ZZZZZZZZZZZZZZZZZZZ1")]
    public async Task A_cell_far_to_the_right(string cell) =>
        await RefusedAsync(new MadeWorkbook().Sheet("A", $"<row><c r=\"{cell}\"><v>1</v></c></row>").Bytes(), "at most 1,000 columns");

    [Theory]
    [InlineData("<!DOCTYPE x [<!ENTITY a SYSTEM \"file:///etc/passwd\">]><sst><si><t>&a;</t></si></sst>")]
    [InlineData("<!DOCTYPE x [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;&a;&a;\">]><sst><si><t>&b;</t></si></sst>")]
    [InlineData("<sst><si><t>&a;</t></si></sst>")]
    [InlineData("<sst><si><t><![CDATA[x]]></t></si></sst>")]
    [InlineData("<sst><!-- x --><si><t>x</t></si></sst>")]
    public async Task Entities_and_what_else_no_spreadsheet_writes(string xml) =>
        await RefusedAsync(With(SharedPart, part => part.Write(Encoding.UTF8.GetBytes(xml))), "damaged", touch: true);

    [Fact]
    public async Task Entities_in_another_encoding() =>
        await RefusedAsync(With(SharedPart, part => part.Write([.. Encoding.Unicode.GetPreamble(),
            .. Encoding.Unicode.GetBytes("<!DOCTYPE x [<!ENTITY a \"b\">]><sst><si><t>&a;</t></si></sst>")])), "damaged", touch: true);

    [Fact]
    public async Task A_value_a_tag_a_nesting_and_names_without_end()
    {
        await RefusedAsync(With(SharedPart, part => Repeated(part, "<sst><si><t>", "aVaries", 9_000_000, varies: true)),
            "more than 200,000 characters", touch: true);
        await RefusedAsync(With(SharedPart, part => Repeated(part, "<sst><si><t>", "&amp;", 9_000_000)), "more than 200,000", touch: true);
        await RefusedAsync(With(SheetPart, part => Repeated(part, "<worksheet><sheetData><row a='", "Varies", 9_000_000, varies: true)),
            "longer than");
        await RefusedAsync(With(SheetPart, part => Repeated(part, "<worksheet><sheetData><row ", " aVaries='1'", 900_000, varies: true)),
            "damaged");
        await RefusedAsync(With(SheetPart, part => Repeated(part, "<worksheet><sheetData><row>", "<c>", 9_000_000)), "damaged");
        await RefusedAsync(With(SheetPart, part => Repeated(part, "<worksheet>", "<nVaries/>", 9_000_000, varies: true)), "damaged");
        await RefusedAsync(With(SharedPart, part => Repeated(part, "<sst><si>", "<r><t>aVaries</t></r>", 9_000_000, varies: true)),
            "more than 200,000 characters", touch: true);
    }

    [Fact]
    public async Task A_workbook_in_a_workbook_is_never_opened()
    {
        var inner = With(SheetPart, part => Repeated(part, "<worksheet><sheetData>", "<row/>", 50_000_000));
        var read = await WholeManifest.ReadAsync(new MadeWorkbook { Parts = { ["xl/embeddings/inner.xlsx"] = part => part.Write(inner) } }
            .Sheet("A", ["url"], ["https://a.test/1.mp4"]).Bytes());
        Assert.Single(read.Rows);
        await RefusedAsync(With(SheetPart, part => part.Write(inner)), "damaged");
    }

    [Fact]
    public async Task A_workbook_in_gzip_is_named()
    {
        using var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionMode.Compress, leaveOpen: true))
            gzip.Write(new MadeWorkbook().Sheet("A", ["url"], ["https://a.test/1.mp4"]).Bytes());
        await RefusedAsync(packed.ToArray(), "zip archive");
    }

    [Fact]
    public async Task Files_sheets_and_relations_without_end()
    {
        await RefusedAsync(new MadeWorkbook
        { Parts = Enumerable.Range(0, 11_000).ToDictionary(i => $"xl/media/{i}.png", _ => (Action<Stream>)(_ => { })) }
            .Sheet("A", ["url"], ["https://a.test/1.mp4"]).Bytes(), "more than 10,000 files");
        var many = new MadeWorkbook();
        for (var i = 0; i < 300; i++) many.Sheet($"S{i}", ["url"]);
        await RefusedAsync(many.Bytes(), "more than 255 sheets");
    }

    [Fact]
    public async Task One_part_for_many_sheets()
    {
        await RefusedAsync(new MadeWorkbook
        {
            Parts =
            {
                ["xl/_rels/workbook.xml.rels"] = part => part.Write(
                    """
                    <Relationships><Relationship Id="rId1" Type="x/worksheet" Target="worksheets/sheet1.xml"/>
                      <Relationship Id="rId2" Type="x/worksheet" Target="worksheets/Sheet1.xml"/></Relationships>
                    """u8),
            },
        }.Sheet("A", ["url"]).Sheet("B", ["url"]).Bytes(), "damaged");
    }

    [Fact]
    public async Task Sheets_without_rows_that_together_are_endless()
    {
        var many = new MadeWorkbook
        {
            Parts = Enumerable.Range(1, 60).ToDictionary(i => $"xl/worksheets/sheet{i}.xml",
                _ => (Action<Stream>)(part => Repeated(part, "<worksheet><sheetData>", "<row/>", 9_800_000))),
            Level = CompressionLevel.Optimal,
        };
        for (var i = 1; i <= 60; i++) many.Sheet($"S{i}", "");
        foreach (var part in many.Parts.Keys.ToList())
        {
            var write = many.Parts[part];
            many.Parts[part] = stream =>
            {
                write(stream);
                stream.Write("</sheetData></worksheet>"u8);
            };
        }
        var rejection = await Assert.ThrowsAsync<ManifestRejectedException>(() => WholeManifest.ReadAsync(many.Bytes()));
        Assert.Contains("before their first row", rejection.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_file_larger_than_a_workbook_may_be()
    {
        var bytes = new byte[Workbook.MostBytes + 1];
        new MadeWorkbook().Sheet("A", ["url"]).Bytes().CopyTo(bytes, 0);
        await RefusedAsync(bytes, "more than 64 MB");
    }

    private static byte[] With(string name, Action<Stream> part, CompressionLevel level = CompressionLevel.Fastest) =>
        new MadeWorkbook { Shared = "<si><t>https://a.test/1.mp4</t></si>", Parts = { [name] = part }, Level = level }
            .Sheet("A", Encoding.ASCII.GetString(OneRow)).Bytes();

    /// <summary>Writes a part of so many bytes that has no end.</summary>
    /// <param name="varies">"Varies" in the piece, or the piece as a whole, is another each time, so that it packs badly.</param>
    private static void Repeated(Stream part, string start, string piece, long length, bool varies = false)
    {
        part.Write(Encoding.UTF8.GetBytes(start));
        var block = new StringBuilder();
        var random = new Random(1);
        var fixedBlock = Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat(piece, 100_000 / piece.Length)));
        for (long written = 0; written < length;)
        {
            var bytes = fixedBlock;
            if (varies)
            {
                block.Clear();
                while (block.Length < 100_000)
                    block.Append(piece.Replace("Varies", random.NextInt64().ToString("x", null), StringComparison.Ordinal)
                        .Replace("<v>1", $"<v>{random.NextInt64()}", StringComparison.Ordinal));
                bytes = Encoding.UTF8.GetBytes(block.ToString());
            }
            part.Write(bytes);
            written += bytes.Length;
        }
    }

    /// <param name="touch">The harm is in what is read only when a cell asks for it.</param>
    private static async Task RefusedAsync(byte[] bytes, string why, bool touch = false)
    {
        GC.Collect();
        var before = GC.GetTotalMemory(forceFullCollection: true);
        var peak = before;
        var rejection = await Assert.ThrowsAsync<ManifestRejectedException>(async () =>
        {
            await using var reader = await ManifestReader.OpenAsync(new MemoryStream(bytes), new ManifestReading(),
                TestContext.Current.CancellationToken);
            Assert.True(touch);
            while (await reader.ReadAsync(TestContext.Current.CancellationToken))
                peak = Math.Max(peak, GC.GetTotalMemory(forceFullCollection: false));
        });
        Assert.Contains(why, rejection.Message, StringComparison.Ordinal);
        peak = Math.Max(peak, GC.GetTotalMemory(forceFullCollection: false));
        Assert.InRange(peak - before, long.MinValue, 4L * bytes.Length + (48 << 20));
    }
}
