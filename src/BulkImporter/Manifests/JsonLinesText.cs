using System.Text.Json;

namespace BulkImporter.Manifests;

/// <summary>A line of a JSON-lines file.</summary>
internal sealed record JsonLine(long Line, ReadOnlyMemory<byte> Object) : OriginalRow(Line);

/// <summary>
/// JSON lines as CSV text: the members' names are the header, in the order in which they are met. A list of plain values reads as these
/// with commas between them, which is how tags are written; anything deeper reads as its JSON.
/// </summary>
internal sealed class JsonLinesText : RowsAsText
{
    /// <summary>The columns are the members that the lines have in so many bytes of the beginning.</summary>
    private const int HeaderSample = 512 * 1024;

    private readonly ManifestText lines;
    private readonly Dictionary<string, int> columns = [];
    private string?[] values = [];
    private long position;
    private long line;
    private bool hasHeader;

    private JsonLinesText(ManifestText lines)
        : base(FileFormat.Jsonl) => this.lines = lines;

    /// <summary>Whether the file's first line is a JSON object.</summary>
    /// <param name="text">The beginning of the file.</param>
    /// <param name="isWhole">Nothing follows.</param>
    public static bool Is(ReadOnlySpan<byte> text, bool isWhole)
    {
        text = text.TrimStart(" \t\r\n"u8);
        if (text is not [(byte)'{', ..])
            return false;
        var end = text.IndexOf((byte)'\n');
        var first = end < 0 ? text : text[..end];
        try
        {
            var reader = new Utf8JsonReader(first, isFinalBlock: isWhole || end >= 0, default);
            var tokens = 0;
            for (; reader.Read(); tokens++)
            {
            }

            // A first line that is longer than what is here shows at least its first name; the value may be what is long.
            return reader.CurrentDepth == 0 || tokens >= 2;
        }
        catch (JsonException)
        {
            // A header may begin with such a bracket, and JSON in several lines does; both are named elsewhere.
            return false;
        }
    }

    /// <param name="lines">The file as text, from its beginning. It is disposed of with this.</param>
    /// <exception cref="ManifestRejectedException">A line cannot be read.</exception>
    public static async Task<JsonLinesText> OpenAsync(ManifestText lines, CancellationToken cancellationToken)
    {
        // The first line as a whole, for it may be longer than that.
        while ((lines.Kept(0).Length < HeaderSample || !lines.Kept(0).Contains((byte)'\n')) && lines.Kept(0).Length <= LongestRecord
            && await lines.FillAsync(cancellationToken))
        {
        }
        if (lines.Kept(0).Length > LongestRecord && !lines.Kept(0).Contains((byte)'\n'))
            throw TooLong(1);

        var text = new JsonLinesText(lines);
        text.TakeColumns();
        return text;
    }

    protected override async ValueTask<bool> WriteRowsAsync(CancellationToken cancellationToken)
    {
        if (!hasHeader)
        {
            hasHeader = true;
            Write(new JsonLine(1, default), [.. columns.Keys]);
            return true;
        }

        while (await NextLineAsync(cancellationToken) is { } found)
        {
            if (found.Span.Trim(" \t\r"u8).IsEmpty)
                continue;
            var row = new JsonLine(line, Mended(found.Span));
            ReadValues(row.Object.Span);
            Write(row, values);
            return true;
        }

        return false;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            lines.Dispose();
        base.Dispose(disposing);
    }

    private void TakeColumns()
    {
        var sample = lines.Kept(0);
        for (var number = 1L; !sample.IsEmpty; number++)
        {
            var end = sample.IndexOf((byte)'\n');
            if (end < 0 && !lines.Ended && columns.Count > 0)
                break; // the sample may cut it
            var one = (end < 0 ? sample : sample[..end]).Trim(" \t\r"u8);
            if (!one.IsEmpty)
            {
                line = number;
                foreach (var (name, _) in Members(Mended(one), isWhole: end >= 0 || lines.Ended))
                    columns.TryAdd(name, columns.Count);
                if (columns.Count > ManifestReader.MaxColumns)
                    throw new ManifestRejectedException(RejectionCode.TooManyColumns,
                        $"The lines up to {number} have {columns.Count:N0} different members, and a manifest has at most "
                            + $"{ManifestReader.MaxColumns:N0} columns.", line: number);
            }

            sample = end < 0 ? default : sample[(end + 1)..];
        }

        line = 0;
        values = new string?[columns.Count];
    }

