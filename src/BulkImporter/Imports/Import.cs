using BulkImporter.Accounts;
using BulkImporter.Data;
using BulkImporter.Records;
using BulkImporter.Manifests;
using BulkImporter.Parse;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace BulkImporter.Imports;

/// <summary>One run of one manifest with its settings. What became of its rows is counted in its <see cref="Chunk"/>s.</summary>
public sealed class Import
{
    public int Id { get; private set; }
    public required string Name { get; set; }
    public required int AccountId { get; init; }
    public required int ManifestId { get; init; }
    public ImportState State { get; set; } = ImportState.Parsing;

    /// <summary>Why it is paused, cancelled or rejected, for people.</summary>
    public string? Reason { get; set; }

    /// <summary>The explicit column mapping (<c>url=OriginalURL,caption=Title</c>), or null to recognise the header.</summary>
    public string? Mapping { get; set; }

    /// <summary>The saved template that the mapping was taken from, because the header was the same; null when none was.</summary>
    public string? Template { get; set; }

    /// <summary>How the manifest's bytes are read when its beginning does not say: <c>windows-1252</c>, or null for UTF-8 (and UTF-16 by its mark).</summary>
    public string? Encoding { get; set; }

    /// <summary>Only this many rows from the beginning of the manifest are read, for a trial; null for all.</summary>
    public int? FirstRows { get; set; }

    /// <summary>Start without review once the manifest is parsed.</summary>
    public bool StartWhenParsed { get; set; }

    /// <summary>Records per chunk.</summary>
    public int ChunkSize { get; init; } = 500;

    /// <summary>Attempts that a record gets before a retryable failure becomes final; a rerun grants as many again.</summary>
    public int MaxAttempts { get; set; } = 5;

    public WhenUnknown WhenUnknown { get; set; } = WhenUnknown.Hold;

    /// <summary>What becomes of rows whose source the account has already, by an earlier import.</summary>
    public WhenDuplicate AlreadyImported { get; set; } = WhenDuplicate.Skip;

    /// <summary>What becomes of rows whose source an earlier row of the manifest has.</summary>
    public WhenDuplicate DuplicateRows { get; set; } = WhenDuplicate.Skip;

    /// <summary>Higher is served first among the account's running imports.</summary>
    public int Priority { get; set; }

    /// <summary>Nothing is sent before; null for at once. The start must be ordered all the same.</summary>
    public DateTimeOffset? StartAt { get; set; }

    /// <summary>The daily window outside of which nothing is sent (<see cref="DailyWindow"/>); all three or none.</summary>
    public TimeOnly? WindowFrom { get; set; }

    public TimeOnly? WindowUntil { get; set; }
    public string? WindowZone { get; set; }

    /// <summary>The failure breaker: the import is paused when more than this part of its finished records failed; 100 for never.</summary>
    public int StopAtFailurePercent { get; set; } = 50;

    /// <summary>The breaker judges only after so many finished records.</summary>
    public int StopAfterRows { get; set; } = 1000;

    /// <summary>The gallery that new assets join, or null for none.</summary>
    public string? Fid { get; set; }

    /// <summary>How the files of rows go that do not say so themselves.</summary>
    public ImportTransfer Transfer { get; set; } = ImportTransfer.Pull;

    /// <summary>Data rows of the manifest, at most <see cref="FirstRows"/>; null until it is parsed.</summary>
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

    /// <summary>When a chunk of it was last given to a worker; the least recently served goes first.</summary>
    public DateTimeOffset? LastServedAt { get; set; }

    /// <summary>Of a cancelled import: what Cincopa has accepted and not finished is to be aborted there.</summary>
    public bool AbortRemote { get; set; }

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
                t.HasCheckConstraint("import_when_unknown_is_known", EnumText<WhenUnknown>.Check("when_unknown"));
                t.HasCheckConstraint("import_transfer_is_known", EnumText<ImportTransfer>.Check("transfer"));
                t.HasCheckConstraint("import_when_already_imported_is_known", EnumText<WhenDuplicate>.Check("already_imported"));
                t.HasCheckConstraint("import_when_duplicate_rows_is_known", EnumText<WhenDuplicate>.Check("duplicate_rows"));
                t.HasCheckConstraint("import_encoding_is_known", "encoding IN ('windows-1252')");
                t.HasCheckConstraint("import_settings_are_positive", "chunk_size > 0 AND max_attempts > 0 AND first_rows > 0");
                t.HasCheckConstraint("import_breaker_is_possible", "stop_at_failure_percent BETWEEN 1 AND 100 AND stop_after_rows > 0");
                t.HasCheckConstraint("import_window_is_whole",
                    "(window_from IS NULL) = (window_zone IS NULL) AND (window_until IS NULL) = (window_zone IS NULL) AND window_from <> window_until");
                t.HasCheckConstraint("import_counted_once_parsed", "row_count IS NOT NULL OR state IN ('parsing', 'rejected', 'cancelled', 'deleting')");
                t.HasCheckConstraint("import_finished_at_iff_ended", "(finished_at IS NOT NULL) = (state IN ('finished', 'cancelled', 'rejected', 'deleting'))");
            });
            entity.HasKey(i => i.Id);
            entity.Property(i => i.Transfer).HasDefaultValue(ImportTransfer.Pull);
            entity.Property(i => i.AbortRemote).HasDefaultValue(false);
            entity.Property(i => i.AlreadyImported).HasDefaultValue(WhenDuplicate.Skip);
            entity.Property(i => i.DuplicateRows).HasDefaultValue(WhenDuplicate.Skip);
            entity.Property(i => i.StopAtFailurePercent).HasDefaultValue(50);
            entity.Property(i => i.StopAfterRows).HasDefaultValue(1000);
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
