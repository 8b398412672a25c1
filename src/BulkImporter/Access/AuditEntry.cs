using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace BulkImporter.Access;

/// <summary>Who did what, when. Written in the same transaction as the deed.</summary>
public sealed class AuditEntry
{
    public long Id { get; private set; }
    public required DateTimeOffset At { get; init; }
    public required string Actor { get; init; }

    /// <summary>A past-tense fact with a stable name: <c>import_started</c>, <c>records_rerun</c>.</summary>
    public required string Action { get; init; }

    public int? ImportId { get; init; }
    public int? AccountId { get; init; }
    public string? Detail { get; init; }

    public sealed class Configuration : IEntityTypeConfiguration<AuditEntry>
    {
        public void Configure(EntityTypeBuilder<AuditEntry> entity)
        {
            entity.ToTable("audit_entry");
            entity.HasKey(e => e.Id);
            entity.HasIndex(e => new { e.ImportId, e.Id });
        }
    }
}
