using BulkImporter.Manifests;

namespace BulkImporter.Sources;

/// <summary>
/// A file that a person sent here to be pushed, known by the hash of its bytes: the same bytes are kept once, and sending them again
/// changes nothing. Until <see cref="ReceivedAt"/> is set it is only the beginning of an upload.
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

    // Nobody finds it by its hash from then on; its parts follow in steps of 200 MB, and it itself when it has none.
    internal const string SweepEnded = """
        UPDATE importer.source_file SET sha256 = NULL, received_at = NULL WHERE id IN (
            SELECT f.id FROM importer.source_file f
            WHERE f.received_at < now() - $1
                AND NOT EXISTS (
                    SELECT 1 FROM importer.manifest_source_file l JOIN importer.import i ON i.manifest_id = l.manifest_id
                    WHERE l.source_file_id = f.id AND (i.finished_at IS NULL OR i.finished_at >= now() - $1))
            ORDER BY f.id LIMIT $2 FOR UPDATE OF f SKIP LOCKED)
        """;

    internal const string SweepEmpty = """
        DELETE FROM importer.source_file WHERE id IN (
            SELECT f.id FROM importer.source_file f
            WHERE f.received_at IS NULL AND f.created_at < now() - $1 AND NOT EXISTS (SELECT 1 FROM importer.source_file_part x
                WHERE x.source_file_id = f.id)
            LIMIT $2 FOR UPDATE SKIP LOCKED)
        """;

    public sealed class Configuration : IEntityTypeConfiguration<SourceFile>
    {
        public void Configure(EntityTypeBuilder<SourceFile> entity)
        {
            entity.ToTable("source_file", t =>
                t.HasCheckConstraint("source_file_received_iff_hashed", "(received_at IS NULL) = (sha256 IS NULL)"));
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

    internal const string SweepEnded = """
        DELETE FROM importer.source_file_part p USING (
            SELECT old.source_file_id, old.number
            FROM (SELECT f.id FROM importer.source_file f
                  WHERE f.received_at IS NULL AND f.created_at < now() - $1
                      AND EXISTS (SELECT 1 FROM importer.source_file_part x WHERE x.source_file_id = f.id) ORDER BY f.id LIMIT 1) ended
            JOIN importer.source_file_part old ON old.source_file_id = ended.id
            ORDER BY old.number LIMIT least($2, 200) FOR UPDATE OF old SKIP LOCKED
        ) gone
        WHERE p.source_file_id = gone.source_file_id AND p.number = gone.number
        """;

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

/// <summary>That a manifest names a file which was sent here: it is kept while an import of the manifest has not ended.</summary>
public sealed class ManifestSourceFile
{
    public required int ManifestId { get; init; }
    public required int SourceFileId { get; init; }

    /// <summary>The manifest $1 is made of the files $2.</summary>
    internal const string Link = "INSERT INTO importer.manifest_source_file (manifest_id, source_file_id) SELECT $1, unnest($2::int[])";

    public sealed class Configuration : IEntityTypeConfiguration<ManifestSourceFile>
    {
        public void Configure(EntityTypeBuilder<ManifestSourceFile> entity)
        {
            entity.ToTable("manifest_source_file");
            entity.HasKey(f => new { f.ManifestId, f.SourceFileId });
            entity.HasOne<Manifest>().WithMany().HasForeignKey(f => f.ManifestId).OnDelete(DeleteBehavior.Cascade);
            entity.HasOne<SourceFile>().WithMany().HasForeignKey(f => f.SourceFileId).OnDelete(DeleteBehavior.Cascade);
        }
    }
}
