using BulkImporter.Records;
using BulkImporter.Telemetry;
using Hangfire.Server;

namespace BulkImporter.Hosting;

/// <summary>
/// Runs one of our operations again and again on a thread of Hangfire's server: at once while there is more to do, otherwise after a pause.
/// What leaves a round is logged and counted here and tried again after a wait that grows; Hangfire, whose own log is filtered, never sees
/// it.
/// </summary>
/// <param name="name">What a person reads in the log, in the measures and at /health/ready.</param>
/// <param name="pause">Between two rounds that found nothing.</param>
/// <param name="wake">Ends the pause early; null when nothing does.</param>
/// <param name="round">One round; true when there is more to do at once.</param>
/// <param name="random">Uniform in [0, 1).</param>
internal sealed class PeriodicProcess(string name, TimeSpan pause, WaitHandle? wake,
    Func<CancellationToken, Task<bool>> round, LoopHealth health, Func<double> random) : IBackgroundProcess
{
    /// <summary>A database that is back is noticed within this, but by what runs seldom.</summary>
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(15);

    /// <summary>The others of a round are done, so that one which fails for good may not make them wait for long.</summary>
    private static readonly TimeSpan LongestWaitForItems = TimeSpan.FromSeconds(5);

    private readonly RetrySchedule backoff = new(TimeSpan.FromSeconds(1), pause > LongestWait ? pause : LongestWait, random);
    private int failures;

    public string Name => name;

    public void Execute(BackgroundProcessContext context)
    {
        try
        {
            // This is a thread of its own that Hangfire gave us; there is no other way to wait on it.
            var more = round(context.StoppingToken).GetAwaiter().GetResult();
            failures = 0;
            health.RoundWorked(name);
            if (more) return;
        }
        catch (OperationCanceledException) when (context.StoppingToken.IsCancellationRequested)
        {
            return;
        }
        catch (ItemsFailedException e) when (!e.NoneWorked)
        {
            health.RoundWorked(name);
            health.ItemsFailed(name, e.Items);
            context.Wait(Shorter(backoff.Wait(++failures, null), LongestWaitForItems));
        }
        catch (Exception e)
        {
            health.RoundFailed(name, e);
            context.Wait(backoff.Wait(++failures, null));
            return;
        }
        if (wake is null) context.Wait(pause);
        else WaitHandle.WaitAny([context.StoppingToken.WaitHandle, wake], pause);
    }

    public override string ToString() => name;

    private static TimeSpan Shorter(TimeSpan one, TimeSpan other) => one < other ? one : other;
}
