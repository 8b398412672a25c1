using Hangfire.Server;

namespace BulkImporter.Hosting;

/// <summary>
/// Runs one of our operations again and again on a thread of Hangfire's server: at once while there is more to do, otherwise after a pause.
/// When it throws (the database is gone), Hangfire logs it and starts it again with a growing wait.
/// </summary>
/// <param name="name">What a person reads in the log.</param>
/// <param name="pause">Between two rounds that found nothing.</param>
/// <param name="wake">Ends the pause early; null when nothing does.</param>
/// <param name="round">One round; true when there is more to do at once.</param>
internal sealed class PeriodicProcess(string name, TimeSpan pause, WaitHandle? wake, Func<CancellationToken, Task<bool>> round) : IBackgroundProcess
{
    public void Execute(BackgroundProcessContext context)
    {
        // This is a thread of its own that Hangfire gave us; there is no other way to wait on it.
        var more = round(context.StoppingToken).GetAwaiter().GetResult();
        if (more) return;
        if (wake is null) context.Wait(pause);
        else WaitHandle.WaitAny([context.StoppingToken.WaitHandle, wake], pause);
    }

    public override string ToString() => name;
}
