using BulkImporter.Data;
using Cincopa.Client;
using Npgsql;

namespace BulkImporter.Records;

/// <summary>An import's records in the order of the manifest.</summary>
public sealed class ReadRecords(NpgsqlDataSource database)
{
    private const string Columns = """
        r.row_number, r.line_number, r.source_url, r.caption, r.reference_id, r.state, r.status_id, r.rid, r.attempt_count,
        r.error_code, r.error_message, r.next_attempt_at, r.submitted_at, r.finished_at, r.possibly_duplicated,
        p.progress_percent, p.progress_bytes, p.total_bytes,
        f.state, f.failed_count, f.error_code, f.error_message, f.next_at
        """;

    private const string Progress = "LEFT JOIN importer.status_poll p ON p.import_id = $1 AND p.row_number = r.row_number AND r.state = 'submitted' "
        + "LEFT JOIN importer.record_finish f ON f.import_id = $1 AND f.row_number = r.row_number AND r.state = 'imported'";

    private const string Attempts = """
        SELECT number, started_at, finished_at, worker, status_id, outcome, http_status, message
        FROM importer.attempt WHERE import_id = $1 AND row_number = $2 ORDER BY number
        """;

    private const string Examples = """
        SELECT c.code, e.error_message FROM unnest($2::text[]) AS c(code)
        CROSS JOIN LATERAL (
            SELECT r.error_message FROM importer.import_record r
            WHERE r.import_id = $1 AND r.error_code = c.code AND r.state IN ('failed', 'unknown') AND r.error_message <> ''
            ORDER BY r.row_number LIMIT 1) e
        """;

    /// <param name="afterRow">The <see cref="Page{T}.Next"/> of the page before; 0 for the first.</param>
    public Task<Page<RecordView>> ListAsync(int importId, RecordFilter filter, int afterRow, int limit, CancellationToken cancellationToken) =>
        ListAsync(importId, filter, afterRow, int.MaxValue, limit, cancellationToken);

    /// <summary>The same for a part of the import, so that a look through a million records can show what it has found so far.</summary>
    /// <param name="throughRow">The last row that is looked at.</param>
    public async Task<Page<RecordView>> ListAsync(int importId, RecordFilter filter, int afterRow, int throughRow, int limit, CancellationToken cancellationToken)
    {
        var parameters = new List<object?> { importId, afterRow, limit + 1, throughRow };
        var condition = filter.Condition(parameters);
        // No index holds the state; the chunks' counters tell which key ranges have a record in it.
        var sql = filter.State is { } state && filter.Code is null && filter.RowNumbers is null
            ? $"""
               SELECT {Columns}
               FROM importer.import_chunk c
               CROSS JOIN LATERAL (
                   SELECT * FROM importer.import_record r
                   WHERE r.import_id = $1 AND r.row_number BETWEEN c.first_row AND c.last_row AND r.row_number > $2 AND r.row_number <= $4{condition}
                   ORDER BY r.row_number LIMIT $3) r
               {Progress}
               WHERE c.import_id = $1 AND c.last_row > $2 AND c.first_row <= $4 AND c.{EnumText<RecordState>.Of(state)}_count > 0
               ORDER BY c.number, r.row_number LIMIT $3
               """
            : $"""
               SELECT {Columns}
               FROM importer.import_record r
               {Progress}
               WHERE r.import_id = $1 AND r.row_number > $2 AND r.row_number <= $4{condition}
               ORDER BY r.row_number LIMIT $3
               """;
        var rows = await database.QueryAsync(sql, Read, cancellationToken, [.. parameters]);
        return Page<RecordView>.Of(rows, limit, r => r.RowNumber);
    }

    /// <summary>One record with its attempts, or null when the import has no such row.</summary>
    public async Task<RecordDetail?> FindAsync(int importId, int rowNumber, CancellationToken cancellationToken)
    {
        var found = await ListAsync(importId, new RecordFilter { RowNumbers = [rowNumber] }, 0, 1, cancellationToken);
        if (found.Items is not [var record]) return null;
        return new(record, await database.QueryAsync(Attempts, ReadAttempt, cancellationToken, importId, rowNumber));
    }

