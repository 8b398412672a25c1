using System.ComponentModel.DataAnnotations;

namespace BulkImporter.Dispatch;

/// <summary>Settings under <c>BulkImporter:Dispatch</c>.</summary>
public sealed class DispatchOptions
{
    public const string Section = "BulkImporter:Dispatch";

    /// <summary>Chunks that one worker process dispatches at the same time: Hangfire threads, each blocked by its chunk. Default 4.</summary>
    [Range(1, 64)]
    public int Workers { get; set; } = 4;

    /// <summary>Calls in flight per chunk when the account sets no limit; with a limit, a quarter of it and at most this. Default 32.</summary>
    [Range(1, 1000)]
    public int Window { get; set; } = 32;

    /// <summary>How long a lease holds without renewal: the time after which a dead worker's records become unknown. Default 30 s.</summary>
    public TimeSpan LeaseDuration { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>How often a lease is renewed, and so how soon a changed limit is obeyed. Default 4 s.</summary>
    public TimeSpan LeaseRenewal { get; set; } = TimeSpan.FromSeconds(4);

    /// <summary>How long a chunk keeps its turn when another import of the account waits for one. Default 10 s.</summary>
    public TimeSpan Turn { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>How often due chunks are enqueued. Default 1 s.</summary>
    public TimeSpan FeedInterval { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>A chunk that was enqueued and not leased for this long is enqueued again. Default 60 s.</summary>
    public TimeSpan RequeueAfter { get; set; } = TimeSpan.FromSeconds(60);

    /// <summary>First wait before another attempt; doubles with each. Default 2 s.</summary>
    public TimeSpan RetryBase { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>Longest wait before another attempt. Default 10 min.</summary>
    public TimeSpan RetryCap { get; set; } = TimeSpan.FromMinutes(10);

    /// <summary>How long an unknown record waits for its late answer before an import with "when unknown: resubmit" sends it again. Default 10 min.</summary>
    public TimeSpan UnknownGrace { get; set; } = TimeSpan.FromMinutes(10);

    /// <summary>
    /// The same for a record that nobody could look for at the remote side, because the account cannot be listed (its token may not, or the
    /// call does not work): whoever chose "resubmit" prefers a duplicate to a gap. Default 1 h.
    /// </summary>
    public TimeSpan UnlookedGrace { get; set; } = TimeSpan.FromHours(1);

    /// <summary>How long calls in flight may still finish when the process is told to stop. Default 30 s.</summary>
    public TimeSpan GracefulStop { get; set; } = TimeSpan.FromSeconds(30);
}
