using BulkImporter.Records;
using Cincopa.Client;

namespace BulkImporter.Dispatch;

/// <summary>What a submit result means for the record and for the account: the only place where the one is read as the other.</summary>
public static class Verdict
{
    public static Answer Of(Intent intent, SubmitResult result, RetrySchedule schedule) => result switch
    {
        SubmitResult.Accepted accepted =>
            new(intent, RecordState.Submitted, accepted.StatusId, null, 200, null, null, GiveBack: false),
        SubmitResult.Unknown unknown => InDoubt(intent, unknown.Error),
        SubmitResult.NeverSent never => Retry(intent, FailureCode.ApiUnreachable, never.Error, schedule),
        SubmitResult.Refused refused => Refusal(intent, refused.Error, schedule),
        _ => throw new InvalidOperationException($"A {result.GetType().Name} is not a submit result."),
    };

    /// <summary>What the end of a push means.</summary>
    /// <param name="wasLast">It was the last range that went: before it no asset can exist, after it one may.</param>
    public static Answer Of(Intent intent, PushResult result, bool wasLast, RetrySchedule schedule) => result switch
    {
        // The file is in, and named: no status call is needed.
        PushResult.Stored stored =>
            new(intent, RecordState.Imported, null, null, 200, $"new resource id {stored.Rid}", null, GiveBack: false, stored.Rid),
        PushResult.Unknown unknown => wasLast ? InDoubt(intent, unknown.Error) : Interrupted(intent, unknown.Error, schedule),
        PushResult.NeverSent never => Retry(intent, FailureCode.ApiUnreachable, never.Error, schedule),
        PushResult.Refused refused => Refusal(intent, refused.Error, schedule),
        _ => throw new InvalidOperationException($"A {result.GetType().Name} is not the end of a push."),
    };

    /// <summary>A push that broke off before its last range left: the next attempt goes on.</summary>
    public static Answer Interrupted(Intent intent, RemoteError error, RetrySchedule schedule) =>
        Retry(intent, FailureCode.PushInterrupted, error, schedule);

    /// <summary>A source that we could not read: nothing was sent that could become an asset.</summary>
    public static Answer OfSource(Intent intent, SourceFailedException failure, RetrySchedule schedule)
    {
        TimeSpan? wait =
            failure.Code.Class() == FailureClass.Retryable ? schedule.Wait(intent.Attempt, failure.RetryAfter) : null;
        return new(intent, wait is null ? RecordState.Failed : RecordState.Pending, null, failure.Code, null, failure.Message, wait,
            GiveBack: false);
    }

    /// <summary>An intent whose call never left because the worker stopped.</summary>
    public static Answer NotSent(Intent intent) =>
        new(intent, RecordState.Pending, null, FailureCode.NotSent, null, null, TimeSpan.Zero, GiveBack: true);

    /// <summary>
    /// The call left and nobody can say whether it arrived: not to be sent again by itself, whatever the error was.
    /// </summary>
    private static Answer InDoubt(Intent intent, RemoteError error) => Failed(intent, RecordState.Unknown, error.Code() switch
    {
        FailureCode.ReplyTimeout => FailureCode.ReplyTimeout,
        FailureCode.ReplyUnreadable or FailureCode.RemoteError => FailureCode.ReplyUnreadable,
        _ => FailureCode.ReplyLost,
    }, error);

    private static Answer Refusal(Intent intent, RemoteError error, RetrySchedule schedule)
    {
        var code = error.Code();
        return code.Class() switch
        {
            FailureClass.Retryable => Retry(intent, code, error, schedule),
            FailureClass.Permanent => Failed(intent, RecordState.Failed, code, error),
            FailureClass.Unknown => Failed(intent, RecordState.Unknown, code, error),
        };
    }

    private static Answer Retry(Intent intent, FailureCode code, RemoteError error, RetrySchedule schedule) =>
        Failed(intent, RecordState.Pending, code, error, schedule.Wait(intent.Attempt, error.RetryAfter));

    private static Answer Failed(Intent intent, RecordState to, FailureCode code, RemoteError error, TimeSpan? retryAfter = null) =>
        new(intent, to, null, code, (short?)error.HttpStatus, error.Message, retryAfter, code.IsNotTheRows());
}
