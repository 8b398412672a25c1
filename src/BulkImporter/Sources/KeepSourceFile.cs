using System.Security.Cryptography;

namespace BulkImporter.Sources;

/// <summary>A file that is kept here.</summary>
/// <param name="Sha256">Of its bytes, 64 lower-case hexadecimal digits: what names it.</param>
/// <param name="SizeBytes">Of the file.</param>
public sealed record KeptFile(string Sha256, long SizeBytes);

/// <summary>The file, or all files together, would be more than is kept here.</summary>
public sealed class SourceFileTooLargeException(string message) : Exception(message);

/// <summary>
/// Takes a file's bytes as they come and keeps them in pieces, each committed on its own, so that memory does not grow with the file. Only
/// the last statement makes it a file; what breaks before is removed, at once or by retention.
/// </summary>
public sealed class KeepSourceFile(NpgsqlDataSource database, IOptions<SourceOptions> options)
{
    /// <summary>Bytes of every piece but the last.</summary>
    internal const int PieceSize = 1 << 20;

    private const string Begin = "INSERT INTO importer.source_file (size_bytes, created_at) VALUES (0, now()) RETURNING id";

    private const string Keep = "INSERT INTO importer.source_file_part (source_file_id, number, bytes) VALUES ($1, $2, $3)";

    private const string Received = """
        UPDATE importer.source_file SET sha256 = $2, size_bytes = $3, received_at = now()
        WHERE id = $1 AND (SELECT count(*) FROM importer.source_file_part WHERE source_file_id = $1) = $4
            AND NOT EXISTS (SELECT 1 FROM importer.source_file WHERE sha256 = $2)
        """;

    private const string Again = "UPDATE importer.source_file SET received_at = now() WHERE sha256 = $1";

    private const string Discard = "DELETE FROM importer.source_file WHERE id = $1 AND received_at IS NULL";

    /// <summary>The file is kept when this returns; the same bytes again are not kept twice.</summary>
    /// <param name="announced">How many bytes the sender says that there are, so that too many are refused before they come; null when it
    /// does not say.</param>
    /// <exception cref="InvalidArgumentException">There are no bytes.</exception>
    /// <exception cref="SourceFileTooLargeException">There are too many, of this file or of all.</exception>
    public async Task<KeptFile> RunAsync(Stream bytes, long? announced, CancellationToken cancellationToken)
    {
        var others =
            (await database.QueryAsync<long>("SELECT coalesce(sum(size_bytes), 0)::bigint FROM importer.source_file",
                cancellationToken))[0];
        Check(announced ?? 0, others);
        var piece = new byte[PieceSize];
        var length = await bytes.ReadAtLeastAsync(piece, piece.Length, throwOnEndOfStream: false, cancellationToken);
        if (length == 0) throw new InvalidArgumentException("file", "The file is empty.");

        // 1. A row to hang the pieces on.
        var id = (await database.QueryAsync<int>(Begin, cancellationToken))[0];
        var isKept = false;
        try
        {
            // 2. The pieces.
            using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            long size = 0;
            var number = 0;
            for (; length > 0; number++)
            {
                size += length;
                Check(size, others);
                hash.AppendData(piece, 0, length);
                await database.ExecuteAsync(Keep, cancellationToken, id, number, new ArraySegment<byte>(piece, 0, length));
                length = length < piece.Length
                    ? 0 : await bytes.ReadAtLeastAsync(piece, piece.Length, throwOnEndOfStream: false, cancellationToken);
            }

            // 3. Now it is a file, unless its bytes are here already.
            var sha256 = hash.GetHashAndReset();
            isKept = await ReceiveAsync(id, sha256, size, number, cancellationToken);
            if (!isKept && await database.ExecuteAsync(Again, cancellationToken, sha256) == 0)
                throw new InvalidOperationException("The file was removed while it was uploaded.");
            return new(Convert.ToHexStringLower(sha256), size);
        }
        finally
        {
            // What broke would take room for a day; should this fail too, retention removes it.
            if (!isKept) await DiscardAsync(id);
        }
    }

    private Task<int> DiscardAsync(int id) => database.OnConnectionAsync(
        connection => connection.ExecuteLongAsync(Discard, CancellationToken.None, id), CancellationToken.None);

    private async Task<bool> ReceiveAsync(int id, byte[] sha256, long size, int parts, CancellationToken cancellationToken)
    {
        try
        {
            return await database.ExecuteAsync(Received, cancellationToken, id, sha256, size, (long)parts) == 1;
        }
        catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.UniqueViolation)
        {
            // Somebody sent the same bytes in this moment.
            return false;
        }
    }

    private void Check(long size, long others)
    {
        var most = options.Value.FilesLimitBytes;
        if (size > most) throw new SourceFileTooLargeException(
            $"The file is larger than the limit of {most:N0} bytes (setting BulkImporter:Sources:FilesLimitBytes). "
                + "Put it where this server or Cincopa can read it, and import its address.");
        if (others + size > most) throw new SourceFileTooLargeException(
            $"The files that are waiting here would exceed {most:N0} bytes together (setting BulkImporter:Sources:FilesLimitBytes). "
                + "Send this one when imports have ended and their files have been removed, which is a day later.");
    }
}
