using System.Data;
using System.IO.Compression;

namespace BulkImporter.Manifests;

/// <summary>Gives a received manifest back byte for byte. Holds one piece in memory and no connection between pieces.</summary>
public sealed class ManifestBytes(NpgsqlDataSource database)
{
    /// <summary>Bytes of every piece but the last, before compression.</summary>
    internal const int PieceSize = 1 << 20;

    /// <summary>A stream that reads forward, from the first byte.</summary>
    /// <exception cref="FileNotFoundException">There is no such manifest, or not all of it was received, or retention has removed
    /// it.</exception>
    public async Task<Stream> OpenAsync(int manifestId, CancellationToken cancellationToken)
    {
        var sizes = await database.QueryAsync<long>("""
            SELECT size_bytes FROM importer.manifest m
            WHERE id = $1 AND received_at IS NOT NULL AND EXISTS (SELECT 1 FROM importer.manifest_part WHERE manifest_id = m.id
                AND number = 0)
            """, cancellationToken, manifestId);
        return sizes is [var size]
            ? new Pieces(database, manifestId, size)
            : throw new FileNotFoundException($"The bytes of manifest {manifestId} are not kept.");
    }

    private sealed class Pieces(NpgsqlDataSource database, int manifestId, long size) : ForwardStream
    {
        private readonly byte[] piece = new byte[PieceSize];
        private readonly byte[] compressed = new byte[BrotliEncoder.GetMaxCompressedLength(PieceSize)];
        private int number;
        private int length;
        private int read;
        private long position;

        public override long Length => size;
        public override long Position { get => position; set => throw new NotSupportedException(); }

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            if (buffer.Length == 0 || position == size) return 0;
            if (read == length) await NextPieceAsync(cancellationToken);
            var count = Math.Min(buffer.Length, length - read);
            piece.AsMemory(read, count).CopyTo(buffer);
            read += count;
            position += count;
            return count;
        }

        private async Task NextPieceAsync(CancellationToken cancellationToken)
        {
            var found = await FetchAsync(cancellationToken);
            if (found < 0 || !BrotliDecoder.TryDecompress(compressed.AsSpan(0, found), piece, out length) || length == 0)
                throw new InvalidDataException($"Piece {number} of manifest {manifestId} is missing or damaged.");
            number++;
            read = 0;
        }

        /// <summary>
        /// The next piece as it is kept, into the buffer: an array for each would be garbage that is collected late. Returns its length, -1
        /// when there is none.
        /// </summary>
        private Task<int> FetchAsync(CancellationToken cancellationToken) => database.OnConnectionAsync(async connection =>
        {
            await using var command = connection.Command("SELECT bytes FROM importer.manifest_part WHERE manifest_id = $1 AND number = $2",
                manifestId, number);
            await using var reader = await command.ExecuteReaderAsync(CommandBehavior.SequentialAccess, cancellationToken);
            if (!await reader.ReadAsync(cancellationToken)) return -1;
            await using var bytes = await reader.GetStreamAsync(0, cancellationToken);
            return await bytes.ReadAtLeastAsync(compressed, compressed.Length, throwOnEndOfStream: false, cancellationToken);
        }, cancellationToken);
    }
}
