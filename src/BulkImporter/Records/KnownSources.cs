using BulkImporter.Data;
using Npgsql;

namespace BulkImporter.Records;

/// <summary>
/// The sources of an import being parsed that the account has already, each with the row that has it: a temporary table, which the parse
/// fills and <see cref="RecordTransitions.KnownEarlierAsync"/> reads in the same transaction.
/// </summary>
internal static class KnownSources
{
    /// <summary>With the columns source_key, import_id, row_number and imported.</summary>
    public const string Table = "known_source";

    /// <param name="connection">Of the parse's transaction, at whose end the table goes.</param>
    /// <param name="query">What stands in it; without parameters.</param>
    /// <param name="cancellationToken">Cancels.</param>
    public static async Task FillAsync(NpgsqlConnection connection, string query, CancellationToken cancellationToken)
    {
        await connection.ExecuteLongAsync($"CREATE TEMP TABLE {Table} ON COMMIT DROP AS {query}", cancellationToken);
        await connection.ExecuteLongAsync($"ANALYZE {Table}", cancellationToken);
    }
}
