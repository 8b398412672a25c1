using BulkImporter.Imports;

namespace BulkImporter.Parse;

/// <summary>
/// The source keys of some thousand rows of an import, side by side: 16 bytes a row, zeros for a row without one. A later import of the
/// account is compared with these instead of with the records: a million rows are 16 MB to read, and cost an ingest no index.
/// What they say is only a hint, for a correction may have changed a row since; the record itself is looked at before anything is decided.
/// </summary>
public sealed class SourceKeyBlock
{
    /// <summary>Rows of every block but the last.</summary>
    internal const int Rows = 4096;

    internal const int KeySize = 16;

    public required int ImportId { get; init; }

    /// <summary>The row whose key stands first.</summary>
    public required int FirstRow { get; init; }

    public required byte[] Keys { get; init; }

    /// <summary>
    /// By which rules its keys, and those of its records, were made (<c>SourceKey.Generation</c>); <see cref="RebuildKeys"/> makes older
    /// ones anew.
    /// </summary>
    public required short Generation { get; init; }

    public sealed class Configuration : IEntityTypeConfiguration<SourceKeyBlock>
    {
        public void Configure(EntityTypeBuilder<SourceKeyBlock> entity)
        {
            entity.ToTable("source_key_block");
            entity.HasKey(b => new { b.ImportId, b.FirstRow });
            entity.HasOne<Import>().WithMany().HasForeignKey(b => b.ImportId).OnDelete(DeleteBehavior.Cascade);
        }
    }
}
