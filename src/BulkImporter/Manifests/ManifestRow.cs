using CsvHelper;

namespace BulkImporter.Manifests;

/// <summary>
/// One data row, valid until the next <see cref="ManifestReader.ReadAsync"/>: the reader uses one object for all rows,
/// and its spans point into the read buffer.
/// </summary>
public sealed class ManifestRow
{
    private CsvReader csv;
    private IReadOnlyDictionary<ManifestColumn, string>? corrected;

    internal ManifestRow(ManifestLayout layout, CsvReader csv)
    {
        Layout = layout;
        this.csv = csv;
    }

    public ManifestLayout Layout { get; }

    /// <summary>1-based, blank rows not counted.</summary>
    public int RowNumber { get; private set; }

    /// <summary>The 1-based line of the file where the row starts; a quoted value may span several.</summary>
    public long LineNumber { get; private set; }

    /// <summary>What is wrong with the row's quoting; null for nearly every row.</summary>
    public FindingCode? QuoteProblem { get; private set; }

    /// <summary>The row was cut at the end of a line inside quotes: repeating its text would swallow what follows.</summary>
    public bool IsCut => QuoteProblem == FindingCode.UnterminatedQuote;

    /// <summary>The number of fields that the row really has, more or fewer than there are columns.</summary>
    public int FieldCount => csv.FieldCount;

    /// <summary>The row exactly as it stands in the manifest (as UTF-8), without the line break behind it.</summary>
    public ReadOnlySpan<byte> RawText => csv.RawRecord;

    /// <summary>A field exactly as it stands in the manifest, quotes included; empty when the row is too short.</summary>
    public ReadOnlySpan<byte> RawField(int index) => index < csv.FieldCount ? csv.GetRawSpan(index) : default;

    /// <summary>
    /// A field's value as UTF-8: unquoted, and in an export of ours without its formula guard; empty when the row is too short.
    /// </summary>
    public ReadOnlySpan<byte> Field(int index)
    {
        if (index >= csv.FieldCount)
            return default;
        var value = csv.GetSpan(index);
        return Layout.IsGuarded ? FormulaGuard.Unguard(value, Layout.SeparatorByte) : value;
    }

    /// <inheritdoc cref="Field"/>
    public string GetString(int index) => Encoding.UTF8.GetString(Field(index));

    /// <summary>
    /// Somebody has written another address for the row since: how it stands in the file does not count any more.
    /// </summary>
    internal bool HasCorrectedUrl => corrected?.ContainsKey(ManifestColumn.Url) == true;

    /// <summary>Puts these values in place of those of the file, for this row only.</summary>
    internal void Correct(IReadOnlyDictionary<ManifestColumn, string> values) => corrected = values;

    /// <summary>A target's value as UTF-8, without white space and invisible characters around it; empty when there is none.</summary>
    public ReadOnlySpan<byte> Value(ManifestColumn target)
    {
        if (corrected?.GetValueOrDefault(target) is { } value)
            return CellText.Trim(Encoding.UTF8.GetBytes(value));
        var index = Layout.IndexOf(target);
        return index < 0 ? default : CellText.Trim(Field(index));
    }

    /// <summary>A target's value without white space around it; null when it is empty or has no column.</summary>
    public string? GetString(ManifestColumn target)
    {
        var value = Value(target);
        return value.IsEmpty ? null : Encoding.UTF8.GetString(value);
    }

    public string? Url => GetString(ManifestColumn.Url);

    /// <summary>The row as it stands in a file that is no text of separated fields; null in one that is.</summary>
    internal OriginalRow? Original { get; private set; }

    internal void MoveTo(CsvReader csv, int rowNumber, long lineNumber, FindingCode? quoteProblem, OriginalRow? original)
    {
        this.csv = csv;
        Original = original;
        corrected = null;
        RowNumber = rowNumber;
        LineNumber = lineNumber;
        QuoteProblem = quoteProblem;
    }
}
