using System.IO.Compression;
using System.Security.Cryptography;

namespace BulkImporter.Manifests;

/// <param name="Sha256">Of the bytes as received.</param>
public sealed record UploadedManifest(int Id, byte[] Sha256, long SizeBytes);

/// <summary>The file is larger than <see cref="ManifestOptions.UploadLimitBytes"/>.</summary>
public sealed class ManifestTooLargeException(long limitBytes)
    : Exception(
        $"The manifest is larger than the limit of {limitBytes:N0} bytes (setting BulkImporter:Manifests:UploadLimitBytes). Compress it "
            + "(.csv.gz) or split it.");

/// <summary>
/// Stage 1: takes a manifest's bytes as they come and keeps them in pieces, each committed on its own, so that memory does not grow
/// with the file. Only the last statement makes it a manifest; what breaks before is swept.
/// </summary>
public sealed class UploadManifest(NpgsqlDataSource database, IOptions<ManifestOptions> options)
{
    private const string Begin = "INSERT INTO importer.manifest (file_name, size_bytes, created_at) VALUES ($1, 0, now()) RETURNING id";

    private const string Keep = "INSERT INTO importer.manifest_part (manifest_id, number, bytes) VALUES ($1, $2, $3)";

    private const string Received =
        "UPDATE importer.manifest SET sha256 = $2, size_bytes = $3, received_at = now() WHERE id = $1 AND received_at IS NULL";

    private const string Discard = "DELETE FROM importer.manifest WHERE id = $1 AND received_at IS NULL";

    /// <param name="fileName">As the caller named it; a folder in it is dropped.</param>
    /// <exception cref="InvalidArgumentException">There are no bytes, or they are those of another kind of file.</exception>
    /// <exception cref="ManifestTooLargeException">There are too many.</exception>
    public async Task<UploadedManifest> RunAsync(Stream bytes, string fileName, CancellationToken cancellationToken)
    {
        var piece = new byte[ManifestBytes.PieceSize];
        var length = await bytes.ReadAtLeastAsync(piece, piece.Length, throwOnEndOfStream: false, cancellationToken);
        if (length == 0) throw new InvalidArgumentException("file", "The file is empty.");
        if (await ManifestReader.ObstacleAsync(new(piece, 0, length), length < piece.Length, null, cancellationToken) is { } obstacle)
            throw new InvalidArgumentException("file", obstacle.Message);

        // 1. A row to hang the pieces on. Dies here: swept.
        var id = (await database.QueryAsync<int>(Begin, cancellationToken, Bare(fileName)))[0];

        // 2. The pieces. Dies here: swept.
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var compressed = new byte[BrotliEncoder.GetMaxCompressedLength(piece.Length)];
        long size = 0;
        for (var number = 0; length > 0; number++)
        {
            size += length;
            if (size > options.Value.UploadLimitBytes)
            {
                await database.ExecuteAsync(Discard, cancellationToken, id);
                throw new ManifestTooLargeException(options.Value.UploadLimitBytes);
            }
            hash.AppendData(piece, 0, length);
            if (!BrotliEncoder.TryCompress(piece.AsSpan(0, length), compressed, out var compressedLength, quality: 1, window: 20))
                throw new InvalidOperationException("A piece did not fit the buffer that is made for the worst case.");
            await database.ExecuteAsync(Keep, cancellationToken, id, number, new ArraySegment<byte>(compressed, 0, compressedLength));
            length = length < piece.Length
                ? 0 : await bytes.ReadAtLeastAsync(piece, piece.Length, throwOnEndOfStream: false, cancellationToken);
        }

        // 3. Now it is a manifest.
        var sha256 = hash.GetHashAndReset();
        if (await database.ExecuteAsync(Received, cancellationToken, id, sha256, size) == 0)
            throw new InvalidOperationException(
                $"Manifest {id} was swept while it was uploaded; the upload took longer than {SweepManifests.KeepUnused}.");
        return new(id, sha256, size);
    }

    private static string Bare(string fileName)
    {
        var name = string.Concat(fileName[(fileName.LastIndexOfAny(['/', '\\']) + 1)..].Where(c => !char.IsControl(c))).Trim();
        return name.Length switch
        {
            0 => "manifest.csv",
            > 200 => name[^200..],
            _ => name,
        };
    }
}
