using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace BulkImporter.Records;

/// <summary>One value of a row that a person replaced after the import was made: the manifest itself stays as it was received.</summary>
public sealed class Correction
{
    public long Id { get; private set; }
    public required int ImportId { get; init; }
    public required int RowNumber { get; init; }
    public required DateTimeOffset At { get; init; }
    public required string Actor { get; init; }

    /// <summary>
    /// What was replaced, by the name that a manifest's column has for it: <c>url</c>, <c>caption</c>, <c>reference_id</c> or
    /// <c>transfer</c>.
    /// </summary>
    public required string Field { get; init; }

    /// <summary>As the record had it; a blocked row's address is masked there.</summary>
    public string? OldValue { get; init; }

    public string? NewValue { get; init; }

    public sealed class Configuration : IEntityTypeConfiguration<Correction>
    {
        public void Configure(EntityTypeBuilder<Correction> entity)
        {
            entity.ToTable("correction", t =>
                t.HasCheckConstraint("correction_field_is_known", "field IN ('url', 'caption', 'reference_id', 'transfer')"));
            entity.HasKey(c => c.Id);
            entity.HasIndex(c => new { c.ImportId, c.RowNumber, c.Id });
        }
    }
}
