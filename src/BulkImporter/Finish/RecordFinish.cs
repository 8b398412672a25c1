using BulkImporter.Records;

namespace BulkImporter.Finish;

/// <summary>How far an imported record's asset is finished.</summary>
[StoredAsText]
public enum FinishState
{
    /// <summary>
    /// Due at next_at. In: the record becomes imported, or a person reruns it. Out: the finisher. A crash changes nothing: the claim runs
    /// out and the calls are made again, which is harmless.
    /// </summary>
    Pending,

    /// <summary>Everything is written. Final, and not stored: what was to be finished and waits nowhere is.</summary>
    Done,

    /// <summary>It will not be tried again by itself. Out: rerun. The record stays imported.</summary>
    Failed,
}

/// <summary>
/// What is still to be done for an imported record's asset (its texts, its reference id, its gallery, the look at what arrived) where
/// the first try, that of its <see cref="WorkBatch"/>, did not do it.
/// </summary>
public sealed class RecordFinish
{
    public required int ImportId { get; init; }
    public required int RowNumber { get; init; }
    public required int AccountId { get; init; }
    public required string Rid { get; init; }
    public FinishState State { get; set; }

    /// <summary>When to try next. Whoever claims the row moves this ahead first, so that a dead finisher's claim simply runs out.</summary>
    public required DateTimeOffset NextAt { get; set; }

    /// <summary>Tries that ended in a failure of their own.</summary>
    public short FailedCount { get; set; }

    /// <summary>A person wants to know what arrived, and nothing is written to the asset.</summary>
    public bool OnlyLooks { get; set; }

    public string? ErrorCode { get; set; }
    public string? ErrorMessage { get; set; }

    public sealed class Configuration : IEntityTypeConfiguration<RecordFinish>
    {
        public void Configure(EntityTypeBuilder<RecordFinish> entity)
        {
            entity.ToTable("record_finish", t => t.HasCheckConstraint("finish_state_is_known", "state IN ('pending', 'failed')"));
            entity.HasKey(f => new { f.ImportId, f.RowNumber });
            entity.Property(f => f.OnlyLooks).HasDefaultValue(false);
            entity.HasIndex(f => new { f.AccountId, f.NextAt }, "finish_due").HasFilter("state = 'pending'");
            entity.HasStorageParameter("fillfactor", 60);
            entity.HasStorageParameter("autovacuum_vacuum_scale_factor", 0.02);
        }
    }
}
