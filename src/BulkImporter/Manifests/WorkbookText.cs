using System.Xml;

namespace BulkImporter.Manifests;

internal enum CellKind
{
    Text,
    Number,
    Boolean,
    Error,
}

/// <summary>A cell of a sheet that holds something. Of a formula it is the value that it last had.</summary>
/// <param name="Column">From 0.</param>
/// <param name="Raw">As the file has it; of a text the text.</param>
/// <param name="Shown">As a person sees it.</param>
/// <param name="Format">Of a number that has one of its own.</param>
internal readonly record struct SheetCell(int Column, CellKind Kind, string Raw, string Shown, string? Format);

/// <summary>A row of a sheet with a value in it.</summary>
internal sealed record SheetRow(long Line, IReadOnlyList<SheetCell> Cells) : OriginalRow(Line);

/// <summary>
/// A sheet of a workbook as CSV text: each cell as a person sees it. Of merged cells the first has the value and the others are empty, as
/// in Excel's own CSV.
/// </summary>
internal sealed class WorkbookText : RowsAsText
{
    private readonly Workbook workbook;
    private readonly SheetRows rows;
    private string?[] values = [];

    private WorkbookText(Workbook workbook, WorkbookSheet sheet, IReadOnlyList<string> sheets)
        : base(FileFormat.Xlsx)
    {
        this.workbook = workbook;
        (Sheet, Sheets) = (sheet.Name, sheets);
        rows = new SheetRows(workbook, sheet);
    }

    public string Sheet { get; }

    /// <summary>The sheets that have rows, which a person can choose from.</summary>
    public IReadOnlyList<string> Sheets { get; }

    public bool Uses1904Dates => workbook.Uses1904Dates;

    /// <param name="head">What was read of the file already.</param>
    /// <param name="rest">What follows it.</param>
    /// <param name="wanted">The sheet that a person chose; null when there is nothing to choose.</param>
    /// <exception cref="ManifestRejectedException">The file cannot be read, or a person has to choose a sheet.</exception>
    public static async Task<WorkbookText> OpenAsync(byte[] head, Stream rest, string? wanted, CancellationToken cancellationToken)
    {
        var workbook = await Workbook.OpenAsync(head, rest, cancellationToken);
        try
        {
            workbook.Cancellation = cancellationToken;
            var filled = workbook.LookForRows(sheet => HasRows(workbook, sheet));
            return new(workbook, Chosen(filled, wanted), [.. filled.Select(sheet => sheet.Name)]);
        }
        catch
        {
            workbook.Dispose();
            throw;
        }
    }

    protected override ValueTask<bool> WriteRowsAsync(CancellationToken cancellationToken)
    {
        workbook.Cancellation = cancellationToken;
        if (rows.Next() is not { } row)
            return ValueTask.FromResult(false);
        // Empty cells behind the last one are not there: a row is as wide as those before it, so that it is not taken for one cut off.
        var width = Math.Max(values.Length, row.Cells[^1].Column + 1);
        if (width > values.Length)
            values = new string?[width];
        else
            Array.Clear(values);
        foreach (var cell in row.Cells)
            values[cell.Column] = cell.Shown;
        Write(row, values);
        return ValueTask.FromResult(true);
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            rows.Dispose();
            workbook.Dispose();
        }

        base.Dispose(disposing);
    }

    private static bool HasRows(Workbook workbook, WorkbookSheet sheet)
    {
        using var rows = new SheetRows(workbook, sheet);
        return rows.Next() is not null;
    }

    private static WorkbookSheet Chosen(List<WorkbookSheet> filled, string? wanted)
    {
        string[] names = [.. filled.Select(sheet => sheet.Name)];
        if (!string.IsNullOrEmpty(wanted))
        {
            return filled.Find(sheet => sheet.Name == wanted)
                ?? filled.Find(sheet => string.Equals(sheet.Name.Trim(), wanted.Trim(), StringComparison.OrdinalIgnoreCase))
                ?? throw Unclear($"The workbook has no sheet \"{FindingMask.Mask(wanted)}\" with rows.", names);
        }

        return filled switch
        {
            [] => throw new ManifestRejectedException(RejectionCode.ManifestEmpty, "The workbook has no rows."),
            [var only] => only,
            _ => throw Unclear("Several sheets of this workbook have rows.", names),
        };
    }

    private static ManifestRejectedException Unclear(string what, string[] names) => new(RejectionCode.SheetUnclear,
        names.Length == 0 ? what
            : $"{what} The sheets with rows are: {string.Join(", ", names.Select(FindingMask.Mask))}. Choose the one to import, for "
                + $"example sheet={FindingMask.Mask(names[0])}.",
        candidates: names);
}

