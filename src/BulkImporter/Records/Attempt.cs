namespace BulkImporter.Records;

/// <summary>
/// One try of one record that is over, and that the record no longer tells of: it failed, was given back or is in doubt. The try that made
/// the asset, or is on the way to it, is the record itself, and one on the wire stands in its chunk; whoever reads gets all of them (the
/// view <c>attempt_now</c>). Kept until retention removes it.
/// </summary>
public sealed class Attempt
{
    public required int ImportId { get; init; }
    public required int RowNumber { get; init; }
    public required short Number { get; init; }

    /// <summary>When the intent was committed; the call left after this.</summary>
    public required DateTimeOffset StartedAt { get; init; }

    /// <summary>The lease under which the call was made; null where only Cincopa's later answer tells of the attempt.</summary>
    public required string? Worker { get; init; }

    /// <summary>What Cincopa gave for it, also when the answer came too late to count for the record.</summary>
    public string? StatusId { get; set; }

    public DateTimeOffset? FinishedAt { get; set; }

    /// <summary>
    /// Null while open; <c>accepted</c> when Cincopa took it; then <c>imported</c> or a <see cref="FailureCode"/>; <c>reconciled</c> when
    /// it ended in doubt and its asset was found afterwards.
    /// </summary>
    public string? Outcome { get; set; }

    public short? HttpStatus { get; set; }

    /// <summary>What the other side said, redacted and cut.</summary>
    public string? Message { get; set; }

    /// <summary>Bytes of the source as the status call told them, of an attempt that ended in doubt after it was accepted.</summary>
    public long? SizeBytes { get; set; }

    /// <summary>
    /// When the remote side was last looked through for the asset of this attempt, which had ended in doubt; null before the first time.
    /// </summary>
    public DateTimeOffset? LookedAt { get; set; }

    /// <summary>Notes that the remote side was looked through for these attempts.</summary>
    internal const string NoteLooked = """
        UPDATE importer.attempt t SET looked_at = now()
        FROM unnest($1::importer.outcome[]) l
        WHERE t.import_id = l.import_id AND t.row_number = l.row_number AND t.number = l.attempt
        """;

    /// <summary>The remote side was not looked through for the last attempt of row $2 of import $1, as long as that is in doubt.</summary>
    internal const string LookAgain = """
        UPDATE importer.attempt t SET looked_at = NULL FROM importer.import_record r
        WHERE r.import_id = $1 AND r.row_number = $2 AND r.state = 'unknown'
            AND t.import_id = r.import_id AND t.row_number = r.row_number AND t.number = r.attempt_count
        """;

    /// <summary>
    /// Of attempts <paramref name="t"/> the last one of a record in doubt stays: what it may have made is looked for again when its import
    /// runs again.
    /// </summary>
    private static string MayGo(string t) => $"""
        NOT EXISTS (SELECT 1 FROM importer.import_record r WHERE r.import_id = {t}.import_id AND r.row_number = {t}.row_number
            AND r.attempt_count = {t}.number AND r.state = 'unknown')
        """;

    internal static readonly string SweepEnded = $"""
        DELETE FROM importer.attempt a USING (
            SELECT old.import_id, old.row_number, old.number
            FROM (SELECT i.id FROM importer.import i WHERE i.finished_at < now() - $1
                  AND EXISTS (SELECT 1 FROM importer.attempt x WHERE x.import_id = i.id AND {MayGo("x")})
                  AND NOT EXISTS (SELECT 1 FROM importer.status_poll p WHERE p.import_id = i.id) ORDER BY i.id LIMIT 1) ended
            JOIN importer.attempt old ON old.import_id = ended.id AND {MayGo("old")}
            ORDER BY old.row_number, old.number LIMIT $2 FOR UPDATE OF old SKIP LOCKED
        ) gone
        WHERE a.import_id = gone.import_id AND a.row_number = gone.row_number AND a.number = gone.number
        """;

    public sealed class Configuration : IEntityTypeConfiguration<Attempt>
    {
        public void Configure(EntityTypeBuilder<Attempt> entity)
        {
            entity.ToTable("attempt", t => t.HasCheckConstraint("attempt_numbers_start_at_one", "number >= 1")).ToView("attempt_now");
            entity.HasKey(a => new { a.ImportId, a.RowNumber, a.Number });
            // No foreign key to the record: it would be checked for every attempt, and an attempt is only ever written beside its record.
            entity.HasStorageParameter("fillfactor", 75);
        }
    }
}
