namespace BulkImporter.Manifests;

/// <summary><c>BulkImporter:Manifests</c>.</summary>
public sealed class ManifestOptions
{
    public const string Section = "BulkImporter:Manifests";

    /// <summary>The largest manifest that is taken, in bytes as uploaded. Default 2 GiB.</summary>
    public long UploadLimitBytes { get; set; } = 2L << 30;

    /// <summary>The most rows that one import takes; those behind are left out, with a finding. Default 20,000,000: some 20 GB of database.</summary>
    public int MaxRows { get; set; } = 20_000_000;

    /// <summary>How long an upload that broke, or a manifest that no import refers to, is kept. Default one day.</summary>
    public TimeSpan KeepUnused { get; set; } = TimeSpan.FromDays(1);

    /// <summary>A parse job that gave no sign of life for this long is enqueued again. Default 60 s.</summary>
    public TimeSpan ParseAgainAfter { get; set; } = TimeSpan.FromSeconds(60);

    /// <summary>Let source URLs name private or loopback hosts: for tests and demonstrations on one machine. Default false.</summary>
    public bool AllowPrivateHosts { get; set; }

    /// <summary>Longest percent-encoded source URL that still fits the remote call's query. Default 1,800 characters.</summary>
    public int MaxEncodedUrlLength { get; set; } = 1800;
}
