namespace BulkImporter.Imports;

/// <summary>Settings under <c>BulkImporter:Imports</c>.</summary>
public sealed class ImportsOptions
{
    public const string Section = "BulkImporter:Imports";

    /// <summary>A submitted record whose progress has not moved for this long is shown as stalled, and goes on being followed. Default 30 min.</summary>
    public TimeSpan StalledAfter { get; set; } = TimeSpan.FromMinutes(30);
}
