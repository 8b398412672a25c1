namespace BulkImporter.Manifests;

/// <summary><c>BulkImporter:Manifests</c>.</summary>
public sealed class ManifestOptions
{
    public const string Section = "BulkImporter:Manifests";

    /// <summary>The largest manifest that is taken, in bytes as uploaded. Default 2 GiB.</summary>
    public long UploadLimitBytes { get; set; } = 2L << 30;

    /// <summary>How long an upload that broke, or a manifest that no import refers to, is kept. Default one day.</summary>
    public TimeSpan KeepUnused { get; set; } = TimeSpan.FromDays(1);
}
