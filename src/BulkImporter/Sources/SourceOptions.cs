using System.ComponentModel.DataAnnotations;

namespace BulkImporter.Sources;

/// <summary>What this process itself reads: sources that it probes or pushes, and files that people send.</summary>
public sealed class SourceOptions
{
    public const string Section = "BulkImporter:Sources";

    /// <summary>
    /// Networks (CIDR, such as <c>10.20.0.0/16</c>) that are reached although they are not public: for teams whose sources, or whose
    /// stand-in for Cincopa, are inside. Anybody who may upload a manifest, or change an account, can make this process call any address in
    /// them.
    /// </summary>
    public IList<string> AllowedNetworks { get; init; } = [];

    /// <summary>The largest file that a person may send here to be pushed. It is kept in the database until its import has ended.</summary>
    [Range(1, long.MaxValue)]
    public long FileLimitBytes { get; set; } = 4L << 30;

    /// <summary>
    /// The most bytes of such files that are kept at a time, all together; uploads that run at once may pass it by one file each.
    /// </summary>
    [Range(1, long.MaxValue)]
    public long AllFilesLimitBytes { get; set; } = 50L << 30;
}