    private async ValueTask<ReadOnlyMemory<byte>?> NextLineAsync(CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        lines.Rewind(position);
        lines.Release(position);
        var looked = 0;
        while (true)
        {
            var kept = lines.KeptMemory(position);
            var end = kept.Span[looked..].IndexOf((byte)'\n');
            if (end < 0 && kept.Length <= LongestRecord && await lines.FillAsync(cancellationToken))
            {
                looked = kept.Length;
                continue;
            }

            if (kept.IsEmpty)
                return null;
            line++;
            if (end < 0 && !lines.Ended)
                throw TooLong(line);
            var length = end < 0 ? kept.Length : looked + end;
            position += length + (end < 0 ? 0 : 1);
            return kept[..length];
        }
    }

    private void ReadValues(ReadOnlySpan<byte> text)
    {
        Array.Clear(values);
        foreach (var (name, value) in Members(text, isWhole: true))
        {
            if (columns.TryGetValue(name, out var column))
                values[column] = value;
            else if (ManifestFormat.TargetNamed(name) is not null)
                throw new ManifestRejectedException(RejectionCode.JsonDamaged,
                    $"Line {line} has the member \"{FindingMask.Mask(name)}\", which no line in the first half MB of the file has. Name it "
                        + "in the first line too, with the value null.", line: line);
        }
    }

    /// <summary>
    /// The line with U+FFFD in place of each half of a surrogate pair that stands alone: programs that cut a text in the middle of a sign
    /// leave one.
    /// </summary>
    private static byte[] Mended(ReadOnlySpan<byte> line)
    {
        var text = line.ToArray();
        for (var at = 0; text.AsSpan(at).IndexOf((byte)'\\') is var next and >= 0;)
        {
            at += next;
            var isHigh = IsHighHalf(text.AsSpan(at));
            if (isHigh == true && IsHighHalf(text.AsSpan(at + 6)) == false)
            {
                at += 12;
                continue;
            }

            if (isHigh is not null)
                "\\ufffd"u8.CopyTo(text.AsSpan(at));
            at = Math.Min(at + 2, text.Length);
        }

        return text;
    }

    /// <summary>Whether a text begins with the escape of the first half of a surrogate pair, or of the second; null for neither.</summary>
    private static bool? IsHighHalf(ReadOnlySpan<byte> text) =>
        text is not [(byte)'\\', (byte)'u', (byte)'d' or (byte)'D', var which, _, _, ..] ? null : (char)which switch
        {
            '8' or '9' or 'a' or 'b' or 'A' or 'B' => true,
            (>= 'c' and <= 'f') or (>= 'C' and <= 'F') => false,
            _ => null,
        };

    /// <summary>The members of the object in a line, with their values as text.</summary>
    private List<(string Name, string? Value)> Members(ReadOnlySpan<byte> text, bool isWhole)
    {
        var members = new List<(string, string?)>();
        try
        {
            var reader = new Utf8JsonReader(text, isWhole, default);
            if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
                throw Damaged("is not a JSON object");
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                var name = reader.GetString()!;
                if (!reader.Read())
                    return members;
                members.Add((name, Value(ref reader, text)));
            }

            // What stands behind the object is an error of the reader's own.
            while (reader.Read())
            {
            }

            return members;
        }
        catch (Exception damaged) when (damaged is JsonException or InvalidOperationException)
        {
            throw Damaged("cannot be read as JSON");
        }
    }

    private static string? Value(ref Utf8JsonReader reader, ReadOnlySpan<byte> text)
    {
        switch (reader.TokenType)
        {
            case JsonTokenType.Null:
                return null;
            case JsonTokenType.String:
                return reader.GetString();
            case JsonTokenType.StartObject or JsonTokenType.StartArray:
                var from = (int)reader.TokenStartIndex;
                var isList = reader.TokenType == JsonTokenType.StartArray;
                var list = new List<string>();
                for (var depth = reader.CurrentDepth; reader.Read() && reader.CurrentDepth > depth;)
                {
                    isList &= reader.TokenType is JsonTokenType.String or JsonTokenType.Number;
                    if (isList)
                        list.Add(Plain(ref reader));
                }

                return isList ? string.Join(',', list) : Encoding.UTF8.GetString(text[from..(int)reader.BytesConsumed]);
            default:
                return Plain(ref reader);
        }
    }

    private static string Plain(ref Utf8JsonReader reader) =>
        reader.TokenType == JsonTokenType.String ? reader.GetString()! : Encoding.UTF8.GetString(reader.ValueSpan);

    private ManifestRejectedException Damaged(string what) => new(RejectionCode.JsonDamaged,
        $"Line {line} {what}. In a file of JSON lines each line is one object; export the file again, or remove the line.", line: line);
}
