namespace BulkImporter.Sources;

/// <summary><c>BulkImporter:Sources</c>: how this process itself reaches the sources.</summary>
public sealed class SourceOptions
{
    public const string Section = "BulkImporter:Sources";

    /// <summary>
    /// Networks (CIDR, such as <c>10.20.0.0/16</c>) that are reached although they are not public: for teams whose sources, or whose stand-in for
    /// Cincopa, are inside. Default none. Whoever may upload a manifest, or change an account, can make this process call any address in them.
    /// </summary>
    public IList<string> AllowedNetworks { get; init; } = [];

    /// <summary>To resolve the name and connect, TLS not counted. Default 10 s.</summary>
    public TimeSpan ConnectTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>From the call to the head of the last answer, all redirects together. Default 30 s.</summary>
    public TimeSpan AnswerTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>A body that brings no byte for this long has stalled. Default 30 s.</summary>
    public TimeSpan StallTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>Redirects that are followed for one call. Default 8.</summary>
    public int MaxRedirects { get; set; } = 8;

    /// <summary>The largest file that a person may send here to be pushed, in bytes. It is kept in the database until its import has ended. Default 4 GiB.</summary>
    public long FileLimitBytes { get; set; } = 4L << 30;

    /// <summary>The most bytes of such files that are kept at a time, all together; uploads that run at once may pass it by one file each. Default 50 GiB.</summary>
    public long AllFilesLimitBytes { get; set; } = 50L << 30;
}
