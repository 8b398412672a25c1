namespace BulkImporter.Records;

/// <summary>
/// When what failed is tried again: exponential backoff with jitter, so that what failed together does not come back together. A
/// Retry-After is a floor that the jitter only adds to.
/// </summary>
/// <param name="random">Uniform in [0, 1).</param>
/// <param name="least">The shortest wait, as a part of the doubled one; 0 is full jitter: anything between nothing and the doubled
/// wait.</param>
public sealed class RetrySchedule(TimeSpan firstWait, TimeSpan longestWait, Func<double> random, double least = 0)
{
    /// <param name="attempt">The attempt that failed, from 1.</param>
    /// <param name="retryAfter">What the remote side asked for, or null.</param>
    public TimeSpan Wait(int attempt, TimeSpan? retryAfter)
    {
        var ceiling = Math.Min(longestWait.TotalMilliseconds, firstWait.TotalMilliseconds * Math.Pow(2, Math.Clamp(attempt - 1, 0, 30)));
        var jittered = TimeSpan.FromMilliseconds(ceiling * (least + (1 - least) * random()));
        return retryAfter is { } asked && asked > TimeSpan.Zero
            ? asked + TimeSpan.FromMilliseconds(Math.Min(ceiling, asked.TotalMilliseconds / 2) * random())
            : jittered;
    }
}
