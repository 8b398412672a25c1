using System.Buffers;

namespace BulkImporter.Manifests;

/// <summary>A row as it stands in a file that is no text of separated fields.</summary>
/// <param name="Line">The 1-based row of the sheet, or line of the file.</param>
internal abstract record OriginalRow(long Line);

/// <summary>
/// A file of another format as the CSV text that its rows mean, so that everything that reads a manifest reads any of them: UTF-8, commas,
/// one record a row, quotes where they are needed. Beside each record it keeps the row that it was made of, until the reader is past it.
/// </summary>
/// <param name="format">What the file is.</param>
internal abstract class RowsAsText(FileFormat format) : ForwardStream
{
    /// <summary>The longest record, in bytes: what is longer is no row of a list, and would be taken for a damaged one.</summary>
    protected const int LongestRecord = 4_000_000;

    private static readonly SearchValues<char> NeedQuotes = SearchValues.Create(",\"\r\n");

    private readonly ArrayBufferWriter<byte> text = new();
    private readonly Queue<(long Start, OriginalRow Row)> rows = new();
    private OriginalRow? current;
    private int given;
    private long start;

    public FileFormat Format => format;

    /// <summary>The row that the record at a place of the text was made of. Those before it are forgotten.</summary>
    public OriginalRow RowAt(long offset)
    {
        while (rows.TryPeek(out var next) && next.Start <= offset)
            current = rows.Dequeue().Row;
        return current!;
    }

    /// <summary>The line of the file that the record at a place of the text was made of. Nothing is forgotten.</summary>
    public long LineAt(long offset)
    {
        var line = current?.Line ?? 1;
        foreach (var (from, row) in rows)
        {
            if (from > offset)
                break;
            line = row.Line;
        }

        return line;
    }

    public sealed override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        while (given == text.WrittenCount)
        {
            start += given;
            given = 0;
            text.ResetWrittenCount();
            if (!await WriteRowsAsync(cancellationToken))
                return 0;
        }

        var count = Math.Min(buffer.Length, text.WrittenCount - given);
        text.WrittenMemory.Slice(given, count).CopyTo(buffer);
        given += count;
        return count;
    }

    /// <summary>Writes the next row, or a few; false at the end of the file.</summary>
    /// <exception cref="ManifestRejectedException">From here on the file cannot be read.</exception>
    protected abstract ValueTask<bool> WriteRowsAsync(CancellationToken cancellationToken);

    /// <summary>Writes one row as a record.</summary>
    /// <param name="values">Its values by column; null is an empty one.</param>
    protected void Write(OriginalRow row, ReadOnlySpan<string?> values)
    {
        var from = text.WrittenCount;
        rows.Enqueue((start + from, row));
        for (var column = 0; column < values.Length; column++)
        {
            if (column > 0)
                text.Write(","u8);
            if (values[column] is { Length: > 0 } value)
                Write(value);
        }

        text.Write("\n"u8);
        if (text.WrittenCount - from > LongestRecord)
            throw TooLong(row.Line);
    }

    protected static ManifestRejectedException TooLong(long line) => new(RejectionCode.RowTooLong,
        $"Row {line} of the file is longer than {LongestRecord / 1_000_000} MB: this is not a manifest.", line: line);

    private void Write(string value)
    {
        if (value.AsSpan().IndexOfAny(NeedQuotes) < 0 && value is not [' ' or '\t', ..] and not [.., ' ' or '\t'])
            Encoding.UTF8.GetBytes(value, text);
        else
            Encoding.UTF8.GetBytes($"\"{value.Replace("\"", "\"\"", StringComparison.Ordinal)}\"", text);
    }
}
