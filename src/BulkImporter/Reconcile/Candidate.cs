using BulkImporter.Imports;

namespace BulkImporter.Reconcile;

/// <summary>An asset that may be the one of a record in doubt, as the last look found it, for a person to decide.</summary>
public sealed class Candidate
{
    public required int ImportId { get; init; }
    public required int RowNumber { get; init; }

    /// <summary>The attempt that it may have come of; when the record has begun another, it is a candidate no more.</summary>
    public required short Attempt { get; init; }

    public required string Rid { get; init; }
    public required string FileName { get; init; }
    public long? SizeBytes { get; init; }
    public required DateTimeOffset UploadedAt { get; init; }
    public string? Caption { get; init; }

    /// <summary><c>video</c>, <c>image</c>, <c>audio</c> or <c>other</c>, as Cincopa says it; null when it does not.</summary>
    public string? Type { get; init; }

    public sealed class Configuration : IEntityTypeConfiguration<Candidate>
    {
        public void Configure(EntityTypeBuilder<Candidate> entity)
        {
            entity.ToTable("reconcile_candidate");
            entity.HasKey(c => new { c.ImportId, c.RowNumber, c.Rid });
            entity.HasOne<Import>().WithMany().HasForeignKey(c => c.ImportId).OnDelete(DeleteBehavior.Cascade);
        }
    }
}
