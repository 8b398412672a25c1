namespace BulkImporter.Imports;

/// <summary>What a running import's counters showed at one moment; the differences are the rate over time.</summary>
public sealed class ImportTick
{
    public required int ImportId { get; init; }
    public required DateTimeOffset At { get; init; }

    /// <summary>Records accepted by Cincopa so far: submitted, imported, and those that failed after acceptance.</summary>
    public required int SubmittedCount { get; init; }

    /// <summary>Records at their end so far: imported, failed, unknown or cancelled.</summary>
    public required int FinishedCount { get; init; }

    public sealed class Configuration : IEntityTypeConfiguration<ImportTick>
    {
        public void Configure(EntityTypeBuilder<ImportTick> entity)
        {
            entity.ToTable("import_tick");
            entity.HasKey(t => new { t.ImportId, t.At });
            entity.HasOne<Import>().WithMany().HasForeignKey(t => t.ImportId).OnDelete(DeleteBehavior.Cascade);
        }
    }
}
