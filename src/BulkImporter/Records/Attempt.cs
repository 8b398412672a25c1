using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace BulkImporter.Records;

/// <summary>One try of one record: begun with the intent, before the call; ended with a coded outcome. Kept until retention removes it.</summary>
public sealed class Attempt
{
    public required int ImportId { get; init; }
    public required int RowNumber { get; init; }
    public required short Number { get; init; }

    /// <summary>When the intent was committed; the call left after this.</summary>
    public required DateTimeOffset StartedAt { get; init; }

    /// <summary>The worker that made the call.</summary>
    public required string Worker { get; init; }

    /// <summary>What Cincopa gave for it, also when the answer came too late to count for the record.</summary>
    public string? StatusId { get; set; }

    public DateTimeOffset? FinishedAt { get; set; }

    /// <summary>
    /// Null while open; <c>accepted</c> when Cincopa took it; then <c>imported</c> or a <see cref="FailureCode"/>; <c>reconciled</c> when it
    /// ended in doubt and its asset was found afterwards.
    /// </summary>
    public string? Outcome { get; set; }

    public short? HttpStatus { get; set; }

    /// <summary>What the other side said, redacted and cut.</summary>
    public string? Message { get; set; }

    /// <summary>Bytes of the source as the status call told them, of an attempt that ended in doubt after it was accepted.</summary>
    public long? SizeBytes { get; set; }

    /// <summary>When the remote side was last looked through for the asset of this attempt, which had ended in doubt; null before the first time.</summary>
    public DateTimeOffset? LookedAt { get; set; }

    public sealed class Configuration : IEntityTypeConfiguration<Attempt>
    {
        public void Configure(EntityTypeBuilder<Attempt> entity)
        {
            entity.ToTable("attempt", t => t.HasCheckConstraint("attempt_numbers_start_at_one", "number >= 1"));
            entity.HasKey(a => new { a.ImportId, a.RowNumber, a.Number });
            // No foreign key to the record: it would be checked for every attempt, and an attempt is only ever written beside its record.
            entity.HasStorageParameter("fillfactor", 75);
        }
    }
}
