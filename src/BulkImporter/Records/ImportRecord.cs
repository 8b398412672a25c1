namespace BulkImporter.Records;

/// <summary>
/// One data row of a manifest as durable work: one source, one remote asset. Rows that never become work (invalid, duplicate) are kept
/// too, so that the states always sum to the rows. The key is the import and the row number, so a chunk is a key range,
/// a list is a walk along the key, and no index holds the state (which would cost every change of state an index write).
/// </summary>
public sealed class ImportRecord
{
    public required int ImportId { get; init; }
    public required int RowNumber { get; init; }
    public required int ChunkNumber { get; init; }

    /// <summary>Where the row starts in the file, from 1.</summary>
    public required int LineNumber { get; init; }

    public RecordState State { get; set; }

    /// <summary>128-bit hash of the normalised source URL, for finding duplicates; null when there is no usable URL.</summary>
    public Guid? SourceKey { get; init; }

    public string? SourceUrl { get; init; }
    public string? Caption { get; init; }
    public string? ReferenceId { get; init; }

    /// <summary>The file is sent by us, and not fetched by Cincopa.</summary>
    public bool IsPush { get; init; }

    /// <summary>
    /// Attempts begun so far. The number of the attempt is its fence: an answer counts only for the attempt that it belongs to.
    /// </summary>
    public short AttemptCount { get; set; }

    /// <summary>
    /// Attempts that may still begin before a retryable failure is final. Failures that are the account's give theirs back.
    /// </summary>
    public short AttemptsLeft { get; set; }

    public DateTimeOffset? NextAttemptAt { get; set; }
    public string? StatusId { get; set; }
    public string? Rid { get; set; }

    /// <summary>The code of the last failure (<see cref="FailureCode"/>) or of the finding that made the row invalid.</summary>
    public string? ErrorCode { get; set; }

    public string? ErrorMessage { get; set; }

    /// <summary>A late answer showed that Cincopa accepted this source more than once.</summary>
    public bool PossiblyDuplicated { get; set; }

    /// <summary>
    /// Its asset was found for it while it was in doubt, and not named in answer to its own call: an undo leaves such an asset.
    /// </summary>
    public bool IsAdopted { get; set; }

    /// <summary>When the attempt began that Cincopa accepted: the call left after this.</summary>
    public DateTimeOffset? SubmittedAt { get; set; }

    public DateTimeOffset? FinishedAt { get; set; }

    public sealed class Configuration : IEntityTypeConfiguration<ImportRecord>
    {
        public void Configure(EntityTypeBuilder<ImportRecord> entity)
        {
            entity.ToTable("import_record", t =>
            {
                // What is submitting is pending here and stands in its chunk: the view says so.
                t.HasCheckConstraint("record_state_is_known", $"{EnumText<RecordState>.Check("state")} AND state <> 'submitting'");
                t.HasCheckConstraint("record_imported_has_rid", "state NOT IN ('imported', 'deleted') OR rid IS NOT NULL");
                t.HasCheckConstraint("record_submitted_has_status_id", "state <> 'submitted' OR status_id IS NOT NULL");
                t.HasCheckConstraint("record_work_has_source", "state = 'invalid' OR source_url IS NOT NULL");
                t.HasCheckConstraint("record_finished_at_iff_ended",
                    "(finished_at IS NOT NULL) = (state NOT IN ('pending', 'submitted'))");
            }).ToView("record_now");
            RecordFilter.AddTo(entity.Metadata.Model);
            entity.HasKey(r => new { r.ImportId, r.RowNumber });
            entity.Property(r => r.IsPush).HasDefaultValue(false);
            entity.Property(r => r.IsAdopted).HasDefaultValue(false);
            entity.Property(r => r.StatusId).HasComment("Cincopa's opaque ticket of the current attempt; not a key of ours.");
            entity.Property(r => r.Rid).HasComment("Cincopa's opaque name of the asset.");
            // The error code is null on the happy path, so this index costs it nothing and keeps its updates in place (HOT).
            entity.HasIndex(r => new { r.ImportId, r.ErrorCode, r.RowNumber }).HasFilter("error_code IS NOT NULL");
            // No foreign key to the import: checked row by row, it took two thirds of the time of reading a manifest in. Records come in
            // the transaction that makes their chunks, and those are held by one. Every record is rewritten twice, and a window of
            // them at once: where the page has room for all of its records twice, the rewrites stay in it and touch no index. With less
            // room (75) they spill into new pages, and the table ends up larger (docs/performance.md).
            entity.HasStorageParameter("fillfactor", 40);
            entity.HasStorageParameter("autovacuum_vacuum_scale_factor", 0.05);
        }
    }
}
