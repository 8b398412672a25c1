using System.IO.Compression;
using System.Text;

namespace BulkImporter.Tests.Manifests;

/// <summary>Makes workbooks part by part, also such as no spreadsheet program writes.</summary>
internal sealed class MadeWorkbook
{
    private const string Main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
    private const string Relations = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
    private const string Package = "http://schemas.openxmlformats.org/package/2006/relationships";

    private readonly List<(string Name, string State, string Data)> sheets = [];

    /// <summary>The XML within <c>sst</c>; null for no shared texts.</summary>
    public string? Shared { get; init; }

    /// <summary>Number formats of its own, which styles 1, 2, … have.</summary>
    public string[] Formats { get; init; } = [];

    public bool Uses1904Dates { get; init; }

    /// <summary>Other parts by name, which may stand in place of those made here.</summary>
    public Dictionary<string, Action<Stream>> Parts { get; init; } = [];

    public CompressionLevel Level { get; init; } = CompressionLevel.Fastest;

    /// <summary>Adds a sheet by the XML within its <c>sheetData</c>.</summary>
    public MadeWorkbook Sheet(string name, string data, string state = "visible")
    {
        sheets.Add((name, state, data));
        return this;
    }

    /// <summary>Adds a sheet of texts.</summary>
    public MadeWorkbook Sheet(string name, params string[][] rows) =>
        Sheet(name, string.Concat(rows.Select(row => $"<row>{string.Concat(row.Select(Inline))}</row>")));

    public static string Inline(string text) => text.Length == 0 ? "<c/>"
        : $"<c t=\"inlineStr\"><is><t xml:space=\"preserve\">{System.Security.SecurityElement.Escape(text)}</t></is></c>";

    public byte[] Bytes()
    {
        using var file = new MemoryStream();
        using (var zip = new ZipArchive(file, ZipArchiveMode.Create))
        {
            Add(zip, "[Content_Types].xml", "<Types/>");
            Add(zip, "_rels/.rels", Relation("rId1", "officeDocument", "xl/workbook.xml"));
            Add(zip, "xl/workbook.xml", $"""<workbook xmlns="{Main}" xmlns:r="{Relations}">"""
                + (Uses1904Dates ? """<workbookPr date1904="1"/>""" : "") + "<sheets>"
                + string.Concat(sheets.Select((s, i) =>
                    $"""<sheet name="{s.Name}" sheetId="{i + 1}" state="{s.State}" r:id="rId{i + 1}"/>""")) + "</sheets></workbook>");
            Add(zip, "xl/_rels/workbook.xml.rels", Relation("s", "styles", "styles.xml", "t", "sharedStrings", "sharedStrings.xml",
                [.. sheets.SelectMany((_, i) => (string[])[$"rId{i + 1}", "worksheet", $"worksheets/sheet{i + 1}.xml"])]));
            Add(zip, "xl/styles.xml", $"""<styleSheet xmlns="{Main}"><numFmts>"""
                + string.Concat(Formats.Select((f, i) =>
                    $"""<numFmt numFmtId="{170 + i}" formatCode="{System.Security.SecurityElement.Escape(f)}"/>"""))
                + """</numFmts><cellXfs><xf numFmtId="0"/>"""
                + string.Concat(Formats.Select((_, i) => $"""<xf numFmtId="{170 + i}"/>"""))
                + """<xf numFmtId="14"/></cellXfs></styleSheet>""");
            if (Shared is not null) Add(zip, "xl/sharedStrings.xml", $"""<sst xmlns="{Main}">{Shared}</sst>""");
            foreach (var (sheet, number) in sheets.Select((s, i) => (s, i + 1)))
                Add(zip, $"xl/worksheets/sheet{number}.xml",
                    $"""<worksheet xmlns="{Main}"><sheetData>{sheet.Data}</sheetData></worksheet>""");
            foreach (var (name, write) in Parts)
            {
                using var part = zip.CreateEntry(name, Level).Open();
                write(part);
            }
        }

        return file.ToArray();
    }

    /// <summary>The XML of a part.</summary>
    public static string PartOf(byte[] bytes, string name)
    {
        using var zip = new ZipArchive(new MemoryStream(bytes));
        using var part = new StreamReader(zip.GetEntry(name)!.Open(), Encoding.UTF8);
        return part.ReadToEnd();
    }

    private static string Relation(params string[] triples) => Relation(triples, []);

    private static string Relation(string a, string b, string c, string d, string e, string f, string[] more) =>
        Relation([a, b, c, d, e, f], more);

    private static string Relation(string[] triples, string[] more) =>
        $"""<Relationships xmlns="{Package}">""" + string.Concat(triples.Concat(more).Chunk(3).Select(t =>
            $"""<Relationship Id="{t[0]}" Type="{Relations}/{t[1]}" Target="{t[2]}"/>""")) + "</Relationships>";

    private void Add(ZipArchive zip, string name, string text)
    {
        if (Parts.ContainsKey(name)) return;
        using var part = zip.CreateEntry(name).Open();
        part.Write(Encoding.UTF8.GetBytes(text));
    }
}
