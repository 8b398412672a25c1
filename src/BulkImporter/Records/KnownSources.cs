namespace BulkImporter.Records;

/// <summary>
/// The sources of an import being parsed that the account has already, each with the row that has it: a temporary table, which the parse
/// fills and <see cref="RecordTransitions.KnownEarlierAsync"/> reads in the same transaction.
/// </summary>
internal static class KnownSources
{
    /// <summary>With the columns source_key, import_id, row_number and imported.</summary>
    public const string Table = "known_source";

    /// <summary>The same by reference id, with the columns new_row, import_id, row_number, state and is_same_source.</summary>
    public const string ReferenceTable = "known_reference";

    /// <param name="connection">Of the parse's transaction, at whose end the table goes.</param>
    /// <param name="query">What stands in it; without parameters.</param>
    public static async Task FillAsync(NpgsqlConnection connection, string query, CancellationToken cancellationToken)
    {
        await connection.ExecuteLongAsync($"CREATE TEMP TABLE {Table} ON COMMIT DROP AS {query}", cancellationToken);
        await connection.ExecuteLongAsync($"ANALYZE {Table}", cancellationToken);
    }

    /// <param name="connection">Of the parse's transaction, at whose end the table goes.</param>
    /// <param name="query">What stands in it: of the rows of import $1, in imports $2.</param>
    public static async Task FillReferencesAsync(
        NpgsqlConnection connection, string query, int importId, int[] imports, CancellationToken cancellationToken)
    {
        await connection.ExecuteAsync($"""
            CREATE TEMP TABLE {ReferenceTable} (new_row int NOT NULL, import_id int NOT NULL, row_number int NOT NULL, state text NOT NULL,
                is_same_source boolean NOT NULL) ON COMMIT DROP
            """, cancellationToken);
        await connection.ExecuteLongAsync($"INSERT INTO {ReferenceTable} {query}", cancellationToken, importId, imports);
        await connection.ExecuteLongAsync($"ANALYZE {ReferenceTable}", cancellationToken);
    }
}

/// <summary>By what the rows of an import are known to be ones that were there before, and the columns that say it.</summary>
/// <param name="ByUrlOfAll">False when rows with a reference id are known by that alone.</param>
/// <param name="ByReferenceId">Whether a reference id counts at all.</param>
public sealed record RowIdentity(bool ByUrlOfAll, bool ByReferenceId, string? UrlColumn, string? ReferenceColumn);
