using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace BulkImporter.Records;

/// <summary>
/// What a row says beyond what every record has: kept apart, and only where there is something, so that no change of a record's state
/// rewrites a description, and a manifest without such columns costs nothing more.
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
