namespace BulkImporter.Dispatch;

/// <summary>Set when a chunk of this worker was given back, so that the feeder fills its place at once and not at its next round.</summary>
public sealed class ChunkGivenBack : IDisposable
{
    private readonly AutoResetEvent happened = new(initialState: false);

    public WaitHandle WaitHandle => happened;

    public void Set() => happened.Set();

    public void Dispose() => happened.Dispose();
}
