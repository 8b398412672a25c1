namespace BulkImporter.Records;

/// <content>Within the parse: a record whose source is taken already never becomes work.</content>
public sealed partial class RecordTransitions
{
    /// <summary>
    /// Pending to duplicate, within the parse: every row but the first of those that name the same source. The finding is written with it.
    /// Rows that have a reference id take no part when that alone is what they are known by ($3 is false).
    /// </summary>
    private static readonly string MarkDuplicates = $"""
        WITH shared AS (
            SELECT source_key, min(row_number) AS first_row FROM importer.import_record
            WHERE import_id = $1 AND source_key IS NOT NULL AND ($3 OR reference_id IS NULL)
            GROUP BY source_key HAVING count(*) > 1
        ), moved AS (
            UPDATE importer.import_record r
            SET state = 'duplicate', error_code = 'duplicate_url', finished_at = now(),
                error_message = 'Row ' || shared.first_row || ' has the same address.'
            FROM shared
            WHERE r.import_id = $1 AND r.source_key = shared.source_key AND r.row_number > shared.first_row
                AND ($3 OR r.reference_id IS NULL) AND {IsPending}
            RETURNING r.row_number, r.line_number, r.source_url, shared.first_row
        )
        {StoredFinding.Insert}
        SELECT $1, row_number, line_number, $2, 'duplicate_url', 'error', {Masked("source_url")}, first_row, NULL FROM moved
        """;

    /// <summary>
    /// Pending to duplicate, within the parse: every row but the first of those with the same reference id. The finding is written with it.
    /// </summary>
    private static readonly string MarkRepeated = $"""
        WITH shared AS (
            SELECT reference_id, min(row_number) AS first_row FROM importer.import_record
            WHERE import_id = $1 AND reference_id IS NOT NULL AND state <> 'invalid'
            GROUP BY reference_id HAVING count(*) > 1
        ), moved AS (
            UPDATE importer.import_record r
            SET state = 'duplicate', error_code = 'repeated_reference_id', finished_at = now(),
                error_message = 'Row ' || shared.first_row || ' has the same reference id.'
            FROM shared
            WHERE r.import_id = $1 AND r.reference_id = shared.reference_id AND r.row_number > shared.first_row AND {IsPending}
            RETURNING r.row_number, r.line_number, r.reference_id, shared.first_row
        )
        {StoredFinding.Insert}
        SELECT $1, row_number, line_number, $2, 'repeated_reference_id', 'error', {Masked("reference_id")}, first_row, NULL FROM moved
        """;

    /// <summary>
    /// Marks the rows of an import that is being parsed that an earlier row of it is like, in the parse's transaction. Returns how many.
    /// </summary>
    /// <param name="byReference">By their reference id, and not by their source.</param>
    public Task<int> DuplicateAsync(
        NpgsqlConnection connection, int importId, RowIdentity identity, bool byReference, CancellationToken cancellationToken) =>
        byReference
            ? connection.ExecuteLongAsync(MarkRepeated, cancellationToken, importId, identity.ReferenceColumn)
            : connection.ExecuteLongAsync(MarkDuplicates, cancellationToken, importId, identity.UrlColumn, identity.ByUrlOfAll);

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
            WHERE r.import_id = $1 AND r.source_key = k.source_key AND ($3 OR r.reference_id IS NULL) AND {IsPending}
            RETURNING r.row_number, r.line_number, r.source_url, k.import_id AS other_import, k.row_number AS other_row
        )
        {StoredFinding.Insert}
        SELECT $1, row_number, line_number, $2, 'already_imported', 'error', {Masked("source_url")}, other_row, other_import FROM moved
        """;

    /// <summary>
    /// Pending to duplicate, within the parse: what an earlier import of the account has under the same reference id. With another source
    /// it is that record with a new address. The finding is written with it.
    /// </summary>
    private static readonly string MarkKnownByReference = $"""
        WITH moved AS (
            UPDATE importer.import_record r
            SET state = 'duplicate', finished_at = now(),
                error_code = CASE WHEN k.is_same_source THEN 'already_imported' ELSE 'new_address' END,
                error_message = format(CASE
                    WHEN k.is_same_source AND k.state = 'imported' THEN 'Row %s of import %s has imported this address.'
                    WHEN k.is_same_source THEN 'Row %s of import %s has this address in progress.'
                    WHEN k.state = 'imported' THEN
                        'Row %s of import %s has imported this reference id from another address. It is left alone.'
                    WHEN k.state = 'failed' THEN
                        'Row %s of import %s has this reference id and has failed. It gets this address when this import starts. '
                        || 'Rerun it there.'
                    ELSE
                        'Row %s of import %s has this reference id in progress. It gets this address when this import starts, '
                        || 'if it still waits.'
                    END, k.row_number, k.import_id)
            FROM {KnownSources.ReferenceTable} k
            WHERE r.import_id = $1 AND r.row_number = k.new_row AND {IsPending}
            RETURNING r.row_number, r.line_number, r.error_code, r.reference_id, k.import_id AS other_import, k.row_number AS other_row
        )
        {StoredFinding.Insert}
        SELECT $1, row_number, line_number, $2, error_code, 'error', {Masked("reference_id")}, other_row, other_import FROM moved
        """;

    /// <summary>
    /// Marks the rows of an import that is being parsed that are among the <see cref="KnownSources"/>, in the parse's transaction. Returns
    /// how many.
    /// </summary>
    /// <param name="byReference">By their reference id, and not by their source.</param>
    public Task<int> KnownEarlierAsync(
        NpgsqlConnection connection, int importId, RowIdentity identity, bool byReference, CancellationToken cancellationToken) =>
        byReference
            ? connection.ExecuteLongAsync(MarkKnownByReference, cancellationToken, importId, identity.ReferenceColumn)
            : connection.ExecuteLongAsync(MarkKnown, cancellationToken, importId, identity.UrlColumn, identity.ByUrlOfAll);

    /// <summary>
    /// An address or a reference id of a row that is not invalid, as a finding shows it (<c>FindingMask</c> in SQL): without its query, at
    /// most 120 characters. For findings that only the database can make.
    /// </summary>
    internal static string Masked(string value) =>
        $"(SELECT CASE WHEN length(m) <= 120 THEN m ELSE left(m, 119) || '…' END FROM regexp_replace({value}, '(//[^?#]*[?#]).+', "
            + "'\\1…') AS m)";
}
