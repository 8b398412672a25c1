using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using BulkImporter.Manifests;
using Cincopa.Client;

namespace BulkImporter.Export;

/// <summary>One format of the result file.</summary>
internal interface IResultWriter : IDisposable
{
    void WriteHeader();

    void WriteRow(ManifestRow row, in RowResult result);

    /// <summary>Hands on what is still held back.</summary>
    void Complete()
    {
    }

    void IDisposable.Dispose()
    {
    }
}

/// <summary>
/// A sheet of the rows: the cells of a workbook as they were in it, those of any other manifest as texts, and behind them what became of
/// each row. A formula is the value that it last had.
/// </summary>
internal sealed class WorkbookResults(ManifestLayout layout, bool isWhole, IBufferWriter<byte> output) : IResultWriter
{
    private readonly WorkbookWriter sheet = new(output, layout.Sheet ?? "Results", layout.Uses1904Dates);
    private readonly IReadOnlyList<int> originals = layout.OriginalColumns;
    private readonly object?[] values = new object?[ManifestFormat.ResultColumns.Count];

    public void WriteHeader()
    {
        foreach (var index in originals)
            WriteText(layout.HasHeader && layout.RawHeader[index].Length == 0 ? null : layout.NameInResults(index));
        foreach (var name in ManifestFormat.ResultColumns) sheet.Text(name);
        sheet.EndRow();
    }

    public void WriteRow(ManifestRow row, in RowResult result)
    {
        var cells = (row.Original as SheetRow)?.Cells;
        foreach (var index in originals)
        {
            if (layout.Corrected(index, result.Corrected) is { } value) WriteText(value);
            else WriteCell(row, cells, index);
        }
        result.WriteTo(values, row.RowNumber);
        foreach (var value in values)
        {
            if (value is int or long or double) sheet.Number((IFormattable)value);
            else WriteText(RowResult.Text(value));
        }
        for (var index = layout.Columns.Count; index < row.FieldCount; index++) WriteCell(row, cells, index);
        sheet.EndRow();
    }

    public void Complete() => sheet.Complete();

    public void Dispose() => sheet.Dispose();

    private void WriteCell(ManifestRow row, IReadOnlyList<SheetCell>? cells, int index)
    {
        if (cells is null)
        {
            WriteText(row.GetString(index));
            return;
        }
        foreach (var cell in cells)
        {
            if (cell.Column != index) continue;
            if (cell.Kind == CellKind.Text) WriteText(cell.Raw);
            else sheet.Cell(cell);
            return;
        }
        sheet.Text(null);
    }

    private void WriteText(string? text) => sheet.Text(isWhole || text is null ? text : Redact.Secrets(text));
}

/// <summary>
/// The columns of the CSV form as the members of one object a line, the original ones as text. Two columns of one name become
/// <c>name</c> and <c>name (2)</c>, for most readers keep only one of two equal members; fields beyond the header are <c>column N</c>.
/// </summary>
internal sealed class JsonLineResults : IResultWriter
{
    /// <summary>A long cell goes out in pieces: in one it would take a buffer of six times its length, which the pool keeps.</summary>
    private const int Piece = 16 * 1024;

    private readonly IBufferWriter<byte> output;
    private readonly bool isWhole;
    private readonly Utf8JsonWriter json;
    private readonly ManifestLayout layout;
    private readonly (int Index, JsonEncodedText Name)[] originals;
    private readonly Dictionary<string, (int Index, JsonEncodedText Name)> byName = [];
    private readonly object?[] values = new object?[ManifestFormat.ResultColumns.Count];
    private readonly JsonEncodedText[] names = [.. ManifestFormat.ResultColumns.Select(n => JsonEncodedText.Encode(n))];
    private readonly int columnCount;

    public JsonLineResults(ManifestLayout layout, bool isWhole, IBufferWriter<byte> output)
    {
        this.output = output;
        this.isWhole = isWhole;
        this.layout = layout;
        // The file is no web page: text stays readable.
        json = new Utf8JsonWriter(output, new JsonWriterOptions
        { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true });
        columnCount = layout.Columns.Count;
        var taken = new HashSet<string>(ManifestFormat.ResultColumns);
        var times = new Dictionary<string, int>();
        originals = [.. layout.OriginalColumns.Select(i => (i, isWhole ? layout.Columns[i] : Redact.Secrets(layout.Columns[i])))
            .Select(c => (c.i, JsonEncodedText.Encode(Unique(c.Item2, taken, times), JavaScriptEncoder.UnsafeRelaxedJsonEscaping)))];
        foreach (var column in originals) byName.TryAdd(layout.Columns[column.Index], column);
    }

