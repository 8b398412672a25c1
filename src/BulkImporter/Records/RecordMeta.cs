namespace BulkImporter.Records;

/// <summary>
/// What a row, or the probe of its source, says beyond what every record has: kept apart, and only where there is something, so that no
/// change of a record's state rewrites a description, and a manifest without such columns costs nothing more.
/// </summary>
public sealed class RecordMeta
{
    public required int ImportId { get; init; }
    public required int RowNumber { get; init; }
    public string? Description { get; init; }
    public string? LongDescription { get; init; }
    public string? Tags { get; init; }
    public string? RelatedLinkText { get; init; }
    public string? RelatedLinkUrl { get; init; }

    /// <summary>The gallery that the asset joins, by its name.</summary>
    public string? Gallery { get; init; }

    /// <summary>
    /// The gallery that the asset joins, by Cincopa's id: named already when the record is sent, in place of the import's own.
    /// </summary>
    public string? Fid { get; init; }

    /// <summary>What a pushed file is called, in place of the last part of its address.</summary>
    public string? FileName { get; init; }

    /// <summary>The address that people used until now, for the map of old addresses; an http or https URL, or a path.</summary>
    public string? OldUrl { get; init; }

    /// <summary>The file's size, as the row says it.</summary>
    public long? ExpectedBytes { get; init; }

    /// <summary>The file's MD5, as the row says it, in lower case. Cincopa names none, so only what a push sends is compared with
    /// it.</summary>
    public string? ExpectedMd5 { get; init; }

    /// <summary>How long the file plays, as the row says it.</summary>
    public double? ExpectedSeconds { get; init; }

    /// <summary>The size that the source told the latest probe: what is to arrive where the row does not say it.</summary>
    public long? SourceBytes { get; init; }

    /// <summary>Row <c>m</c> of it says something that what arrived can be compared with.</summary>
    internal const string IsExpecting = "coalesce(m.expected_bytes, m.source_bytes, m.expected_seconds) IS NOT NULL";

    /// <summary>Keeps what sources say of their sizes: followed by a query of import_id, row_number and bytes, and by
    /// <see cref="OrReplaceSourceBytes"/>.</summary>
    internal const string KeepSourceBytes = "INSERT INTO importer.record_meta (import_id, row_number, source_bytes)";

    internal const string OrReplaceSourceBytes =
        "ON CONFLICT (import_id, row_number) DO UPDATE SET source_bytes = excluded.source_bytes";

    /// <summary>What was expected of the files of those that <c>moved</c>, and is of no use to others: a condition may follow.</summary>
    internal const string ForgetExpected = """
        UPDATE importer.record_meta x
            SET expected_bytes = NULL, expected_md5 = NULL, expected_seconds = NULL, source_bytes = NULL
            FROM moved m WHERE x.import_id = m.import_id AND x.row_number = m.row_number
        """;

    public sealed class Configuration : IEntityTypeConfiguration<RecordMeta>
    {
        public void Configure(EntityTypeBuilder<RecordMeta> entity)
        {
            // No foreign key, for the reason that records have none.
            entity.ToTable("record_meta");
            entity.HasKey(m => new { m.ImportId, m.RowNumber });
        }
    }
}
