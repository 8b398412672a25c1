namespace BulkImporter.Records;

/// <summary>
/// The right to dispatch one chunk's records until a time. Held by <c>LeaseKeeper</c>, which renews it and cancels
/// the work before it could run out unrenewed.
/// </summary>
/// <param name="Window">Calls in flight that the lease allows.</param>
public sealed record Lease(int ImportId, int ChunkNumber, int FirstRow, int LastRow, int AccountId, Guid Token, string Worker, int Window);
