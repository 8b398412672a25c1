namespace BulkImporter.Undo;

/// <summary>How far the undo of an imported record is.</summary>
[StoredAsText]
public enum UndoState
{
    /// <summary>
    /// Due at next_at. In: a person orders the undo. Out: the asset deleter. A crash changes nothing: the claim runs out, and before the
    /// call is made again Cincopa is asked whether the asset is still there.
    /// </summary>
    Pending,

    /// <summary>The asset is gone. Final, and not stored: the record is then <c>deleted</c>.</summary>
    Done,

    /// <summary>The asset stays, and the message says why. Out: another undo. The record stays imported.</summary>
    Failed,
}

/// <summary>An asset that an undo is to delete in Cincopa, or could not; the row goes when its record becomes <c>deleted</c>.</summary>
public sealed class RecordUndo
{
    public required int ImportId { get; init; }
    public required int RowNumber { get; init; }
    public required int AccountId { get; init; }
    public required string Rid { get; init; }
    public UndoState State { get; set; }

    /// <summary>When to try next. Whoever claims the row moves this ahead first, so that a dead worker's claim simply runs out.</summary>
    public required DateTimeOffset NextAt { get; set; }

    /// <summary>Tries that ended in a failure of their own.</summary>
    public short FailedCount { get; set; }

    /// <summary>
    /// A call to delete the asset may have been received without an answer that we read. Set by the claim, before any call, so that it is
    /// true of one that a killed worker made.
    /// </summary>
    public bool InDoubt { get; set; }

    public string? ErrorCode { get; set; }
    public string? ErrorMessage { get; set; }

    public sealed class Configuration : IEntityTypeConfiguration<RecordUndo>
    {
        public void Configure(EntityTypeBuilder<RecordUndo> entity)
        {
            entity.ToTable("record_undo", t => t.HasCheckConstraint("undo_state_is_known", "state IN ('pending', 'failed')"));
            entity.HasKey(u => new { u.ImportId, u.RowNumber });
            entity.HasIndex(u => new { u.AccountId, u.NextAt }, "undo_due").HasFilter("state = 'pending'");
            entity.HasStorageParameter("fillfactor", 60);
            entity.HasStorageParameter("autovacuum_vacuum_scale_factor", 0.02);
        }
    }
}
