namespace BulkImporter.Dispatch;

/// <summary>A file on its way to Cincopa by push: how far it is, and under which name. Gone when the record is imported.</summary>
public sealed class PushUpload
{
    public required int ImportId { get; init; }
    public required int RowNumber { get; init; }

    /// <summary>The attempt that last went on with it.</summary>
    public required short Attempt { get; set; }

    /// <summary>Where the ranges go, under ASP.NET Data Protection: it holds a signature.</summary>
    public required string UrlProtected { get; set; }

    /// <summary>The same for all ranges of the file.</summary>
    public required string UniqueId { get; set; }

    /// <summary>As sent, with the row's key in it: the asset is found by it exactly.</summary>
    public required string FileName { get; set; }

    /// <summary>What the source said of its version, to go on only with the same file.</summary>
    public string? SourceTag { get; set; }

    public required long SentBytes { get; set; }

    /// <summary>Null while not known.</summary>
    public long? TotalBytes { get; set; }

    /// <summary>Committed before the last range leaves: before it no asset can exist, after it one may.</summary>
    public DateTimeOffset? LastBegunAt { get; set; }

    public sealed class Configuration : IEntityTypeConfiguration<PushUpload>
    {
        public void Configure(EntityTypeBuilder<PushUpload> entity)
        {
            entity.ToTable("push_upload");
            entity.HasKey(p => new { p.ImportId, p.RowNumber });
            entity.HasStorageParameter("fillfactor", 60);
        }
    }
}
