namespace Cincopa.Simulator.Faults;

/// <summary>A way to misbehave. In JSON in snake case. "Commits": the call takes effect although its answer does not say so.</summary>
public enum Fault
{
    /// <summary>Only the rule's wait; then the proper answer.</summary>
    Delay,
    /// <summary>429 with <c>Retry-After: 1</c>.</summary>
    RateLimited,
    /// <summary>400 and a message.</summary>
    Refused,
    /// <summary>403 (or <c>httpStatus</c> 401) and a message.</summary>
    TokenRejected,
    /// <summary>403 and a message.</summary>
    PermissionMissing,
    /// <summary>200, <c>success:false</c>, quota text.</summary>
    QuotaExceeded,
    /// <summary>200, <c>success:false</c>, unknown status_id.</summary>
    UnknownStatusId,
    /// <summary>503 and a message.</summary>
    Unavailable,
    /// <summary>502 in HTML, as from a proxy.</summary>
    BadGateway,
    /// <summary>200 without a body.</summary>
    EmptyReply,
    /// <summary>200 with JSON that stops half-way.</summary>
    InvalidJson,
    /// <summary>200, <c>success:true</c>, nothing else. Commits.</summary>
    NoStatusId,
    /// <summary>The connection is reset before a byte of the answer. Commits.</summary>
    ReplyLost,
    /// <summary>The connection is reset after half of the answer. Commits.</summary>
    ReplyCut,
    /// <summary>The connection is reset after the request was read.</summary>
    Reset,
    /// <summary>No answer until the client gives up.</summary>
    Hang,
    /// <summary>On <c>connection</c> only: the connection is closed before the request is read.</summary>
    ClosedUnread,
}

/// <summary>The form of a refusal.</summary>
public enum ReplyStyle
{
    /// <summary>Non-2xx with <c>{"success":false,"message":…}</c>.</summary>
    Json,
    /// <summary>200 with <c>{"success":false,"message":…}</c>.</summary>
    SuccessFalse,
    /// <summary>No body.</summary>
    Empty,
    /// <summary>An HTML page.</summary>
    Html,
    /// <summary>Plain text, as the push host answers.</summary>
    Text,
}

/// <summary>The form of a <c>Retry-After</c> header.</summary>
public enum RetryAfterForm
{
    None,
    Seconds,
    Date,
}
