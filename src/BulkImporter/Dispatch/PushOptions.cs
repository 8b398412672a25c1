using System.ComponentModel.DataAnnotations;

namespace BulkImporter.Dispatch;

/// <summary>Settings under <c>BulkImporter:Push</c>: files that this process reads and sends itself.</summary>
public sealed class PushOptions
{
    public const string Section = "BulkImporter:Push";

    /// <summary>Bytes of one range. Default 51,200,000, as Cincopa's own uploader (OWN S6). A range is streamed, never held as a whole.</summary>
    [Range(1, 512_000_000)]
    public int RangeBytes { get; set; } = 51_200_000;

    /// <summary>
    /// Folders whose files may be pushed, by <c>file:</c> URLs such as <c>file:///srv/media/clip.mp4</c>. Default none: whoever may upload a
    /// manifest can send anything in them to Cincopa.
    /// </summary>
    public IList<string> Roots { get; init; } = [];

    /// <summary>Bytes per second that all pushes of this process may send together; 0 = no limit. Default 0.</summary>
    [Range(0, long.MaxValue)]
    public long BytesPerSecond { get; set; }

    /// <summary>How often a range that failed on its way is sent again. Default 10, as Cincopa's own uploader (OWN S6).</summary>
    [Range(0, 100)]
    public int RangeRetries { get; set; } = 10;

    /// <summary>Wait before a range is sent again; doubles with each, to a minute. Default 1 s.</summary>
    public TimeSpan RangeWait { get; set; } = TimeSpan.FromSeconds(1);
}
