namespace BulkImporter.Imports;

/// <summary>
/// How many records of a chunk came to an end in one hour, by the host of their source. Kept by the trigger <c>count_record_states</c> like
/// the chunk's other counters, so that "61 of 64 failed" is exact at every commit and is read without a look at the records.
/// </summary>
public sealed class ChunkHost
{
    /// <summary>The <see cref="Code"/> of what was imported.</summary>
    public const string Imported = "";

    public required int ImportId { get; init; }
    public required int ChunkNumber { get; init; }

    /// <summary>With its port when the address names one, as <c>importer.host_of</c> cuts it out.</summary>
    public required string Host { get; init; }

    /// <summary>The beginning of the hour, in UTC, in which they ended.</summary>
    public required DateTimeOffset Hour { get; init; }

    /// <summary>A <see cref="Records.FailureCode"/> as text, or <see cref="Imported"/>.</summary>
    public required string Code { get; init; }

    /// <summary>Zero when records ended so and have been sent again.</summary>
    public int Count { get; set; }

    /// <summary>When the first of them ended.</summary>
    public required DateTimeOffset FirstAt { get; set; }

    public sealed class Configuration : IEntityTypeConfiguration<ChunkHost>
    {
        public void Configure(EntityTypeBuilder<ChunkHost> entity)
        {
            entity.ToTable("chunk_host");
            entity.HasKey(h => new { h.ImportId, h.ChunkNumber, h.Host, h.Hour, h.Code });
            entity.HasOne<Chunk>().WithMany().HasForeignKey(h => new { h.ImportId, h.ChunkNumber }).OnDelete(DeleteBehavior.Cascade);
            entity.HasStorageParameter("fillfactor", 60);
            entity.HasStorageParameter("autovacuum_vacuum_scale_factor", 0.05);
        }
    }
}
