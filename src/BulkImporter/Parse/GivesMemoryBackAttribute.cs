using Hangfire.Common;
using Hangfire.Server;

namespace BulkImporter.Parse;

/// <summary>
/// Behind a job that needs much memory for a short time, however it ends: what is free goes back to the system. Windows, filters and
/// batches are large pieces, which the collector would keep until it has a reason of its own to look at all of them; a process that does
/// nothing more has none.
/// </summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class GivesMemoryBackAttribute : JobFilterAttribute, IServerFilter
{
    /// <summary>The collection stops every thread, so what is worth less stays: a small manifest takes about half of it.</summary>
    private const long Worth = 64 * 1024 * 1024;

    private const string Before = "allocated before";

    public void OnPerforming(PerformingContext context) => context.Items[Before] = GC.GetTotalAllocatedBytes();

    public void OnPerformed(PerformedContext context)
    {
        if (GC.GetTotalAllocatedBytes() - (long)context.Items[Before] >= Worth)
            GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
    }
}
