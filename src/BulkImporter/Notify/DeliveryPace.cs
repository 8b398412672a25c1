namespace BulkImporter.Notify;

/// <summary>
/// How often and how long a notification is tried. Nobody turns it: a target that is down for half a day misses nothing. Tests are faster.
/// </summary>
public sealed record DeliveryPace
{
    /// <summary>How long a target may take to answer.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>The wait after the first failed try; it doubles with each.</summary>
    public TimeSpan RetryBase { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>The longest wait between two tries.</summary>
    public TimeSpan RetryCap { get; init; } = TimeSpan.FromHours(1);

    /// <summary>Tries after which a delivery is given up, after about half a day; a person may replay it.</summary>
    public int MostTries { get; init; } = 20;
}