    /// <summary>For each of these codes what was said of the first record that failed, or is in doubt, with it; codes that nothing was said of are left out.</summary>
    public async Task<IReadOnlyDictionary<string, string>> ExamplesAsync(int importId, IEnumerable<string> codes, CancellationToken cancellationToken) =>
        (await database.QueryAsync(Examples, r => (Code: r.GetString(0), Message: r.GetString(1)), cancellationToken, importId, codes.ToArray()))
            .ToDictionary(e => e.Code, e => e.Message);

    /// <summary>How many records the filter selects; null when they are more than <paramref name="most"/> and only a walk over them would tell.</summary>
    public async Task<int?> CountAsync(int importId, RecordFilter filter, int most, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        if (filter.IsByStateOnly) return (await CountByStateAsync(connection, importId, filter, cancellationToken)).Values.Sum();
        var parameters = new List<object?> { importId, most + 1L };
        var sql = $"SELECT count(*)::int FROM (SELECT FROM importer.import_record r WHERE r.import_id = $1{filter.Condition(parameters)} LIMIT $2) r";
        var count = (await connection.QueryAsync(sql, r => r.GetInt32(0), cancellationToken, [.. parameters]))[0];
        return count > most ? null : count;
    }

    /// <summary>How many records the filter selects in each state; states without any are left out.</summary>
    internal static async Task<Dictionary<RecordState, int>> CountByStateAsync(
        NpgsqlConnection connection, int importId, RecordFilter filter, CancellationToken cancellationToken)
    {
        var parameters = new List<object?> { importId };
        var sql = filter.IsByStateOnly
            ? $"SELECT s.state, s.n FROM (SELECT {string.Join(", ", EnumText<RecordState>.All.Select(s => $"coalesce(sum({s}_count), 0)::int AS {s}"))} FROM importer.import_chunk WHERE import_id = $1) c CROSS JOIN LATERAL (VALUES {string.Join(", ", EnumText<RecordState>.All.Select(s => $"('{s}', c.{s})"))}) s(state, n) WHERE s.n > 0"
            : $"SELECT r.state, count(*)::int FROM importer.import_record r WHERE r.import_id = $1{filter.Condition(parameters)} GROUP BY r.state";
        var counts = await connection.QueryAsync(
            sql, r => (State: EnumText<RecordState>.Parse(r.GetString(0)), Count: r.GetInt32(1)), cancellationToken, [.. parameters]);
        return counts.Where(c => filter.State is null || c.State == filter.State).ToDictionary(c => c.State, c => c.Count);
    }

    private static RecordView Read(NpgsqlDataReader r) => new(
        r.GetInt32(0), r.GetInt32(1), Shown(r, 2), Shown(r, 3), Shown(r, 4), EnumText<RecordState>.Parse(r.GetString(5)), r.Text(6), r.Text(7), r.GetInt16(8),
        r.Text(9) is { } code ? new RecordError(code, FailureCodes.ClassOf(code), r.Text(10)) : null,
        r.IsDBNull(15) ? null : r.GetInt16(15), r.IsDBNull(16) ? null : r.GetInt64(16), r.IsDBNull(17) ? null : r.GetInt64(17),
        r.Time(11), r.Time(12), r.Time(13), r.GetBoolean(14),
        r.Text(18) is { } finish ? new FinishView(finish, r.GetInt16(19), r.Text(20), r.Text(21), finish == "pending" ? r.Time(22) : null) : null);

    /// <summary>What the manifest says, without the secrets in it: an address may stand in any of its columns.</summary>
    private static string? Shown(NpgsqlDataReader r, int column) => r.Text(column) is { } text ? Redact.Secrets(text) : null;

    private static AttemptView ReadAttempt(NpgsqlDataReader r) => new(
        r.GetInt16(0), r.GetFieldValue<DateTimeOffset>(1), r.Time(2), r.GetString(3), r.Text(4), r.Text(5), FailureCodes.ClassOf(r.Text(5)),
        r.IsDBNull(6) ? null : r.GetInt16(6), r.Text(7));
}
