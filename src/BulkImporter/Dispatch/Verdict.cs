using BulkImporter.Records;
using Cincopa.Client;

namespace BulkImporter.Dispatch;

/// <summary>What a submit result means for the record and for the account: the only place where the one is read as the other.</summary>
public static class Verdict
{
    public static Answer Of(Intent intent, SubmitResult result, RetrySchedule schedule) => result switch
    {
        SubmitResult.Accepted accepted => new(intent.RowNumber, intent.Attempt, RecordState.Submitted, accepted.StatusId.Value,
            null, 200, null, null, GiveBack: false),
        // The call left and nobody can say whether it arrived: not to be sent again by itself, whatever the error was.
        SubmitResult.Unknown unknown => Failed(intent, RecordState.Unknown, InDoubt(unknown.Error), unknown.Error, null),
        SubmitResult.NeverSent never => Retry(intent, FailureCode.ApiUnreachable, never.Error, schedule),
        SubmitResult.Refused refused => Refusal(intent, refused.Error.Code(), refused.Error, schedule),
        _ => throw new InvalidOperationException($"A {result.GetType().Name} is not a submit result."),
    };

    /// <summary>A pushed file that is in: no status call is needed.</summary>
    public static Answer Stored(Intent intent, Rid rid) =>
        new(intent.RowNumber, intent.Attempt, RecordState.Imported, null, null, 200, $"new resource id {rid}", null, GiveBack: false, rid.Value);

    /// <summary>A push that broke off before its last range left: no asset can exist, and the next attempt goes on.</summary>
    public static Answer Interrupted(Intent intent, RemoteError error, RetrySchedule schedule) => Retry(intent, FailureCode.PushInterrupted, error, schedule);

    /// <summary>A source that we could not read: nothing was sent that could become an asset.</summary>
    public static Answer OfSource(Intent intent, SourceFailedException failure, RetrySchedule schedule) => new(
        intent.RowNumber, intent.Attempt, failure.Code.Class() == FailureClass.Retryable ? RecordState.Pending : RecordState.Failed, null, failure.Code, null, failure.Message,
        failure.Code.Class() == FailureClass.Retryable ? schedule.Wait(intent.Attempt, failure.RetryAfter) : null, GiveBack: false);

    /// <summary>An intent whose call never left because the worker stopped.</summary>
    public static Answer NotSent(Intent intent) => new(intent.RowNumber, intent.Attempt, RecordState.Pending, null,
        FailureCode.NotSent, null, null, TimeSpan.Zero, GiveBack: true);

    /// <summary>An answer that the database refuses for what is in it. What it said of the call is lost, so the call may have done its work.</summary>
    public static Answer Unstorable(Answer answer) => answer with
    {
        To = RecordState.Unknown,
        StatusId = null,
        Rid = null,
        Code = FailureCode.ReplyUnreadable,
        Message = FailureCodes.Unstorable,
        RetryAfter = null,
        GiveBack = false,
    };

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
        new(intent.RowNumber, intent.Attempt, to, null, code, (short?)error.HttpStatus, error.Message, retryAfter, code.IsNotTheRows());
}
