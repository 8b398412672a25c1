using System.Buffers;
using BulkImporter.Manifests;
using BulkImporter.Records;
using Cincopa.Client;

namespace BulkImporter.Export;

/// <summary>What became of a row: the values of <see cref="ManifestFormat.ResultColumns"/> behind the row's number.</summary>
public readonly record struct RowResult(
    string State,
    string? StatusId = null,
    string? Rid = null,
    int Attempts = 0,
    string? ErrorCode = null,
    string? Error = null,
    DateTimeOffset? SubmittedAt = null,
    DateTimeOffset? FinishedAt = null)
{
    /// <summary>What is known of its asset; null when it has none.</summary>
    public AssetView? Asset { get; init; }

    /// <summary>Values that a person replaced after the import was made, by target; null for nearly every row.</summary>
    public IReadOnlyDictionary<ManifestColumn, string>? Corrected { get; init; }

    /// <summary>The values of <see cref="ManifestFormat.ResultColumns"/> in their order: texts, numbers, times, true or false.</summary>
    internal void WriteTo(object?[] values, int rowNumber)
    {
        (values[0], values[1], values[2], values[3], values[4]) = (rowNumber, State, StatusId, Rid, Attempts);
        (values[5], values[6], values[7], values[8]) = (ErrorCode, Error, SubmittedAt, FinishedAt);
        (values[9], values[10], values[11], values[12]) = (Asset?.HlsUrl, Asset?.EmbedUrl, Asset?.FileUrl, Asset?.ThumbnailUrl);
        (values[13], values[14]) = (Asset?.Fid, Asset?.Playable);
        values[15] = Asset is { } asset ? EnumText<Arrival>.Of(asset.Arrival) : null;
        (values[16], values[17]) = (Asset?.ExpectedBytes, Asset?.SizeBytes);
        (values[18], values[19], values[20]) = (Asset?.ExpectedSeconds, Asset?.Seconds, Asset?.SentSha256);
    }

    /// <summary>Such a value as other programs read it; null for none.</summary>
    internal static string? Text(object? value) => value switch
    {
        bool yes => yes ? "true" : "false",
        DateTimeOffset time => time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture),
        IFormattable number => number.ToString(null, CultureInfo.InvariantCulture),
        _ => (string?)value,
    };
}

/// <summary>
/// Writes the result file: each row of the manifest as it stands there, then what became of it. UTF-8, with the manifest's separator and
/// line ending, and a byte order mark if it had one.
/// </summary>
/// <remarks>
/// The original fields are repeated byte for byte, quotes included, with four exceptions: a value that was corrected is the one that was
/// sent, so that the file says what was imported and can be uploaded again; a cell that a spreadsheet would run gets its
/// <see cref="FormulaGuard"/>; the rest of a line with an unclosed quote becomes one quoted value that holds that quote as text; a row
/// with too few fields is filled up. Fields beyond the header's columns move behind the result columns, so that those stay under their
/// names. Of a line that stood in quotes as a whole, what was in them is the row. Lines before the header that are no part of the table are
/// left out. A manifest that is itself a result file gets new result columns in place of its old ones. Without a header one is made, in
/// which a mapped column has its canonical name. The caller flushes <paramref name="output"/> whenever it likes.
/// </remarks>
/// <param name="isWhole">False takes the secrets out of every value (<see cref="Redact.Secrets"/>).</param>
public sealed class ResultRowWriter(ManifestLayout layout, IBufferWriter<byte> output, bool isWhole = true) : IResultWriter
{
    private readonly byte separator = layout.SeparatorByte;
    private readonly byte[] lineEnding = layout.LineEndingBytes;
    private readonly IReadOnlyList<int> originals = layout.OriginalColumns;
    private readonly SearchValues<byte> needQuotes = SearchValues.Create([layout.SeparatorByte, (byte)'"', (byte)'\r', (byte)'\n']);
    private readonly object?[] values = new object?[ManifestFormat.ResultColumns.Count];
    private bool inRow;

    /// <summary>Byte order mark, Excel's separator line, header: whatever the manifest had of them. Call once, first.</summary>
    public void WriteHeader()
    {
        if (layout.HasByteOrderMark)
            output.Write("\uFEFF"u8);
        if (layout.Preface.Length > 0)
        {
            output.Write(Encoding.UTF8.GetBytes(layout.Preface));
            output.Write(lineEnding);
        }

        foreach (var index in originals)
        {
            if (layout.HasHeader)
                WriteOriginal(layout.RawHeader[index]);
            else
                WriteValue(layout.NameInResults(index));
        }

        foreach (var name in ManifestFormat.ResultColumns)
            WriteValue(name);
        EndRow();
    }

