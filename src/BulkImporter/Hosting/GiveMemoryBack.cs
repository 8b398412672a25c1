namespace BulkImporter.Hosting;

/// <summary>
/// Gives memory back to the system when the process falls quiet. A long cell or a large file leaves big buffers in the pools, which let go
/// of them only when the collector looks at everything, more than once, and a process that does nothing has no reason to collect.
/// </summary>
internal sealed class GiveMemoryBack(TimeProvider clock) : BackgroundService
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(35);

    /// <summary>Allocated in one pause: more is work, less is the usual round of a quiet process.</summary>
    private const long Work = 256 * 1024 * 1024;

    /// <summary>
    /// Pools keep a buffer for half a minute after a collection first saw it unused, and the last of a kind for longer; and each time that
    /// one gave back as much as <see cref="Worth"/>, it is tried as often again.
    /// </summary>
    private const int Collections = 4;

    private const long Worth = 2 * 1024 * 1024;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Pause, clock);
        var (before, due) = (GC.GetTotalAllocatedBytes(), 0);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            var allocated = GC.GetTotalAllocatedBytes();
            if (allocated - before >= Work)
            {
                due = Collections;
            }
            else if (due > 0)
            {
                var held = GC.GetGCMemoryInfo().TotalCommittedBytes;
                GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
                due = held - GC.GetGCMemoryInfo().TotalCommittedBytes >= Worth ? Collections : due - 1;
            }
            before = allocated;
        }
    }
}
