using System.Security.Cryptography;
using BulkImporter.Records;

namespace BulkImporter.Dispatch;

/// <summary>
/// Hashes a file while it is sent: each byte once, however often its range goes. Says nothing of a file of which this attempt did not send
/// every byte.
/// </summary>
/// <param name="withMd5">The row says one: it is all that this is good for.</param>
internal sealed class SentHash(bool withMd5) : IDisposable
{
    private readonly IncrementalHash sha256 = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private readonly IncrementalHash? md5 = withMd5 ? IncrementalHash.CreateHash(HashAlgorithmName.MD5) : null;
    private long next;
    private bool isBroken;

    /// <param name="position">Where the piece stands in the file.</param>
    public void Append(long position, ReadOnlySpan<byte> piece)
    {
        if (position > next) Break();
        var fresh = position + piece.Length - next;
        if (isBroken || fresh <= 0) return;
        piece = piece[^(int)fresh..];
        sha256.AppendData(piece);
        md5?.AppendData(piece);
        next += fresh;
    }

    /// <summary>What was hashed need not be what was sent in the end: the source was read twice, and nothing says that it is the
    /// same.</summary>
    public void Break() => isBroken = true;

    /// <param name="bytes">All that was sent of the file, by whichever attempt.</param>
    public SentFile Of(long bytes)
    {
        var isWhole = !isBroken && next == bytes;
        return new(bytes, isWhole ? Convert.ToHexStringLower(sha256.GetCurrentHash()) : null,
            isWhole && md5 is not null ? Convert.ToHexStringLower(md5.GetCurrentHash()) : null);
    }

    public void Dispose()
    {
        sha256.Dispose();
        md5?.Dispose();
    }
}
