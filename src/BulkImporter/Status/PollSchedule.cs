namespace BulkImporter.Status;

/// <summary>
/// When a submitted record is asked about again: a sixth of its age, so that a short import is seen soon and a long one costs little,
/// stretched when so many are outstanding that the account's status budget could not serve them all, with a tenth of jitter.
/// </summary>
/// <param name="random">Uniform in [0, 1).</param>
public sealed class PollSchedule(TimeSpan shortest, TimeSpan longest, Func<double> random)
{
    /// <param name="age">Time since the record was accepted.</param>
    /// <param name="outstanding">Submitted records of the account.</param>
    /// <param name="callsPerSecond">The account's status budget; 0 = no limit.</param>
    public TimeSpan Interval(TimeSpan age, long outstanding, double callsPerSecond)
    {
        var byAge = Math.Clamp(age.TotalSeconds / 6, shortest.TotalSeconds, longest.TotalSeconds);
        var byBudget = callsPerSecond > 0 ? outstanding / callsPerSecond : 0;
        return TimeSpan.FromSeconds(Math.Max(byAge, byBudget) * (0.95 + 0.1 * random()));
    }
}
