namespace BulkImporter.Probes;

/// <summary><c>BulkImporter:Probe</c>.</summary>
public sealed class ProbeOptions
{
    public const string Section = "BulkImporter:Probe";

    /// <summary>Sources that one worker process asks a second. Default 20.</summary>
    public double RatePerSecond { get; set; } = 20;

    /// <summary>Sources that one worker process asks at the same time. Default 8.</summary>
    public int Concurrency { get; set; } = 8;

    /// <summary>A probe that gave no sign of life for this long is enqueued again. Default 3 minutes: longer than a batch of sources that all time out.</summary>
    public TimeSpan AgainAfter { get; set; } = TimeSpan.FromMinutes(3);
}
