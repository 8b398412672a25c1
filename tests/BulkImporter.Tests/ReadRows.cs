using BulkImporter.Data;
using Npgsql;

namespace BulkImporter.Tests;

/// <summary>Reads rows of which a test makes something of its own.</summary>
internal static class ReadRows
{
    public static async Task<List<T>> QueryAsync<T>(
        this NpgsqlDataSource database, string sql, Func<NpgsqlDataReader, T> read, CancellationToken cancellationToken,
        params object?[] parameters)
    {
        var rows = new List<T>();
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var command = connection.Command(sql, parameters);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken)) rows.Add(read(reader));
        return rows;
    }
}
