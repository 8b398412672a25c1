using System.ComponentModel.DataAnnotations;

namespace BulkImporter.Records;

/// <summary>How the worker processes of a database work. All of them should have the same settings.</summary>
public sealed class WorkOptions
{
    public const string Section = "BulkImporter:Work";

    private TimeSpan? renewal;

    /// <summary>Chunks that one worker process dispatches at the same time: Hangfire threads, each blocked by its chunk.</summary>
    [Range(1, 64)]
    public int Workers { get; set; } = 4;

    /// <summary>
    /// Calls in flight per chunk when the account sets no limit; with a limit, a quarter of it (all of it while no other chunk is due) and
    /// at most this. Twice as many records for each worker may be in doubt when a process is killed. Without a limit a process follows and
    /// finishes with as many calls as it sends.
    /// </summary>
    [Range(1, 1000)]
    public int Window { get; set; } = 64;

    /// <summary>
    /// Calls in flight with which a worker process follows, and as many with which it finishes, where the account sets no limit: as many as
    /// it sends, as long as what it claims for them is some seconds of calls and no burden to hold.
    /// </summary>
    internal int MostInFlight => Math.Min(Workers * Window, 256);

    /// <summary>
    /// How long a worker keeps what it has taken without a sign of life: after that another takes over, and what was being sent is in
    /// doubt. A longer time tolerates longer database outages.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:05", "01:00:00")]
    public TimeSpan LeaseDuration { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>The longest wait before another attempt at a record; the first wait is 2 s, and it doubles each time.</summary>
    [Range(typeof(TimeSpan), "00:00:02", "1.00:00:00")]
    public TimeSpan RetryCap { get; set; } = TimeSpan.FromMinutes(10);

    /// <summary>
    /// How long a record is in doubt before its asset is looked for: the answer may come late, and Cincopa needs time to fetch the file. An
    /// import with "when unknown: resubmit" sends it again when it is not found, or after six times as long when the account cannot be
    /// listed: people who chose "resubmit" prefer a duplicate to a gap.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:01", "1.00:00:00")]
    public TimeSpan LookAfter { get; set; } = TimeSpan.FromMinutes(10);

    /// <summary>
    /// A submitted record whose progress has not moved for this long is shown as stalled, and its status is still followed.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:01", "30.00:00:00")]
    public TimeSpan StalledAfter { get; set; } = TimeSpan.FromMinutes(30);

    /// <summary>
    /// How often a lease is renewed, and so how soon a changed limit is obeyed: 4 s of 30. Several renewals may fail before the lease does.
    /// </summary>
    internal TimeSpan LeaseRenewal
    {
        get => renewal ?? LeaseDuration * 2 / 15;
        init => renewal = value;
    }
}
