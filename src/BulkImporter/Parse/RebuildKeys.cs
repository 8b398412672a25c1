using BulkImporter.Records;
using BulkImporter.Sources;
using BulkImporter.Telemetry;

namespace BulkImporter.Parse;

/// <summary>
/// When the rules of what is the same source have changed, makes the keys that are stored by older ones anew: in the background for all,
/// and before a comparison for the imports that it needs. A block and its records at a time, each in a transaction of its own. An import
/// in review is left alone: it is read again when it starts.
/// </summary>
public sealed class RebuildKeys(NpgsqlDataSource database)
{
    private const int BlocksPerRound = 100;

    private const string Outdated = """
        SELECT b.import_id, b.first_row FROM importer.source_key_block b JOIN importer.import i ON i.id = b.import_id
        WHERE b.generation < $1 AND i.state IN ('running', 'paused', 'finished', 'cancelled') AND ($2::int[] IS NULL OR i.id = ANY ($2))
        ORDER BY b.import_id, b.first_row LIMIT $3
        """;

    // Locked first, so that two workers do not make the same block.
    private const string Lock = """
        SELECT length(keys) / $4 AS rows FROM importer.source_key_block WHERE import_id = $1 AND first_row = $2 AND generation < $3
        FOR UPDATE
        """;

    private const string Write = """
        UPDATE importer.source_key_block SET keys = $3, generation = $4 WHERE import_id = $1 AND first_row = $2
        """;

    /// <summary>One round. Returns the number of blocks that were made anew.</summary>
    public async Task<int> RunAsync(CancellationToken cancellationToken)
    {
        var outdated = await ReadAsync(database, null, BlocksPerRound, cancellationToken);
        await EachItem.RunAsync(outdated, b => $"rows from {b.FirstRow} of import {b.ImportId}",
            b => BlockAsync(database, b, cancellationToken), cancellationToken);
        return outdated.Count;
    }

    /// <summary>All blocks of some imports; whoever compares with them can do so afterwards.</summary>
    internal static async Task OfAsync(NpgsqlDataSource database, int[] imports, CancellationToken cancellationToken)
    {
        foreach (var block in await ReadAsync(database, imports, int.MaxValue, cancellationToken))
            await BlockAsync(database, block, cancellationToken);
    }

    private static Task<List<Block>> ReadAsync(NpgsqlDataSource database, int[]? imports, int most, CancellationToken cancellationToken) =>
        database.QueryAsync<Block>(Outdated, cancellationToken, SourceKey.Generation, imports, most);

    private static Task BlockAsync(
        NpgsqlDataSource database, Block block, CancellationToken cancellationToken) =>
        database.OnConnectionAsync(async connection =>
    {
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        if (await connection.QueryAsync<int>(Lock, cancellationToken, block.ImportId, block.FirstRow, SourceKey.Generation,
            SourceKeyBlock.KeySize) is not [var rows]) return;
        var made = await RekeyRecords.RunAsync(connection, block.ImportId, block.FirstRow, block.FirstRow + rows - 1, cancellationToken);
        var keys = new byte[made.Count * SourceKeyBlock.KeySize];
        for (var row = 0; row < made.Count; row++)
            made[row]?.WriteTo(keys.AsSpan(row * SourceKeyBlock.KeySize, SourceKeyBlock.KeySize));
        await connection.ExecuteAsync(Write, cancellationToken, block.ImportId, block.FirstRow, keys, SourceKey.Generation);
        await transaction.CommitAsync(cancellationToken);
    }, cancellationToken);

    private sealed record Block(int ImportId, int FirstRow);
}
