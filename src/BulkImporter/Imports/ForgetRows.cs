using BulkImporter.Data;
using Npgsql;

namespace BulkImporter.Imports;

/// <summary>Removes what a manifest was read into, in the caller's transaction: before it is read again, and while nothing of it was sent.</summary>
internal static class ForgetRows
{
    private static readonly string[] Statements =
    [
        "DELETE FROM importer.import_chunk WHERE import_id = $1",
        "DELETE FROM importer.import_record WHERE import_id = $1",
        "DELETE FROM importer.record_meta WHERE import_id = $1",
        "DELETE FROM importer.finding WHERE import_id = $1",
        "DELETE FROM importer.probe WHERE import_id = $1",
        "DELETE FROM importer.source_key_block WHERE import_id = $1",
    ];

    public static async Task RunAsync(NpgsqlConnection connection, int importId, CancellationToken cancellationToken)
    {
        foreach (var statement in Statements) await connection.ExecuteLongAsync(statement, cancellationToken, importId);
    }
}
