namespace BulkImporter.Imports;

/// <summary>
/// Removes the rows that hang on an import, whoever owns their tables: at once before its manifest is read again, step by step when the
/// import was deleted.
/// </summary>
internal static class ForgetRows
{
    /// <summary>What parsing and probing made.</summary>
    private static readonly string[] OfParse = ["import_chunk", "import_record", "record_meta", "finding", "probe", "source_key_block"];

    /// <summary>What may have as many rows as the import has records, or more. What is left goes with the import.</summary>
    /// <remarks>
    /// Chunks after the records that they count, and assets after both: their trigger finds no chunk then, and counts nothing that will be
    /// gone in a moment.
    /// </remarks>
    internal static readonly string[] OfRecords =
    [
        "attempt", "record_finish", "record_undo", "record_meta", "push_upload", "finding", "correction", "reconcile_candidate",
        "work_batch", "import_record", "import_chunk", "record_asset",
    ];

    // Rows that another worker removes in this moment are still there for the condition, so the import outlives them.
    internal static readonly string End = $"""
        DELETE FROM importer.import WHERE id = $1 AND state = 'deleting'
            {string.Concat(OfRecords.Select(table => $"AND NOT EXISTS (SELECT 1 FROM importer.{table} WHERE import_id = $1) "))}
        """;

    /// <summary>Runs in the caller's transaction, while nothing of the import was sent.</summary>
    public static async Task RunAsync(NpgsqlConnection connection, int importId, CancellationToken cancellationToken)
    {
        foreach (var table in OfParse)
            await connection.ExecuteLongAsync($"DELETE FROM importer.{table} WHERE import_id = $1", cancellationToken, importId);
    }

    /// <summary>
    /// Removes the corrections, too, where the rows will be others: a correction knows its row by its number alone. Returns how many values
    /// those were.
    /// </summary>
    public static Task<int> CorrectionsAsync(NpgsqlConnection connection, int importId, CancellationToken cancellationToken) =>
        connection.ExecuteAsync("DELETE FROM importer.correction WHERE import_id = $1", cancellationToken, importId);

    /// <summary>Removes at most $2 rows of import $1 from a table.</summary>
    internal static string Step(string table) => $"""
        DELETE FROM importer.{table} WHERE ctid = ANY (ARRAY(SELECT ctid FROM importer.{table} WHERE import_id = $1 LIMIT $2
            FOR UPDATE SKIP LOCKED))
        """;
}