    public void WriteRow(ManifestRow row, in RowResult result)
    {
        WriteOriginals(row, result.Corrected);
        result.WriteTo(values, row.RowNumber);
        foreach (var value in values)
            WriteValue(RowResult.Text(value));
        for (var index = layout.Columns.Count; index < row.FieldCount; index++)
            WriteField(row, index);
        EndRow();
    }

    private void WriteOriginals(ManifestRow row, IReadOnlyDictionary<ManifestColumn, string>? corrected)
    {
        if (isWhole && corrected is null && row.FieldCount == originals.Count && !layout.IsResultFile && !row.IsCut && !AnyNeedsGuard(row))
        {
            output.Write(row.RawText);
            inRow = true;
            return;
        }

        foreach (var index in originals)
        {
            if (layout.Corrected(index, corrected) is { } value)
                WriteValue(value);
            else
                WriteField(row, index);
        }
    }

    private bool AnyNeedsGuard(ManifestRow row)
    {
        for (var index = 0; index < row.FieldCount; index++)
        {
            var raw = row.RawField(index);
            if (NeedsGuard(raw, isFirst: index == 0) || FormulaGuard.NextInner(raw, separator, 0) >= 0)
                return true;
        }

        return false;
    }

    private void WriteField(ManifestRow row, int index)
    {
        // The cut line's last field holds the unclosed quote.
        if (row.IsCut && index == row.FieldCount - 1)
            WriteValue(Encoding.UTF8.GetString(row.RawField(index)));
        else
            WriteOriginal(row.RawField(index));
    }

    /// <summary>A field as it stands in the manifest, with an apostrophe put in front of its text where that is needed.</summary>
    private void WriteOriginal(ReadOnlySpan<byte> raw)
    {
        var isFirst = !inRow;
        Separate();
        // A secret holds no quote, so a quoted field stays one.
        if (!isWhole)
            raw = Encoding.UTF8.GetBytes(Redact.Secrets(Encoding.UTF8.GetString(raw)));
        // What stands around the quotes of a field is not its text: a guard goes behind both. A tab there begins a cell for whoever splits
        // by tabs.
        var around = raw[..^raw.TrimStart(" \t"u8).Length];
        var needsGuard = NeedsGuard(raw, isFirst || around.Contains((byte)'\t'));
        output.Write(around);
        raw = raw[around.Length..];
        if (raw is [(byte)'"', ..])
        {
            output.Write("\""u8);
            raw = raw[1..];
        }

        if (needsGuard)
            output.Write("'"u8);
        FormulaGuard.WriteInner(raw, separator, layout.IsGuarded, output);
    }

    /// <summary>Whether the field's text would be run. In an export of ours a guarded cell has its guard already.</summary>
    private bool NeedsGuard(ReadOnlySpan<byte> raw, bool isFirst)
    {
        raw = raw.Trim(" \t"u8);
        var text = raw is [(byte)'"', ..] ? raw[1..].TrimEnd((byte)'"') : raw;
        return FormulaGuard.NeedsGuard(text, isFirst) && !(layout.IsGuarded && FormulaGuard.IsGuarded(text));
    }

    private void WriteValue(string? value)
    {
        Separate();
        if (string.IsNullOrEmpty(value))
            return;
        var text = Encoding.UTF8.GetBytes(FormulaGuard.Guard(isWhole ? value : Redact.Secrets(value), separator));
        if (text.AsSpan().IndexOfAny(needQuotes) < 0 && text[0] is not ((byte)' ' or (byte)'\t')
            && text[^1] is not ((byte)' ' or (byte)'\t'))
        {
            output.Write(text);
            return;
        }

        output.Write("\""u8);
        ReadOnlySpan<byte> rest = text;
        for (var quote = rest.IndexOf((byte)'"'); quote >= 0; quote = rest.IndexOf((byte)'"'))
        {
            output.Write(rest[..(quote + 1)]);
            output.Write("\""u8);
            rest = rest[(quote + 1)..];
        }

        output.Write(rest);
        output.Write("\""u8);
    }

    private void Separate()
    {
        if (inRow)
            output.Write([separator]);
        inRow = true;
    }

    private void EndRow()
    {
        output.Write(lineEnding);
        inRow = false;
    }
}
