using BulkImporter.Data;
using Npgsql;

namespace BulkImporter.Records;

/// <content>Within the parse: a record whose source is taken already never becomes work.</content>
public sealed partial class RecordTransitions
{
    /// <summary>
    /// Pending to duplicate, within the parse: every row but the first of those that name the same source. The finding is written with it.
    /// </summary>
    private static readonly string MarkDuplicates = $"""
        WITH shared AS (
            SELECT source_key, min(row_number) AS first_row FROM importer.import_record
            WHERE import_id = $1 AND source_key IS NOT NULL
            GROUP BY source_key HAVING count(*) > 1
        ), moved AS (
            UPDATE importer.import_record r
            SET state = 'duplicate', error_code = 'duplicate_url', finished_at = now(),
                error_message = 'Row ' || shared.first_row || ' has the same address.'
            FROM shared
            WHERE r.import_id = $1 AND r.source_key = shared.source_key AND r.row_number > shared.first_row AND {IsPending}
            RETURNING r.row_number, r.line_number, r.source_url, shared.first_row
        )
        {StoredFinding.Insert}
        SELECT $1, row_number, line_number, $2, 'duplicate_url', 'error', {Masked("source_url")}, first_row, NULL FROM moved
        """;

    /// <summary>Marks the duplicates of an import that is being parsed, in the parse's transaction. Returns how many.</summary>
    public Task<int> DuplicateAsync(NpgsqlConnection connection, int importId, string? urlColumn, CancellationToken cancellationToken) =>
        connection.ExecuteLongAsync(MarkDuplicates, cancellationToken, importId, urlColumn);

    /// <summary>
    /// Pending to duplicate, within the parse: what an earlier import of the account has. The finding is written with it.
    /// </summary>
    private static readonly string MarkKnown = $"""
        WITH moved AS (
            UPDATE importer.import_record r
            SET state = 'duplicate', error_code = 'already_imported', finished_at = now(),
                error_message = format(CASE WHEN k.imported THEN 'Row %s of import %s has imported this address.'
                    ELSE 'Row %s of import %s has this address in progress.' END, k.row_number, k.import_id)
            FROM {KnownSources.Table} k
            WHERE r.import_id = $1 AND r.source_key = k.source_key AND {IsPending}
            RETURNING r.row_number, r.line_number, r.source_url, k.import_id AS other_import, k.row_number AS other_row
        )
        {StoredFinding.Insert}
        SELECT $1, row_number, line_number, $2, 'already_imported', 'error', {Masked("source_url")}, other_row, other_import FROM moved
        """;

    /// <summary>
    /// Marks the rows of an import that is being parsed whose source is among the <see cref="KnownSources"/>, in the parse's transaction.
    /// Returns how many.
    /// </summary>
    public Task<int> KnownEarlierAsync(NpgsqlConnection connection, int importId, string? urlColumn, CancellationToken cancellationToken) =>
        connection.ExecuteLongAsync(MarkKnown, cancellationToken, importId, urlColumn);

    /// <summary>
    /// An address or a reference id of a row that is not invalid, as a finding shows it (<c>FindingMask</c> in SQL): without its query, at
    /// most 120 characters. For findings that only the database can make.
    /// </summary>
    internal static string Masked(string value) =>
        $"(SELECT CASE WHEN length(m) <= 120 THEN m ELSE left(m, 119) || '…' END FROM regexp_replace({value}, '(//[^?#]*[?#]).+', "
            + "'\\1…') AS m)";
}
