namespace BulkImporter.Manifests;

/// <summary>The kinds of file that a manifest can be, and that results are written as.</summary>
public enum FileFormat
{
    /// <summary>Lines of text whose fields a separator parts: CSV, TSV, Kaltura's list and that of Storage Transfer Service.</summary>
    Csv,

    /// <summary>A workbook of Excel or a program like it; one sheet of it is the manifest.</summary>
    Xlsx,

    /// <summary>One JSON object a line.</summary>
    Jsonl,
}

/// <summary>What was found out about a manifest before its first data row.</summary>
public sealed class ManifestLayout
{
    private readonly int[] indexes = [];

    /// <summary>The header names as the file has them; <c>column3</c>, by its place, where there is none, or no header at all.</summary>
    public required IReadOnlyList<string> Columns { get; init; }

    /// <summary>Which column (index into <see cref="Columns"/>) is what. The URL is always there.</summary>
    public required IReadOnlyDictionary<ManifestColumn, int> Mapping
    {
        get;
        init
        {
            field = value;
            indexes = [.. Enum.GetValues<ManifestColumn>().Select(target => value.TryGetValue(target, out var index) ? index : -1)];
        }
    }

    /// <summary>The columns whose first values are URLs: what the review page offers.</summary>
    public required IReadOnlySet<int> UrlLikeColumns { get; init; }

    /// <summary>What the file is. Of all but CSV what is said below of its text is said of the text that its rows mean.</summary>
    public required FileFormat Format { get; init; }

    /// <summary>The sheet of the workbook that is read; null of any other file.</summary>
    public string? Sheet { get; init; }

    /// <summary>The sheets of the workbook that have rows.</summary>
    public IReadOnlyList<string> Sheets { get; init; } = [];

    /// <summary>The workbook counts its days from 1904 on.</summary>
    internal bool Uses1904Dates { get; init; }

    public required bool HasHeader { get; init; }

    public required char Separator { get; init; }

    /// <summary>"\r\n", "\n" or "\r", as the first line break outside quotes.</summary>
    public required string LineEnding { get; init; }

    /// <summary>"utf-8", "utf-16le", "utf-16be" or "windows-1252".</summary>
    public required string EncodingName { get; init; }

    public required bool HasByteOrderMark { get; init; }

    /// <summary>Whether the manifest is an export of ours.</summary>
    public bool IsResultFile => ResultColumnIndexes.Count > 0;

    /// <summary>
    /// Whether it is one with guarded cells, which are then read as what they were. In the other formats a text is never a formula, and
    /// needs no guard.
    /// </summary>
    internal bool IsGuarded => IsResultFile && Format == FileFormat.Csv;

    /// <summary>The columns that the earlier export added; they are no original columns.</summary>
    public required IReadOnlySet<int> ResultColumnIndexes { get; init; }

    /// <summary>The columns that a result file repeats: all but those.</summary>
    internal IReadOnlyList<int> OriginalColumns =>
        [.. Enumerable.Range(0, Columns.Count).Where(index => !ResultColumnIndexes.Contains(index))];

    /// <summary>A column's name in a result file. Where there was no header, one that is read has the name of what it is read as.</summary>
    internal string NameInResults(int index) => HasHeader ? Columns[index]
        : Mapping.Where(mapped => mapped.Value == index).Select(mapped => ManifestFormat.Name(mapped.Key)).FirstOrDefault()
            ?? Columns[index];

    /// <summary>The value that a column has by correction; null when it has none.</summary>
    internal string? Corrected(int index, IReadOnlyDictionary<ManifestColumn, string>? corrected)
    {
        if (corrected is null)
            return null;
        foreach (var (target, column) in Mapping)
        {
            if (column == index && corrected.TryGetValue(target, out var value))
                return value;
        }

        return null;
    }

    /// <summary>Where a column that an export adds stands; -1 when this is no export of ours.</summary>
    internal int ResultColumn(string name)
    {
        foreach (var index in ResultColumnIndexes)
        {
            if (ManifestFormat.Plain(Columns[index]) == name)
                return index;
        }

        return -1;
    }

    /// <summary>
    /// The fields of most rows, when those are more than there are columns: some programs end each line with a separator.
    /// </summary>
    internal int RowWidth { get; init; }

    /// <summary>
    /// The line before the table that a program reads: Excel's <c>sep=;</c>, the name of Storage Transfer Service's format. Without its
    /// line break; empty when there is none.
    /// </summary>
    internal string Preface { get; init; } = "";

    /// <summary>The lines before the header that are not read; a result file leaves them out.</summary>
    internal IReadOnlyList<SkippedLine> SkippedLines { get; init; } = [];

    /// <summary>The header's fields exactly as they stand in the file, quotes included; empty without a header.</summary>
    internal IReadOnlyList<byte[]> RawHeader { get; init; } = [];

    /// <summary>The column of a target; -1 when the manifest has none.</summary>
    public int IndexOf(ManifestColumn target) => indexes[(int)target];

    /// <summary>The manifest's name for a target's column; null when it has none.</summary>
    public string? ColumnOf(ManifestColumn target) => IndexOf(target) is var index and >= 0 ? Columns[index] : null;

    internal byte SeparatorByte => (byte)Separator;

    internal byte[] LineEndingBytes => Encoding.UTF8.GetBytes(LineEnding);
}
