using System.ComponentModel.DataAnnotations;

namespace BulkImporter.Notify;

/// <summary>Settings under <c>BulkImporter:Notify</c>.</summary>
public sealed class NotifyOptions
{
    public const string Section = "BulkImporter:Notify";

    /// <summary>How long a target may take to answer. Default 15 s.</summary>
    public TimeSpan Timeout { get; set; } = TimeSpan.FromSeconds(15);

    /// <summary>The wait after the first failed try; it doubles with each. Default 10 s.</summary>
    public TimeSpan RetryBase { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>The longest wait between two tries. Default 1 h.</summary>
    public TimeSpan RetryCap { get; set; } = TimeSpan.FromHours(1);

    /// <summary>Tries after which a delivery is given up; a person may replay it. Default 20, which is about half a day.</summary>
    [Range(1, 1000)]
    public int MostTries { get; set; } = 20;

    /// <summary>How long notifications are kept. Default 30 days.</summary>
    public TimeSpan KeepFor { get; set; } = TimeSpan.FromDays(30);
}
