using System.ComponentModel.DataAnnotations;

namespace BulkImporter.Dispatch;

/// <summary>Files that a worker process reads and sends itself.</summary>
public sealed class PushOptions
{
    public const string Section = "BulkImporter:Push";

    /// <summary>Bytes of one range. Cincopa's own uploader (OWN S6) uses the same. A range is streamed, never held as a whole.</summary>
    [Range(1, 512_000_000)]
    public int RangeBytes { get; set; } = 51_200_000;

    /// <summary>
    /// Folders whose files may be pushed, by <c>file:</c> URLs such as <c>file:///srv/media/clip.mp4</c>. Anybody who may upload a
    /// manifest can send anything in them to Cincopa.
    /// </summary>
    public IList<string> Roots { get; init; } = [];

    /// <summary>Bytes per second that all pushes of this process may send together; 0 is no limit.</summary>
    [Range(0, long.MaxValue)]
    public long BytesPerSecond { get; set; }

    /// <summary>The wait before a range is sent again; doubles with each, to a minute. A test does not wait.</summary>
    internal TimeSpan RangeWait { get; init; } = TimeSpan.FromSeconds(1);
}