/// <summary>Reads the rows of a sheet one at a time.</summary>
internal sealed class SheetRows(Workbook workbook, WorkbookSheet sheet) : IDisposable
{
    private readonly XmlReader xml = workbook.Open(sheet);
    private readonly List<SheetCell> cells = [];
    private long line;

    /// <summary>The next row with a value in it; null at the end.</summary>
    public SheetRow? Next()
    {
        while (GuardedXml.Next(xml))
        {
            if (xml.NodeType == XmlNodeType.EndElement && xml.LocalName == "sheetData")
                return null;
            if (xml.NodeType != XmlNodeType.Element || xml.LocalName != "row")
                continue;
            workbook.Cancellation.ThrowIfCancellationRequested();
            line = long.TryParse(xml.GetAttribute("r"), NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number > line
                ? number : line + 1;
            ReadCells();
            if (cells.Count > 0)
                return new SheetRow(line, cells.ToArray());
        }

        return null;
    }

    public void Dispose() => xml.Dispose();

    private void ReadCells()
    {
        cells.Clear();
        if (xml.IsEmptyElement)
            return;
        var column = -1;
        for (var depth = xml.Depth; GuardedXml.Next(xml) && xml.Depth > depth;)
        {
            if (xml.NodeType != XmlNodeType.Element || xml.LocalName != "c")
                continue;
            column = Column(xml.GetAttribute("r")) is { } named && named > column ? named : column + 1;
            if (Cell(column) is not { } cell)
                continue;
            if (column >= ManifestReader.MaxColumns)
                throw new ManifestRejectedException(RejectionCode.TooManyColumns,
                    $"Row {line} of the sheet has a value in column {column + 1:N0}, and a manifest has at most "
                        + $"{ManifestReader.MaxColumns:N0} columns. Delete what is not needed and upload it again.", line: line);
            cells.Add(cell);
        }
    }

    private SheetCell? Cell(int column)
    {
        var type = xml.GetAttribute("t");
        var style = int.TryParse(xml.GetAttribute("s"), NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : 0;
        if (xml.IsEmptyElement)
            return null;
        var value = "";
        for (var depth = xml.Depth; GuardedXml.Next(xml) && xml.Depth > depth;)
        {
            if (xml.NodeType != XmlNodeType.Element)
                continue;
            // A formula (f) is passed over: what it last gave is the value.
            if (xml.LocalName == "v" && type != "inlineStr")
                value = GuardedXml.Text(xml);
            else if (xml.LocalName == "is" && type == "inlineStr")
                value = SheetText.Of(xml);
        }

        if (value.Length == 0)
            return null;
        switch (type)
        {
            case "s":
                return int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var shared)
                    ? Text(workbook.Texts[shared]) : throw Workbook.Damaged();
            case "str":
                return Text(SheetText.Unescaped(value));
            case "inlineStr" or "d":
                return Text(value);
            case "b":
                var isTrue = value is "1" or "true";
                return new(column, CellKind.Boolean, isTrue ? "1" : "0", isTrue ? "TRUE" : "FALSE", null);
            case "e" when value is "#N/A" or "#REF!" or "#VALUE!" or "#NAME?" or "#DIV/0!" or "#NULL!" or "#NUM!":
                return new(column, CellKind.Error, value, value, null);
            case "e":
                return Text(value);
            case not null and not "n":
                throw Workbook.Damaged();
            default:
                if (!double.TryParse(value, NumberStyles.Float, CultureInfo.InvariantCulture, out _)) return Text(value);
                var format = workbook.Formats.Of(style);
                return new(column, CellKind.Number, value, workbook.Formats.Shown(value, format), format);
        }

        SheetCell? Text(string text) => text.Length == 0 ? null : new(column, CellKind.Text, text, text, null);
    }

    /// <summary>The 27 of <c>AB12</c>, from 0; null when it says none.</summary>
    private static int? Column(string? reference)
    {
        var column = 0;
        foreach (var c in reference ?? "")
        {
            if (!char.IsAsciiLetterUpper(c))
                break;
            column = column * 26 + (c - 'A' + 1);
            if (column > 1 << 20)
                break;
        }

        return column == 0 ? null : column - 1;
    }
}
