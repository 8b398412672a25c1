using System.ComponentModel.DataAnnotations;

namespace BulkImporter.Manifests;

/// <summary>What a manifest may be.</summary>
public sealed class ManifestOptions
{
    public const string Section = "BulkImporter:Manifests";

    /// <summary>The largest manifest that is taken, as uploaded.</summary>
    [Range(1, long.MaxValue)]
    public long UploadLimitBytes { get; set; } = 2L << 30;

    /// <summary>Let source URLs name private or loopback hosts: for tests and demonstrations on one machine.</summary>
    public bool AllowPrivateHosts { get; set; }

    /// <summary>
    /// The longest percent-encoded source URL, in characters, that still fits the remote call's query, as far as is known.
    /// </summary>
    [Range(100, 100_000)]
    public int MaxEncodedUrlLength { get; set; } = 1800;
}
