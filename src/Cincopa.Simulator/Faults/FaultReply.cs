using System.Globalization;
using Cincopa.Simulator.Endpoints;

namespace Cincopa.Simulator.Faults;

/// <summary>Turns a fault into the answer that the client sees, and into the ledger's word for it.</summary>
internal static class FaultReply
{
    /// <summary>Whether the call takes effect.</summary>
    public static bool Commits(FaultRule rule) =>
        rule.Fault == Fault.Delay || (rule.Commits ?? rule.Fault is Fault.NoStatusId or Fault.ReplyLost or Fault.ReplyCut);

    /// <summary>The answer in place of the proper one; null when the proper one is sent, cut, or withheld.</summary>
    public static Reply? For(FaultRule rule, Operation operation, TimeProvider clock)
    {
        Reply? reply = rule.Fault switch
        {
            Fault.RateLimited => Refuse(rule, operation, 429, ReplyStyle.Json, Assumptions.RateMessage),
            Fault.Refused => Refuse(rule, operation, 400, ReplyStyle.Json, Assumptions.InvalidInputMessage),
            Fault.TokenRejected =>
                Refuse(rule, operation, Assumptions.TokenRejectedStatus, ReplyStyle.Json, Assumptions.TokenRejectedMessage),
            Fault.PermissionMissing =>
                Refuse(rule, operation, Assumptions.PermissionMissingStatus, ReplyStyle.Json, Assumptions.PermissionMissingMessage),
            Fault.QuotaExceeded => Refuse(rule, operation, 200, ReplyStyle.SuccessFalse, Assumptions.QuotaMessage),
            Fault.UnknownStatusId => Refuse(rule, operation, 404, FaultScript.None.Refusals, Assumptions.UnknownStatusIdMessage),
            Fault.Unavailable => Refuse(rule, operation, 503, ReplyStyle.Json, Assumptions.BusyMessage),
            Fault.BadGateway => Refuse(rule, operation, 502, ReplyStyle.Html, "Bad Gateway"),
            Fault.EmptyReply => Refuse(rule, operation, 200, ReplyStyle.Empty, ""),
            Fault.InvalidJson => new Reply(rule.HttpStatus ?? 200, Reply.Json, """{"success":true,"runtime":5,"status_id":"""u8.ToArray()),
            Fault.NoStatusId => new Reply(rule.HttpStatus ?? 200, Reply.Json, """{"success":true,"runtime":5}"""u8.ToArray()),
            Fault.Delay or Fault.ReplyLost or Fault.ReplyCut or Fault.Reset or Fault.Hang or Fault.ClosedUnread => null,
        };
        return reply is { } r ? r with { RetryAfter = RetryAfter(rule, clock) } : null;
    }

    public static CallOutcome OutcomeOf(Fault fault) => fault switch
    {
        Fault.Delay => CallOutcome.Ok,
        Fault.UnknownStatusId => CallOutcome.Refused,
        Fault.Hang => CallOutcome.Hung,
        _ => Enum.Parse<CallOutcome>(fault.ToString()), // the others have one name
    };

    private static Reply Refuse(FaultRule rule, Operation operation, int httpStatus, ReplyStyle style, string message)
    {
        // The push host speaks plain text and says its errors with 200 (OWN); what a proxy or a limiter says is the same everywhere.
        if (operation == Operation.Push && httpStatus < 429)
            (httpStatus, style) = (200, ReplyStyle.Text);
        return Reply.Refusal(rule.Style ?? style, rule.HttpStatus ?? httpStatus, rule.Message ?? message);
    }

    private static string? RetryAfter(FaultRule rule, TimeProvider clock) =>
        (rule.RetryAfter ?? (rule.Fault == Fault.RateLimited ? RetryAfterForm.Seconds : RetryAfterForm.None)) switch
        {
            RetryAfterForm.None => null,
            RetryAfterForm.Seconds => rule.RetryAfterSeconds.ToString(CultureInfo.InvariantCulture),
            RetryAfterForm.Date => clock.GetUtcNow().AddSeconds(rule.RetryAfterSeconds).ToString("R", CultureInfo.InvariantCulture),
        };
}
