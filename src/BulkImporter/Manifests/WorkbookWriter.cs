using System.Buffers;
using System.IO.Compression;

namespace BulkImporter.Manifests;

/// <summary>
/// Writes a workbook of one sheet as its rows come, in bounded memory. A text is always written as a text, which a spreadsheet never runs,
/// whatever it begins with; formulas are never written.
/// </summary>
/// <param name="output">Takes the bytes. The caller flushes it whenever he likes.</param>
/// <param name="sheetName">Of the one sheet.</param>
/// <param name="uses1904Dates">Numbers that are days count from 1904 on.</param>
internal sealed class WorkbookWriter(IBufferWriter<byte> output, string sheetName, bool uses1904Dates) : IDisposable
{
    /// <summary>What a sheet can hold (ECMA-376 leaves it open; these are Excel's limits).</summary>
    public const int MostRows = 1_048_576;

    private const int MostColumns = 16_384;
    private const int LongestCell = 32_767;

    /// <summary>Excel takes some 200 formats of one's own; beyond, a number is shown plain.</summary>
    private const int MostFormats = 200;

    private const string Cut = "…";

    private const string Main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
    private const string Relations = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
    private const string Package = "http://schemas.openxmlformats.org/package/2006";
    private const string Document = "application/vnd.openxmlformats-officedocument.spreadsheetml";
    private const string Declaration = """<?xml version="1.0" encoding="UTF-8" standalone="yes"?>""" + "\n";

    private const int FlushAfter = 32 * 1024;

    private static readonly SearchValues<char> NeedEscape = SearchValues.Create("&<>\"_\uFFFE\uFFFF");

    private readonly ZipArchive zip = new(new Output(output), ZipArchiveMode.Create);
    private readonly ArrayBufferWriter<byte> xml = new(2 * FlushAfter);
    private readonly Dictionary<string, int> formats = [];
    private Stream? sheet;
    private int row;
    private int column;
    private bool isOpen;

    public void Text(string? text)
    {
        if (string.IsNullOrEmpty(text))
        {
            column++;
            return;
        }

        if (!Begin(" t=\"inlineStr\""))
            return;
        Append("<is><t xml:space=\"preserve\">");
        AppendText(text.Length > LongestCell ? string.Concat(text.AsSpan(0, LongestCell - 1), Cut) : text);
        Append("</t></is></c>");
    }

    public void Number(IFormattable number) => Value("", number.ToString(null, CultureInfo.InvariantCulture));

    /// <summary>A cell of another workbook as it was there.</summary>
    public void Cell(in SheetCell cell)
    {
        switch (cell.Kind)
        {
            case CellKind.Text:
                Text(cell.Raw);
                break;
            case CellKind.Number:
                Value(cell.Format is { } format ? $" s=\"{Style(format)}\"" : "", cell.Raw);
                break;
            default:
                Value(cell.Kind == CellKind.Boolean ? " t=\"b\"" : " t=\"e\"", cell.Raw);
                break;
        }
    }

    public void EndRow()
    {
        if (!isOpen)
            BeginRow();
        Append("</row>");
        (isOpen, column) = (false, 0);
        if (xml.WrittenCount >= FlushAfter)
            Flush();
    }

    /// <summary>Writes the rest. Call once, last.</summary>
    public void Complete()
    {
        OpenSheet();
        Append("</sheetData></worksheet>");
        Flush();
        sheet!.Dispose();
        Add("xl/styles.xml", Styles());
        Add("xl/workbook.xml", $"""<workbook xmlns="{Main}" xmlns:r="{Relations}">"""
            + (uses1904Dates ? """<workbookPr date1904="1"/>""" : "")
            + $"""<sheets><sheet name="{Escaped(sheetName)}" sheetId="1" r:id="rId1"/></sheets></workbook>""");
        Add("xl/_rels/workbook.xml.rels", $"""<Relationships xmlns="{Package}/relationships">"""
            + $"""<Relationship Id="rId1" Type="{Relations}/worksheet" Target="worksheets/sheet1.xml"/>"""
            + $"""<Relationship Id="rId2" Type="{Relations}/styles" Target="styles.xml"/></Relationships>""");
        Add("_rels/.rels", $"""<Relationships xmlns="{Package}/relationships">"""
            + $"""<Relationship Id="rId1" Type="{Relations}/officeDocument" Target="xl/workbook.xml"/></Relationships>""");
        zip.Dispose();
    }

    public void Dispose()
    {
        sheet?.Dispose();
        zip.Dispose();
    }

    private void OpenSheet()
    {
        if (sheet is not null)
            return;
        // First, since it is what tells a workbook from any other archive.
        Add("[Content_Types].xml", $"""<Types xmlns="{Package}/content-types">"""
            + """<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>"""
            + """<Default Extension="xml" ContentType="application/xml"/>"""
            + $"""<Override PartName="/xl/workbook.xml" ContentType="{Document}.sheet.main+xml"/>"""
            + $"""<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{Document}.worksheet+xml"/>"""
            + $"""<Override PartName="/xl/styles.xml" ContentType="{Document}.styles+xml"/></Types>""");
        sheet = Part("xl/worksheets/sheet1.xml");
        Append(Declaration + $"""<worksheet xmlns="{Main}"><sheetData>""");
    }

    private void BeginRow()
    {
        OpenSheet();
        row++;
        Append($"<row r=\"{row}\">");
    }

