using BulkImporter.Sources;

namespace BulkImporter.Records;

/// <summary>Makes the source keys of some records anew, by the rules of today.</summary>
internal static class RekeyRecords
{
    private const string LockChunks = """
        SELECT 1 FROM importer.import_chunk WHERE import_id = $1 AND first_row <= $3 AND last_row >= $2 ORDER BY number FOR NO KEY UPDATE
        """;

    private const string Read = """
        SELECT row_number, state = 'duplicate' AS is_duplicate, source_url, source_key FROM importer.import_record
        WHERE import_id = $1 AND row_number BETWEEN $2 AND $3 ORDER BY row_number
        """;

    private const string Table = "rekeyed";

    private const string Make = $"CREATE TEMP TABLE {Table} (row_number int PRIMARY KEY, source_key uuid NOT NULL) ON COMMIT DROP";

    private const string Change = $"""
        UPDATE importer.import_record r SET source_key = k.source_key FROM {Table} k
        WHERE r.import_id = $1 AND r.row_number BETWEEN $2 AND $3 AND r.row_number = k.row_number
        """;

    /// <summary>
    /// Runs in the caller's transaction. Returns the key of each row from the first to the last; null for one that has none.
    /// </summary>
    public static async Task<List<SourceKey?>> RunAsync(
        NpgsqlConnection connection, int importId, int firstRow, int lastRow, CancellationToken cancellationToken)
    {
        await connection.ExecuteAsync(LockChunks, cancellationToken, importId, firstRow, lastRow);
        var rows = await connection.QueryAsync<Row>(Read, cancellationToken, importId, firstRow, lastRow);
        var keys = new List<SourceKey?>(rows.Count);
        var changed = new CopyRows(Table, "row_number", "source_key");
        foreach (var row in rows)
        {
            // A row without a key was invalid; of a duplicate the address may be stored as it is shown, and its key was made of the whole.
            var key = row.SourceKey is { } old && row.SourceUrl is { } url
                ? row.IsDuplicate && (url.Contains('…', StringComparison.Ordinal) || url.Contains("***", StringComparison.Ordinal))
                    ? new SourceKey(old) : SourceKey.Of(url)
                : (SourceKey?)null;
            keys.Add(key);
            if (key is null || key.Value.Value == row.SourceKey) continue;
            changed.StartRow();
            changed.Write(row.RowNumber);
            changed.Write(key.Value.Value);
        }
        if (changed.Length == 0) return keys;
        await connection.ExecuteAsync(Make, cancellationToken);
        await changed.SendAsync(connection, cancellationToken);
        await connection.ExecuteAsync(Change, cancellationToken, importId, firstRow, lastRow);
        return keys;
    }

    private sealed record Row(int RowNumber, bool IsDuplicate, string? SourceUrl, Guid? SourceKey);
}
