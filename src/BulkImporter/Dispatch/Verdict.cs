using BulkImporter.Records;
using Cincopa.Client;

namespace BulkImporter.Dispatch;

/// <summary>What a submit result means for the record and for the account: the only place where the one is read as the other.</summary>
public static class Verdict
{
    public static Answer Of(Intent intent, SubmitResult result, RetrySchedule schedule) => result switch
    {
        SubmitResult.Accepted accepted => new(intent, RecordState.Submitted, accepted.StatusId,
            null, 200, null, null, GiveBack: false),
        // The call left and nobody can say whether it arrived: not to be sent again by itself, whatever the error was.
        SubmitResult.Unknown unknown => Failed(intent, RecordState.Unknown, InDoubt(unknown.Error), unknown.Error, null),
        SubmitResult.NeverSent never => Retry(intent, FailureCode.ApiUnreachable, never.Error, schedule),
        SubmitResult.Refused refused => Refusal(intent, refused.Error.Code(), refused.Error, schedule),
        _ => throw new InvalidOperationException($"A {result.GetType().Name} is not a submit result."),
    };

    /// <summary>What the end of a push means.</summary>
    /// <param name="wasLast">It was the last range that went: before it no asset can exist, after it one may.</param>
    public static Answer Of(Intent intent, PushResult result, bool wasLast, RetrySchedule schedule) => result switch
    {
        // The file is in, and named: no status call is needed.
        PushResult.Stored stored =>
            new(intent, RecordState.Imported, null, null, 200, $"new resource id {stored.Rid}", null,
                GiveBack: false, stored.Rid),
        PushResult.Unknown unknown => wasLast ? Failed(intent, RecordState.Unknown, InDoubt(unknown.Error), unknown.Error, null)
            : Interrupted(intent, unknown.Error, schedule),
        PushResult.NeverSent never => Retry(intent, FailureCode.ApiUnreachable, never.Error, schedule),
        PushResult.Refused refused => Refusal(intent, refused.Error.Code(), refused.Error, schedule),
        _ => throw new InvalidOperationException($"A {result.GetType().Name} is not the end of a push."),
    };

    /// <summary>A push that broke off before its last range left: the next attempt goes on.</summary>
    public static Answer Interrupted(Intent intent, RemoteError error, RetrySchedule schedule) =>
        Retry(intent, FailureCode.PushInterrupted, error, schedule);

    /// <summary>A source that we could not read: nothing was sent that could become an asset.</summary>
    public static Answer OfSource(Intent intent, SourceFailedException failure, RetrySchedule schedule) => new(
        intent, failure.Code.Class() == FailureClass.Retryable
            ? RecordState.Pending : RecordState.Failed, null, failure.Code, null, failure.Message,
        failure.Code.Class() == FailureClass.Retryable ? schedule.Wait(intent.Attempt, failure.RetryAfter) : null, GiveBack: false);

    /// <summary>An intent whose call never left because the worker stopped.</summary>
    public static Answer NotSent(Intent intent) => new(intent, RecordState.Pending, null,
        FailureCode.NotSent, null, null, TimeSpan.Zero, GiveBack: true);

    private static FailureCode InDoubt(RemoteError error) => error.Code() switch
    {
        FailureCode.ReplyTimeout => FailureCode.ReplyTimeout,
        FailureCode.ReplyUnreadable or FailureCode.RemoteError => FailureCode.ReplyUnreadable,
        _ => FailureCode.ReplyLost,
    };

    private static Answer Refusal(Intent intent, FailureCode code, RemoteError error, RetrySchedule schedule) => code.Class() switch
    {
        FailureClass.Retryable => Retry(intent, code, error, schedule),
        FailureClass.Permanent => Failed(intent, RecordState.Failed, code, error, null),
        FailureClass.Unknown => Failed(intent, RecordState.Unknown, code, error, null),
    };

    private static Answer Retry(Intent intent, FailureCode code, RemoteError error, RetrySchedule schedule) =>
        Failed(intent, RecordState.Pending, code, error, schedule.Wait(intent.Attempt, error.RetryAfter));

    private static Answer Failed(Intent intent, RecordState to, FailureCode code, RemoteError error, TimeSpan? retryAfter) =>
        new(intent, to, null, code, (short?)error.HttpStatus, error.Message, retryAfter, code.IsNotTheRows());
}