    /// <summary>Opens the next cell; false where a sheet has no more columns.</summary>
    private bool Begin(string attributes)
    {
        if (!isOpen)
            BeginRow();
        isOpen = true;
        column++;
        if (column > MostColumns)
            return false;
        Append($"<c r=\"{Name(column)}{row}\"{attributes}>");
        return true;
    }

    private void Value(string attributes, string value)
    {
        if (!Begin(attributes))
            return;
        Append("<v>");
        AppendText(value);
        Append("</v></c>");
    }

    /// <summary>The style that shows a number in a format; 0 is that of all other cells.</summary>
    private int Style(string format)
    {
        if (!formats.TryGetValue(format, out var style) && formats.Count < MostFormats)
            formats[format] = style = formats.Count + 1;
        return style;
    }

    private string Styles()
    {
        var text = new StringBuilder($"""<styleSheet xmlns="{Main}">""");
        // Numbers below 164 are those of formats that every workbook has.
        if (formats.Count > 0)
        {
            text.Append(CultureInfo.InvariantCulture, $"""<numFmts count="{formats.Count}">""");
            foreach (var (format, style) in formats)
                text.Append(CultureInfo.InvariantCulture, $"""<numFmt numFmtId="{163 + style}" formatCode="{Escaped(format)}"/>""");
            text.Append("</numFmts>");
        }

        text.Append("""<fonts count="1"><font><sz val="11"/><name val="Calibri"/></font></fonts>""")
            .Append("""<fills count="2"><fill><patternFill patternType="none"/></fill>""")
            .Append("""<fill><patternFill patternType="gray125"/></fill></fills>""")
            .Append("""<borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>""")
            .Append("""<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>""")
            .Append(CultureInfo.InvariantCulture, $"""<cellXfs count="{formats.Count + 1}">""")
            .Append("""<xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/>""");
        for (var style = 1; style <= formats.Count; style++)
            text.Append(CultureInfo.InvariantCulture,
                $"""<xf numFmtId="{163 + style}" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>""");
        return text.Append("</cellXfs></styleSheet>").ToString();
    }

    private void Add(string name, string text)
    {
        using var part = Part(name);
        part.Write(Encoding.UTF8.GetBytes(Declaration + text));
    }

    private Stream Part(string name)
    {
        var entry = zip.CreateEntry(name, CompressionLevel.Fastest);
        // The first time that an archive can have, so that the same rows give the same bytes.
        entry.LastWriteTime = new(1980, 1, 1, 0, 0, 0, TimeSpan.Zero);
        return entry.Open();
    }

    private void Append(string text) => Encoding.UTF8.GetBytes(text, xml);

    /// <summary>A text as XML can hold it: what it cannot stands as <c>_x0007_</c>, and such a text with its first sign so.</summary>
    private void AppendText(string text) => Append(Escaped(text));

    private static string Escaped(string text)
    {
        if (text.AsSpan().IndexOfAny(NeedEscape) < 0 && !text.AsSpan().ContainsAnyInRange('\0', '\u001F')
            && !text.AsSpan().ContainsAnyInRange('\uD800', '\uDFFF'))
            return text;
        var escaped = new StringBuilder(text.Length + 16);
        for (var at = 0; at < text.Length; at++)
        {
            var c = text[at];
            switch (c)
            {
                case '&': escaped.Append("&amp;"); break;
                case '<': escaped.Append("&lt;"); break;
                case '>': escaped.Append("&gt;"); break;
                case '"': escaped.Append("&quot;"); break;
                case '_' when at + 6 < text.Length && text[at + 1] == 'x' && text[at + 6] == '_': escaped.Append("_x005F_"); break;
                case '\t' or '\n': escaped.Append(c); break;
                case < ' ' or '\uFFFE' or '\uFFFF': escaped.Append(CultureInfo.InvariantCulture, $"_x{(int)c:X4}_"); break;
                // A half of a pair alone: where a text was cut.
                case >= '\uD800' and <= '\uDFFF' when !(char.IsHighSurrogate(c) && at + 1 < text.Length
                    && char.IsLowSurrogate(text[at + 1])):
                    escaped.Append('\uFFFD');
                    break;
                case >= '\uD800' and <= '\uDFFF': escaped.Append(c).Append(text[++at]); break;
                default: escaped.Append(c); break;
            }
        }

        return escaped.ToString();
    }

    /// <summary>The AB of column 28.</summary>
    private static string Name(int column)
    {
        var name = "";
        for (; column > 0; column = (column - 1) / 26)
            name = (char)('A' + ((column - 1) % 26)) + name;
        return name;
    }

    private void Flush()
    {
        sheet!.Write(xml.WrittenSpan);
        xml.ResetWrittenCount();
    }

    /// <summary>The buffer as the stream that an archive is written to.</summary>
    private sealed class Output(IBufferWriter<byte> output) : Stream
    {
        private long length;

        public override bool CanRead => false;
        public override bool CanSeek => false;
        public override bool CanWrite => true;
        public override long Length => length;
        public override long Position { get => length; set => throw new NotSupportedException(); }

        public override void Write(ReadOnlySpan<byte> buffer)
        {
            output.Write(buffer);
            length += buffer.Length;
        }

        public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

        public override void Flush()
        {
        }

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();
        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();
        public override void SetLength(long value) => throw new NotSupportedException();
    }
}