    public void WriteHeader()
    {
    }

    public void WriteRow(ManifestRow row, in RowResult result)
    {
        json.WriteStartObject();
        if (row.Original is JsonLine line)
            WriteMembers(line, result.Corrected);
        else
            WriteCells(row, result.Corrected);
        result.WriteTo(values, row.RowNumber);
        for (var i = 0; i < values.Length; i++)
        {
            switch (values[i])
            {
                case int number: json.WriteNumber(names[i], number); break;
                case long number: json.WriteNumber(names[i], number); break;
                case double number: json.WriteNumber(names[i], number); break;
                case bool yes: json.WriteBoolean(names[i], yes); break;
                case DateTimeOffset time: json.WriteString(names[i], time); break;
                case var text: json.WriteString(names[i], (string?)text); break;
            }
        }
        json.WriteEndObject();
        json.Flush();
        output.Write("\n"u8);
        json.Reset();
    }

    public void Complete() => json.Flush();

    public void Dispose() => json.Dispose();

    private void WriteCells(ManifestRow row, IReadOnlyDictionary<ManifestColumn, string>? corrected)
    {
        foreach (var (index, name) in originals)
        {
            if (layout.Corrected(index, corrected) is { } value) WriteText(name, Encoding.UTF8.GetBytes(value));
            else WriteText(name, row.Field(index));
        }
        for (var index = columnCount; index < row.FieldCount; index++)
            WriteText(JsonEncodedText.Encode($"column {index + 1}"), row.Field(index));
    }

    /// <summary>
    /// The members of a line as they stand there, with numbers, lists and what else a cell would only tell of; those of an earlier result
    /// give way to the new ones.
    /// </summary>
    private void WriteMembers(JsonLine line, IReadOnlyDictionary<ManifestColumn, string>? corrected)
    {
        using var document = JsonDocument.Parse(line.Object);
        var left = originals.Where(o => layout.Corrected(o.Index, corrected) is not null).ToDictionary(o => layout.Columns[o.Index]);
        foreach (var member in document.RootElement.EnumerateObject())
        {
            if (left.Remove(member.Name, out var column))
                WriteText(column.Name, Encoding.UTF8.GetBytes(layout.Corrected(column.Index, corrected)!));
            else if (byName.TryGetValue(member.Name, out column))
                WriteMember(column.Name, member.Value);
            // One that came too late to be a column.
            else if (!ManifestFormat.ResultColumns.Contains(member.Name))
                WriteMember(member);
        }
        foreach (var (index, name) in left.Values)
            WriteText(name, Encoding.UTF8.GetBytes(layout.Corrected(index, corrected)!));
    }

    private void WriteMember(JsonEncodedText name, JsonElement value)
    {
        json.WritePropertyName(name);
        if (isWhole) value.WriteTo(json);
        else WriteMasked(value);
    }

    private void WriteMember(JsonProperty member)
    {
        if (isWhole) member.WriteTo(json);
        else
        {
            json.WritePropertyName(Redact.Secrets(member.Name));
            WriteMasked(member.Value);
        }
    }

    private void WriteMasked(JsonElement value)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.String:
                json.WriteStringValue(Redact.Secrets(value.GetString()!));
                break;
            case JsonValueKind.Object:
                json.WriteStartObject();
                foreach (var member in value.EnumerateObject()) WriteMember(member);
                json.WriteEndObject();
                break;
            case JsonValueKind.Array:
                json.WriteStartArray();
                foreach (var item in value.EnumerateArray()) WriteMasked(item);
                json.WriteEndArray();
                break;
            default:
                value.WriteTo(json);
                break;
        }
    }

    /// <param name="taken">The names that columns before it have got.</param>
    /// <param name="times">How often each name was met, so that the next one of that name need not try all numbers again.</param>
    private static string Unique(string name, HashSet<string> taken, Dictionary<string, int> times)
    {
        while (true)
        {
            var number = times[name] = times.GetValueOrDefault(name) + 1;
            var unique = number == 1 ? name : $"{name} ({number})";
            if (taken.Add(unique)) return unique;
        }
    }

    private void WriteText(JsonEncodedText name, ReadOnlySpan<byte> value)
    {
        json.WritePropertyName(name);
        var text = isWhole ? value : Encoding.UTF8.GetBytes(Redact.Secrets(Encoding.UTF8.GetString(value)));
        for (; text.Length > Piece; text = text[Piece..]) json.WriteStringValueSegment(text[..Piece], isFinalSegment: false);
        json.WriteStringValueSegment(text, isFinalSegment: true);
    }
}
