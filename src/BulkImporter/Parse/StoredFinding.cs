using BulkImporter.Imports;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace BulkImporter.Parse;

/// <summary>A finding as kept with the import that it was made for. The hint is not stored: the code tells it.</summary>
public sealed class StoredFinding
{
    public long Id { get; private set; }
    public required int ImportId { get; init; }

    /// <summary>The data row, from 1; 0 when the finding is about the file.</summary>
    public required int RowNumber { get; init; }

    /// <summary>The line where that row starts in the file, from 1.</summary>
    public required long LineNumber { get; init; }

    public string? ColumnName { get; init; }
    public required string Code { get; init; }
    public required string Severity { get; init; }

    /// <summary>The offending value, masked and cut.</summary>
    public string? Value { get; init; }

    /// <summary>For duplicates, the row that has the source or the reference id already.</summary>
    public int? OtherRow { get; init; }

    /// <summary>The import of <see cref="OtherRow"/> when it is another one.</summary>
    public int? OtherImport { get; init; }

    public sealed class Configuration : IEntityTypeConfiguration<StoredFinding>
    {
        public void Configure(EntityTypeBuilder<StoredFinding> entity)
        {
            entity.ToTable("finding", t => t.HasCheckConstraint("finding_severity_is_known", "severity IN ('error', 'warning')"));
            entity.HasKey(f => f.Id);
            entity.HasIndex(f => new { f.ImportId, f.RowNumber });
            entity.HasOne<Import>().WithMany().HasForeignKey(f => f.ImportId).OnDelete(DeleteBehavior.Cascade);
        }
    }
}
