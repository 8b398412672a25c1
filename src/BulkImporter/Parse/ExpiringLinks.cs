using BulkImporter.Records;

namespace BulkImporter.Parse;

/// <summary>
/// The signed links of an import being parsed that run out one day: a temporary table, which the parse fills batch by batch, and looks at
/// when all rows are there.
/// </summary>
internal static class ExpiringLinks
{
    private const string Table = "expiring";

    private const string Make = $"""
        CREATE TEMP TABLE IF NOT EXISTS {Table} (row_number int NOT NULL, line_number bigint NOT NULL, expires_at timestamptz NOT NULL,
            value text NOT NULL) ON COMMIT DROP
        """;

    /// <summary>
    /// Signed links that run out before the import's estimated end: what waits before it in the account and its own rows, at the account's
    /// limit or, when it has none or was slower, at the speed of its last import of some size; stretched to the hours in which it may send.
    /// </summary>
    private const string Note = $"""
        {StoredFinding.Insert}
        SELECT $1, e.row_number, e.line_number, $2, 'url_expires_soon', 'warning', e.value, NULL, NULL
        FROM {Table} e
        JOIN importer.import_record r ON r.import_id = $1 AND r.row_number = e.row_number AND r.state = 'pending'
        WHERE e.expires_at <= (
            SELECT coalesce(importer.opens_at(i.start_at, i.window_from, i.window_until, i.window_zone), now())
                + make_interval(secs => least(3e9, (
                    (SELECT count(*) FROM importer.import_record p WHERE p.import_id = $1 AND p.state = 'pending')
                    + (SELECT coalesce(sum(c.pending_count), 0) FROM importer.import o JOIN importer.import_chunk c ON c.import_id = o.id
                       WHERE o.account_id = i.account_id AND o.id <> i.id AND o.state IN ('running', 'paused'))
                    ) / speed.per_second
                    * CASE WHEN i.window_zone IS NULL THEN 1
                           ELSE 86400 / extract(epoch FROM i.window_until - i.window_from + CASE WHEN i.window_until < i.window_from
                               THEN interval '1 day' ELSE interval '0' END) END))
            FROM importer.import i JOIN importer.account a ON a.id = i.account_id
            CROSS JOIN LATERAL (
                SELECT least(nullif(a.submit_rate, 0), (
                    SELECT l.row_count / extract(epoch FROM l.finished_at - l.started_at)::float8 FROM importer.import l
                    WHERE l.account_id = a.id AND l.state = 'finished' AND l.row_count >= 1000 AND l.finished_at > l.started_at
                        AND l.window_zone IS NULL AND l.start_at IS NULL
                    ORDER BY l.finished_at DESC LIMIT 1)) AS per_second) speed
            WHERE i.id = $1 AND speed.per_second > 0)
        """;

    public static CopyRows Rows() => new(Table, "row_number", "line_number", "expires_at", "value");

    /// <summary>Makes the table in the parse's transaction, at whose end it goes; once for all batches.</summary>
    public static Task MakeAsync(NpgsqlConnection connection, CancellationToken cancellationToken) =>
        connection.ExecuteAsync(Make, cancellationToken);

    /// <summary>Adds a warning for each link that runs out too soon.</summary>
    public static Task NoteAsync(NpgsqlConnection connection, int importId, string? urlColumn, CancellationToken cancellationToken) =>
        connection.ExecuteLongAsync(Note, cancellationToken, importId, urlColumn);
}
