namespace BulkImporter.Records;

/// <summary>
/// The right to dispatch one chunk's records until a time. Held by <c>LeaseKeeper</c>, which renews it and cancels the work before it could
/// run out unrenewed.
/// </summary>
/// <param name="Worker">The process that holds it.</param>
/// <param name="Fence">Which lease of the chunk this is; each one counts one more.</param>
/// <param name="Window">Calls in flight that the lease allows.</param>
/// <param name="PerHost">
/// Calls in flight to files of one host, all leases of the account together; 0 where that is no limit beyond the account's own.
/// </param>
public sealed record Lease(
    int ImportId, int ChunkNumber, int FirstRow, int LastRow, int AccountId, Guid Token, string Worker, long Fence, int Window,
    int PerHost = 0)
{
    /// <summary>
    /// With what attempts are signed. Not the process alone: it may lose the chunk and lease it again while a thread of it still waits for
    /// a dead connection, and that thread must not take the new attempts, which are being sent, for its own that never were.
    /// </summary>
    public string Signature => $"{Worker}:{Fence}";
}
