using System.Security.Cryptography;

namespace Cincopa.Simulator.Remote;

/// <summary>A file that comes in chunks: how far it is, and the hash so far. The bytes are not kept.</summary>
internal sealed class PushedFile
{
    private IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);

    /// <summary>
    /// One chunk at a time: the protocol is strictly sequential, and a replay may come while its first sending still runs.
    /// </summary>
    public SemaphoreSlim Turn { get; } = new(1, 1);

    public long Received { get; private set; }

    /// <summary>Set when the last chunk is in.</summary>
    public Asset? Asset { get; set; }

    /// <summary>A copy of the hash so far, to run over the next chunk: a chunk counts only when it arrived whole.</summary>
    public IncrementalHash BeginChunk() => hash.Clone();

    public void EndChunk(IncrementalHash hash, long bytes)
    {
        this.hash.Dispose();
        this.hash = hash;
        Received += bytes;
    }

    public string Sha256() => Convert.ToHexStringLower(hash.GetCurrentHash());
}
