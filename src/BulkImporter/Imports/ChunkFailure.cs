namespace BulkImporter.Imports;

/// <summary>
/// How many records of a chunk are failed or unknown with a code. Kept by the trigger <c>count_record_states</c> like the chunk's other
/// counters, and apart from them because most batches of answers hold no failure and so touch no row here.
/// </summary>
public sealed class ChunkFailure
{
    public required int ImportId { get; init; }
    public required int ChunkNumber { get; init; }

    /// <summary>A <see cref="Records.FailureCode"/> as text.</summary>
    public required string Code { get; init; }

    /// <summary>Zero when records had this code and have it no longer.</summary>
    public int Count { get; set; }

    public sealed class Configuration : IEntityTypeConfiguration<ChunkFailure>
    {
        public void Configure(EntityTypeBuilder<ChunkFailure> entity)
        {
            entity.ToTable("chunk_failure");
            entity.HasKey(f => new { f.ImportId, f.ChunkNumber, f.Code });
            entity.HasOne<Chunk>().WithMany().HasForeignKey(f => new { f.ImportId, f.ChunkNumber }).OnDelete(DeleteBehavior.Cascade);
            entity.HasStorageParameter("fillfactor", 60);
            entity.HasStorageParameter("autovacuum_vacuum_scale_factor", 0.05);
        }
    }
}
