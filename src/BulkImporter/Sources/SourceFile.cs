using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace BulkImporter.Sources;

/// <summary>
/// A file that a person sent here to be pushed, known by the hash of its bytes: the same bytes are kept once, and sending them again changes nothing.
/// Until <see cref="ReceivedAt"/> is set it is only the beginning of an upload.
/// </summary>
public sealed class SourceFile
{
    public int Id { get; private set; }

    /// <summary>SHA-256 of the bytes; null until all of them are here.</summary>
    public byte[]? Sha256 { get; set; }

    public long SizeBytes { get; set; }
    public DateTimeOffset CreatedAt { get; init; }

    /// <summary>When the bytes were last sent here, or last wanted for an import.</summary>
    public DateTimeOffset? ReceivedAt { get; set; }

    public sealed class Configuration : IEntityTypeConfiguration<SourceFile>
    {
        public void Configure(EntityTypeBuilder<SourceFile> entity)
        {
            entity.ToTable("source_file", t => t.HasCheckConstraint("source_file_received_iff_hashed", "(received_at IS NULL) = (sha256 IS NULL)"));
            entity.HasKey(f => f.Id);
            entity.Property(f => f.Sha256).HasColumnName("sha256");
            entity.HasIndex(f => f.Sha256).IsUnique();
        }
    }
}

/// <summary>One piece of a file's bytes, as they are: media do not get smaller.</summary>
public sealed class SourceFilePart
{
    public required int SourceFileId { get; init; }
    public required int Number { get; init; }
    public required byte[] Bytes { get; init; }

    public sealed class Configuration : IEntityTypeConfiguration<SourceFilePart>
    {
        public void Configure(EntityTypeBuilder<SourceFilePart> entity)
        {
            entity.ToTable("source_file_part");
            entity.HasKey(p => new { p.SourceFileId, p.Number });
            entity.HasOne<SourceFile>().WithMany().HasForeignKey(p => p.SourceFileId).OnDelete(DeleteBehavior.Cascade);
        }
    }
}
