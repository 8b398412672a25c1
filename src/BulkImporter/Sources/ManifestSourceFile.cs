using BulkImporter.Manifests;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace BulkImporter.Sources;

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
