namespace BulkImporter.Manifests;

/// <summary>Why a whole manifest cannot be read.</summary>
public enum RejectionCode
{
    ManifestEmpty,
    NotCsv,
    EncodingInvalid,
    GzipDamaged,
    HeaderDamaged,
    HeaderUnclear,
    MappingInvalid,
    ColumnUnknown,
    UrlColumnMissing,
    UrlColumnAmbiguous,
    RowTooLong,
    TooManyRows,
    TooManyColumns,
    TooManyInvalidRows,
    UnpackedTooLarge,
    WorkbookDamaged,
    SheetUnclear,
    JsonDamaged,
}

/// <summary>
/// The manifest as a whole cannot be read, or needs an answer from the operator first. The message is written for that person: what was met
/// and what to do.
/// </summary>
public sealed class ManifestRejectedException(
    RejectionCode code,
    string message,
    long? line = null,
    string? column = null,
    long? byteOffset = null,
    IReadOnlyList<string>? candidates = null,
    Exception? innerException = null,
    string? encoding = null)
    : Exception(message, innerException)
{
    public RejectionCode Code { get; } = code;

    /// <summary>The 1-based line of the (unpacked) file, where one line is at fault.</summary>
    public long? Line { get; } = line;

    /// <summary>The column name at fault, as the operator or the file wrote it.</summary>
    public string? Column { get; } = column;

    /// <summary>The 0-based byte of the (unpacked) file, where the encoding is at fault.</summary>
    public long? ByteOffset { get; } = byteOffset;

    /// <summary>
    /// The columns to choose from: the URL-like ones when ambiguous, otherwise all of the file. Of <see cref="RejectionCode.SheetUnclear"/>
    /// the sheets with rows.
    /// </summary>
    public IReadOnlyList<string> Candidates { get; } = candidates ?? [];

    /// <summary>The encoding in which the file can be read if the operator agrees; null when there is none to offer.</summary>
    public string? Encoding { get; } = encoding;
}
