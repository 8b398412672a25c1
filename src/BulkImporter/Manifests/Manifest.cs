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
            entity.ToTable("manifest", t =>
                t.HasCheckConstraint("manifest_received_iff_hashed", "(received_at IS NULL) = (sha256 IS NULL)"));
            entity.HasKey(m => m.Id);
            entity.Property(m => m.Sha256).HasColumnName("sha256");
            entity.HasIndex(m => m.Sha256).HasFilter("received_at IS NOT NULL");
        }
    }
}

/// <summary>
/// One piece of a manifest's bytes, compressed on its own, so that upload and parse hold one piece in memory and never the file.
/// </summary>
public sealed class ManifestPart
{
    public required int ManifestId { get; init; }
    public required int Number { get; init; }
    public required byte[] Bytes { get; init; }

    // A manifest that several imports share goes with the last of them. Its row stays: it holds name, size and hash.
    internal const string SweepEnded = """
        DELETE FROM importer.manifest_part p USING (
            SELECT old.manifest_id, old.number
            FROM (SELECT m.id FROM importer.manifest m
                  WHERE EXISTS (SELECT 1 FROM importer.manifest_part x WHERE x.manifest_id = m.id)
                      AND EXISTS (SELECT 1 FROM importer.import i WHERE i.manifest_id = m.id)
                      AND NOT EXISTS (SELECT 1 FROM importer.import i WHERE i.manifest_id = m.id
                          AND (i.finished_at IS NULL OR i.finished_at >= now() - $1))
                  ORDER BY m.id LIMIT 1) ended
            JOIN importer.manifest_part old ON old.manifest_id = ended.id
            ORDER BY old.number LIMIT $2 FOR UPDATE OF old SKIP LOCKED
        ) gone
        WHERE p.manifest_id = gone.manifest_id AND p.number = gone.number
        """;

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
