using BulkImporter.Data;
using Npgsql;

namespace BulkImporter.Imports;

/// <summary>A chunk's range of rows and their states, and the import that it belongs to.</summary>
public sealed record ChunkView(int ImportId, string ImportName, ImportState ImportState, int Number, int FirstRow, int LastRow, StateCounts Counts);

/// <summary>Chunks as they stand at this moment.</summary>
public sealed class ReadChunks(NpgsqlDataSource database)
{
    private const string One = """
        SELECT i.id, i.name, i.state, c.number, c.first_row, c.last_row, c.pending_count, c.submitting_count, c.submitted_count, c.imported_count,
            c.failed_count, c.unknown_count, c.cancelled_count, c.invalid_count, c.duplicate_count
        FROM importer.import_chunk c JOIN importer.import i ON i.id = c.import_id
        WHERE c.import_id = $1 AND c.number = $2
        """;

    /// <summary>The chunk, or null when the import has none with this number.</summary>
    public async Task<ChunkView?> FindAsync(int importId, int number, CancellationToken cancellationToken) =>
        await database.QueryAsync(One, Read, cancellationToken, importId, number) is [var found] ? found : null;

    private static ChunkView Read(NpgsqlDataReader r) => new(
        r.GetInt32(0), r.GetString(1), EnumText<ImportState>.Parse(r.GetString(2)), r.GetInt32(3), r.GetInt32(4), r.GetInt32(5), ReadImports.Counts(r, 6));
}
