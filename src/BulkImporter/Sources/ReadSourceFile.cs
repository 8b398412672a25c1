using System.Data;

namespace BulkImporter.Sources;

/// <summary>Finds and reads files that were sent here, which manifests name as <c>upload:///SHA256/NAME</c>.</summary>
public sealed class ReadSourceFile(NpgsqlDataSource database)
{
    /// <summary>What an address of such a file begins with.</summary>
    public const string Prefix = "upload:///";

    private const string Find = "SELECT id, sha256, size_bytes FROM importer.source_file WHERE sha256 = $1";

    // One statement: what it finds cannot be removed for as long as retention waits.
    private const string Want =
        "UPDATE importer.source_file SET received_at = now() WHERE sha256 = ANY($1) RETURNING id, sha256, size_bytes";

    /// <summary>The address of a kept file under a name of its own.</summary>
    public static string AddressOf(string sha256, string name) => $"{Prefix}{sha256}/{Uri.EscapeDataString(name)}";

    /// <summary>The hash in an address, or null when it is not the address of a kept file.</summary>
    public static string? HashIn(string address) =>
        address.StartsWith(Prefix, StringComparison.Ordinal) && address.IndexOf('/', Prefix.Length) is > 0 and var end
            ? address[Prefix.Length..end] : null;

    /// <summary>The 32 bytes of a hash as it is written, or null when it is none.</summary>
    public static byte[]? Bytes(string sha256) =>
        sha256.Length == 2 * System.Security.Cryptography.SHA256.HashSizeInBytes && sha256.All(char.IsAsciiHexDigit)
            ? Convert.FromHexString(sha256) : null;

    /// <summary>The file of that hash, or null.</summary>
    public async Task<KeptFile?> FindAsync(string sha256, CancellationToken cancellationToken) =>
        await FindRowAsync(sha256, cancellationToken) is { } found ? new(sha256.ToLowerInvariant(), found.SizeBytes) : null;

    /// <summary>
    /// Keeps files for as long again as if they were sent now, and returns those that are there: the row of each by its hash.
    /// </summary>
    public async Task<IReadOnlyDictionary<string, int>> WantAsync(IEnumerable<string> hashes, CancellationToken cancellationToken)
    {
        var wanted = hashes.Select(Bytes).OfType<byte[]>().ToArray();
        var found = await database.QueryAsync<Found>(Want, cancellationToken, (object)wanted);
        return found.ToDictionary(f => Convert.ToHexStringLower(f.Sha256), f => f.Id, StringComparer.OrdinalIgnoreCase);
    }

    /// <summary>
    /// Opens a file at a place in it; null when it is not kept. Holds one piece in memory and no connection between pieces.
    /// </summary>
    public async Task<KeptFileReader?> OpenAsync(string sha256, long offset, CancellationToken cancellationToken) =>
        await FindRowAsync(sha256, cancellationToken) is { } found ? new KeptFileReader(database, found.Id, found.SizeBytes, offset) : null;

    private async Task<Found?> FindRowAsync(string sha256, CancellationToken cancellationToken) =>
        Bytes(sha256) is { } hash && await database.QueryAsync<Found>(Find, cancellationToken, hash) is [var found] ? found : null;

    private sealed record Found(int Id, byte[] Sha256, long SizeBytes);
}

/// <summary>Reads a kept file forward.</summary>
public sealed class KeptFileReader(NpgsqlDataSource database, int id, long size, long offset)
{
    private readonly byte[] piece = new byte[KeepSourceFile.PieceSize];
    private long position = offset;
    private long pieceStart;
    private int pieceLength;

    public long Size => size;

    /// <summary>Returns 0 at the end.</summary>
    /// <exception cref="IOException">A piece is gone.</exception>
    public async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        if (position >= size || buffer.Length == 0) return 0;
        if (position < pieceStart || position >= pieceStart + pieceLength)
            await FetchAsync((int)(position / piece.Length), cancellationToken);
        var from = (int)(position - pieceStart);
        var count = Math.Min(buffer.Length, pieceLength - from);
        piece.AsMemory(from, count).CopyTo(buffer);
        position += count;
        return count;
    }

    private async Task FetchAsync(int number, CancellationToken cancellationToken)
    {
        pieceLength = await database.OnConnectionAsync(connection => FetchAsync(connection, number, cancellationToken), cancellationToken);
        pieceStart = (long)number * piece.Length;
    }

    private async Task<int> FetchAsync(NpgsqlConnection connection, int number, CancellationToken cancellationToken)
    {
        await using var command =
            connection.Command("SELECT bytes FROM importer.source_file_part WHERE source_file_id = $1 AND number = $2", id, number);
        await using var reader = await command.ExecuteReaderAsync(CommandBehavior.SequentialAccess, cancellationToken);
        if (!await reader.ReadAsync(cancellationToken)) throw new IOException("The file was removed while it was read.");
        await using var bytes = await reader.GetStreamAsync(reader.GetOrdinal("bytes"), cancellationToken);
        return await bytes.ReadAtLeastAsync(piece, piece.Length, throwOnEndOfStream: false, cancellationToken);
    }
}
