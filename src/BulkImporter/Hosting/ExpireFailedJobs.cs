using Hangfire.States;
using Hangfire.Storage;

namespace BulkImporter.Hosting;

/// <summary>
/// Lets every ended job disappear after a while, failed ones too: a chunk job that failed was fed again long before, and Hangfire would
/// otherwise keep it for ever.
/// </summary>
internal sealed class ExpireFailedJobs : IApplyStateFilter
{
    private static readonly TimeSpan KeepFailed = TimeSpan.FromDays(7);
    private static readonly TimeSpan KeepSucceeded = TimeSpan.FromHours(6);

    public void OnStateApplied(ApplyStateContext context, IWriteOnlyTransaction transaction)
    {
        if (context.NewState is FailedState) transaction.ExpireJob(context.BackgroundJob.Id, KeepFailed);
        else if (context.NewState is SucceededState) context.JobExpirationTimeout = KeepSucceeded;
    }

    public void OnStateUnapplied(ApplyStateContext context, IWriteOnlyTransaction transaction)
    {
        if (context.OldStateName == FailedState.StateName) transaction.PersistJob(context.BackgroundJob.Id);
    }
}
