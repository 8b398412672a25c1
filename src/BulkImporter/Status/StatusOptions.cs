using System.ComponentModel.DataAnnotations;

namespace BulkImporter.Status;

/// <summary>Settings under <c>BulkImporter:Status</c>.</summary>
public sealed class StatusOptions
{
    public const string Section = "BulkImporter:Status";

    /// <summary>Status calls in flight per worker process and account. Default 16.</summary>
    [Range(1, 500)]
    public int CallsInFlight { get; set; } = 16;

    /// <summary>Records of an account that one round of a poller claims. Default 200.</summary>
    [Range(1, 10_000)]
    public int Batch { get; set; } = 200;

    /// <summary>How long a claimed record is left to its poller: the time after which another asks about what a poller that died was about to ask. Default 30 s.</summary>
    public TimeSpan ClaimFor { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>Shortest time between two polls of one record. Default 2 s.</summary>
    public TimeSpan ShortestInterval { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>Longest time between two polls of one record, unless the status budget stretches it. Default 60 s.</summary>
    public TimeSpan LongestInterval { get; set; } = TimeSpan.FromSeconds(60);

    /// <summary>How long an unknown status_id is asked again before the record counts as unknown; replication at the remote side may be slow (UNK). Default 10 min.</summary>
    public TimeSpan NotFoundGrace { get; set; } = TimeSpan.FromMinutes(10);

    /// <summary>How long an import may be done at the remote side without naming its asset before the record counts as unknown. Default 10 min.</summary>
    public TimeSpan UnnamedGrace { get; set; } = TimeSpan.FromMinutes(10);

    /// <summary>An import that has not ended after this long counts as unknown. Default 3 days.</summary>
    public TimeSpan Deadline { get; set; } = TimeSpan.FromDays(3);
}
