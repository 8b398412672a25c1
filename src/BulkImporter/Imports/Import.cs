using BulkImporter.Accounts;
using BulkImporter.Manifests;
using BulkImporter.Records;

namespace BulkImporter.Imports;

/// <summary>One run of one manifest with its settings. What became of its rows is counted in its <see cref="Chunk"/>s.</summary>
public sealed class Import
{
    public int Id { get; private set; }
    public required string Name { get; set; }
    public required int AccountId { get; set; }
    public required int ManifestId { get; init; }
    public ImportState State { get; set; } = ImportState.Parsing;

    /// <summary>Why it is paused, cancelled or rejected, for people.</summary>
    public string? Reason { get; set; }

    /// <summary>Of a rejected one: the encoding in which its manifest could be read, if a person agrees.</summary>
    public string? OfferedEncoding { get; set; }

    /// <summary>The explicit column mapping (<c>url=OriginalURL,caption=Title</c>), or null to recognise the header.</summary>
    public string? Mapping { get; set; }

    /// <summary>The saved template that the mapping was taken from, because the header was the same; null when none was.</summary>
    public string? Template { get; set; }

    /// <summary>Start without review once the manifest is parsed.</summary>
    public bool StartWhenParsed { get; set; }

    public ImportSettings Settings { get; set; } = new();

    /// <summary>Data rows of the manifest, at most those that are to be read; null until it is parsed.</summary>
    public int? RowCount { get; set; }

    /// <summary>Rows read so far while parsing.</summary>
    public int ParsedRows { get; set; }

    /// <summary>When a parse job was last enqueued; an old value in <see cref="ImportState.Parsing"/> is enqueued again.</summary>
    public DateTimeOffset? ParseQueuedAt { get; set; }

    /// <summary>When its rows were last compared with the account's other imports; null until the manifest is parsed.</summary>
    public DateTimeOffset? CheckedAt { get; set; }

    /// <summary>The caller's key: a second create with the same one answers with this import.</summary>
    public string? IdempotencyKey { get; init; }

    /// <summary>Finished and failed records when the failure breaker was last reset; it judges what came since.</summary>
    public int BreakerFinishedBase { get; set; }

    public int BreakerFailedBase { get; set; }

    /// <summary>Likewise assets that were compared with what was expected, and those that differ from it.</summary>
    public int BreakerComparedBase { get; set; }

    public int BreakerDifferedBase { get; set; }

    /// <summary>When a chunk of it was last given to a worker; the least recently served goes first.</summary>
    public DateTimeOffset? LastServedAt { get; set; }

    /// <summary>
    /// The import was started with so many records only; null when it was not, or since somebody has sent the rest.
    /// </summary>
    public int? TrialCount { get; set; }

    /// <summary>The last row that is sent before the records of the trial have ended; null when nothing is held back.</summary>
    public int? TrialThrough { get; set; }

    /// <summary>Of a cancelled import: what Cincopa has accepted and not finished is to be aborted there.</summary>
    public bool AbortRemote { get; set; }

    /// <summary>When its undo was ordered, until that has ended: so long it cannot be deleted, nor undone once more.</summary>
    public DateTimeOffset? UndoOrderedAt { get; set; }

    public required string CreatedBy { get; init; }
    public DateTimeOffset CreatedAt { get; init; }
    public DateTimeOffset? StartedAt { get; set; }
    public DateTimeOffset? FinishedAt { get; set; }

    public sealed class Configuration : IEntityTypeConfiguration<Import>
    {
        public void Configure(EntityTypeBuilder<Import> entity)
        {
            entity.ToTable("import", t =>
            {
                t.HasCheckConstraint("import_state_is_known", EnumText<ImportState>.Check("state"));
                ImportSettings.Check(t);
                t.HasCheckConstraint("import_trial_has_records", "trial_count > 0 AND (trial_through IS NULL OR trial_count IS NOT NULL)");
                t.HasCheckConstraint("import_counted_once_parsed",
                    "row_count IS NOT NULL OR state IN ('parsing', 'rejected', 'cancelled', 'deleting')");
                t.HasCheckConstraint("import_finished_at_iff_ended",
                    "(finished_at IS NOT NULL) = (state IN ('finished', 'cancelled', 'rejected', 'deleting'))");
            });
            entity.HasKey(i => i.Id);
            entity.ComplexProperty(i => i.Settings, ImportSettings.Configure);
            entity.Property(i => i.AbortRemote).HasDefaultValue(false);
            entity.HasIndex(i => i.IdempotencyKey).IsUnique();
            entity.HasOne<Account>().WithMany().HasForeignKey(i => i.AccountId).OnDelete(DeleteBehavior.Restrict);
            entity.HasOne<Manifest>().WithMany().HasForeignKey(i => i.ManifestId).OnDelete(DeleteBehavior.Restrict);
            // Told here, for Records knows no import.
            entity.HasMany<Correction>().WithOne().HasForeignKey(c => c.ImportId).OnDelete(DeleteBehavior.Cascade);
            entity.HasMany<StoredFinding>().WithOne().HasForeignKey(f => f.ImportId).OnDelete(DeleteBehavior.Cascade);
            entity.HasStorageParameter("fillfactor", 50);
        }
    }
}
