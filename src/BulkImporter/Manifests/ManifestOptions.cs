using System.ComponentModel.DataAnnotations;

namespace BulkImporter.Manifests;

/// <summary>What a manifest may contain.</summary>
public sealed class ManifestOptions
{
    public const string Section = "BulkImporter:Manifests";

    /// <summary>The largest manifest that is accepted, as uploaded.</summary>
    [Range(1, long.MaxValue)]
    public long UploadLimitBytes { get; set; } = 2L << 30;

    /// <summary>Let source URLs name private or loopback hosts: for tests and demonstrations on one machine.</summary>
    public bool AllowPrivateHosts { get; set; }

    /// <summary>
    /// The longest percent-encoded source URL, in characters, that still fits the query of Cincopa's call, as far as is known (INF); texts
    /// that are written to an asset may take 100 less, all of one call together. A longer URL is not sent, a longer text not written, and
    /// the row says so.
    /// </summary>
    [Range(200, 100_000)]
    public int MaxEncodedLength { get; set; } = 1800;

    /// <summary>
    /// Percent-encoded characters that the texts of one <c>asset.set_meta</c> may take together: its query names the asset too.
    /// </summary>
    internal int MaxEncodedText => MaxEncodedLength - 100;
}
