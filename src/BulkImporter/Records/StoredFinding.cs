namespace BulkImporter.Records;

/// <summary>A finding as kept with the import that it was made for. The hint is not stored: the code tells it.</summary>
public sealed class StoredFinding
{
    /// <summary>The columns that a statement fills, in their order; the query with the values follows.</summary>
    internal const string Insert =
        "INSERT INTO importer.finding (import_id, row_number, line_number, column_name, code, severity, value, other_row, other_import)";

    /// <summary>Removes the findings with the codes $2 from import $1.</summary>
    internal const string Remove = "DELETE FROM importer.finding WHERE import_id = $1 AND code = ANY($2)";

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

    internal const string SweepEnded = """
        DELETE FROM importer.finding f USING (
            SELECT old.id
            FROM (SELECT i.id FROM importer.import i WHERE i.finished_at < now() - $1
                  AND EXISTS (SELECT 1 FROM importer.finding x WHERE x.import_id = i.id) ORDER BY i.id LIMIT 1) ended
            JOIN importer.finding old ON old.import_id = ended.id
            LIMIT $2 FOR UPDATE OF old SKIP LOCKED
        ) gone
        WHERE f.id = gone.id
        """;

    public sealed class Configuration : IEntityTypeConfiguration<StoredFinding>
    {
        public void Configure(EntityTypeBuilder<StoredFinding> entity)
        {
            entity.ToTable("finding", t => t.HasCheckConstraint("finding_severity_is_known", "severity IN ('error', 'warning')"));
            entity.HasKey(f => f.Id);
            entity.HasIndex(f => new { f.ImportId, f.RowNumber });
            entity.HasIndex(f => new { f.ImportId, f.OtherRow }).HasFilter("other_row IS NOT NULL");
        }
    }
}
