using BulkImporter.Manifests;

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

    /// <summary>What stands now in each corrected field of the rows $2 to $3 of import $1, as <see cref="CorrectedField"/>.</summary>
    internal const string Latest = """
        SELECT DISTINCT ON (c.row_number, c.field) c.row_number, c.field, c.new_value AS value
        FROM importer.correction c WHERE c.import_id = $1 AND c.row_number BETWEEN $2 AND $3
        ORDER BY c.row_number, c.field, c.id DESC
        """;

    /// <summary>What was replaced, within a statement that has "moved": the corrections with the old values.</summary>
    /// <param name="actor">The parameter that says who acts.</param>
    internal static string Insert(string actor) => $"""
        INSERT INTO importer.correction (import_id, row_number, at, actor, field, old_value, new_value)
            SELECT m.import_id, m.row_number, now(), {actor}, v.field, v.old_value, v.new_value
            FROM moved m
            CROSS JOIN LATERAL (VALUES ('url', m.old_url, m.url), ('caption', m.old_caption, m.caption),
                ('reference_id', m.old_reference_id, m.reference_id),
                ('transfer', CASE WHEN m.was_push THEN 'push' ELSE 'pull' END,
                    CASE WHEN m.is_push THEN 'push' WHEN NOT m.is_push THEN 'pull' END)) v(field, old_value, new_value)
            WHERE v.new_value IS NOT NULL
            ORDER BY m.row_number
        """;

    // Of an import in review, whose manifest is read again with it: no record moves.
    private static readonly string NoteOnly = $"""
        WITH correction AS MATERIALIZED (
            SELECT $1::int AS import_id, c.* FROM unnest($2::importer.row_correction[]) c
        ), moved AS (
            SELECT c.*, r.source_url AS old_url, r.caption AS old_caption, r.reference_id AS old_reference_id, r.is_push AS was_push
            FROM correction c JOIN importer.import_record r USING (import_id, row_number)
        ), noted AS (
            {Insert("$3")}
        )
        SELECT row_number FROM moved
        """;

    /// <summary>
    /// Keeps values for rows of an import in review, in the caller's transaction: its manifest is then read again, with them. Returns the
    /// rows.
    /// </summary>
    public static async Task<IReadOnlySet<int>> NoteAsync(
        NpgsqlConnection connection, int importId,
        IReadOnlyList<RecordCorrection> corrections, string actor, CancellationToken cancellationToken)
    {
        await connection.LeaveOnlyKeysAsync(cancellationToken);
        return (await connection.QueryAsync<int>(NoteOnly, cancellationToken, importId, corrections.ToArray(), actor)).ToHashSet();
    }

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

/// <summary>A value that stands in place of a manifest's.</summary>
internal sealed record CorrectedField(int RowNumber, string Field, string Value)
{
    /// <summary>The values of each corrected row.</summary>
    public static Dictionary<int, Dictionary<ManifestColumn, string>> ByRow(IEnumerable<CorrectedField> fields) =>
        fields.GroupBy(f => f.RowNumber)
            .ToDictionary(row => row.Key, row => row.ToDictionary(f => ManifestFormat.TargetNamed(f.Field)!.Value, f => f.Value));
}
