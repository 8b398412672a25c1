using BulkImporter.Imports;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace BulkImporter.Manifests;

/// <summary>
/// The CSV file as received, immutable. Its bytes stand in <see cref="ManifestPart"/>. Until <see cref="ReceivedAt"/> is set it is
/// only the beginning of an upload: nothing may refer to it, and the sweep removes it after a day.
/// </summary>
public sealed class Manifest
{
    public int Id { get; private set; }
    public required string FileName { get; init; }

    /// <summary>SHA-256 of the bytes as received; null until all of them are here.</summary>
    public byte[]? Sha256 { get; set; }

    public long SizeBytes { get; set; }
    public DateTimeOffset CreatedAt { get; init; }
    public DateTimeOffset? ReceivedAt { get; set; }

    public sealed class Configuration : IEntityTypeConfiguration<Manifest>
    {
        public void Configure(EntityTypeBuilder<Manifest> entity)
        {
            entity.ToTable("manifest", t => t.HasCheckConstraint("manifest_received_iff_hashed", "(received_at IS NULL) = (sha256 IS NULL)"));
            entity.HasKey(m => m.Id);
            entity.Property(m => m.Sha256).HasColumnName("sha256");
            entity.HasMany<Import>().WithOne().HasForeignKey(i => i.ManifestId).OnDelete(DeleteBehavior.Restrict);
            entity.HasIndex(m => m.Sha256).HasFilter("received_at IS NOT NULL");
        }
    }
}

/// <summary>One piece of a manifest's bytes, compressed on its own, so that upload and parse hold one piece in memory and never the file.</summary>
public sealed class ManifestPart
{
    public required int ManifestId { get; init; }
    public required int Number { get; init; }
    public required byte[] Bytes { get; init; }

    public sealed class Configuration : IEntityTypeConfiguration<ManifestPart>
    {
        public void Configure(EntityTypeBuilder<ManifestPart> entity)
        {
            entity.ToTable("manifest_part");
            entity.HasKey(p => new { p.ManifestId, p.Number });
            entity.HasOne<Manifest>().WithMany().HasForeignKey(p => p.ManifestId).OnDelete(DeleteBehavior.Cascade);
        }
    }
}
