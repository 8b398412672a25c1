namespace BulkImporter.Records;

/// <summary>What a failure means for the record. Decided by the code, never by the prose.</summary>
public enum FailureClass
{
    /// <summary>Another attempt may succeed.</summary>
    Retryable,

    /// <summary>Another attempt would fail alike; a person has to change something.</summary>
    Permanent,

    /// <summary>The call may have been received: sending again could make a second asset.</summary>
    Unknown,
}

/// <summary>The closed list of how an attempt can fail. Stored and shown as snake_case text.</summary>
public enum FailureCode
{
    /// <summary>The remote side could not fetch the source: not there.</summary>
    SourceNotFound,

    /// <summary>The remote side could not fetch the source: not allowed.</summary>
    SourceForbidden,

    /// <summary>The source answered the remote side too slowly.</summary>
    SourceTimeout,

    /// <summary>The remote side could not reach the source's host.</summary>
    SourceUnreachable,

    /// <summary>The source is not a media file that Cincopa takes (a web page, an unknown type).</summary>
    UnsupportedMedia,

    /// <summary>Cincopa refused the <c>input</c> itself.</summary>
    InvalidInput,

    /// <summary>Cincopa refused, or the import failed there, for a reason that we have no code for; the text tells.</summary>
    RemoteRejected,

    /// <summary>Cincopa answered clearly that it failed on its side.</summary>
    RemoteError,

    /// <summary>The import was aborted at the remote side.</summary>
    RemoteAborted,

    /// <summary>Cincopa asked everyone to slow down.</summary>
    RateLimited,

    /// <summary>The call never left: the name did not resolve, the connection was refused, TLS failed.</summary>
    ApiUnreachable,

    /// <summary>The token is not accepted.</summary>
    TokenRejected,

    /// <summary>The token lacks a permission.</summary>
    PermissionMissing,

    /// <summary>The account's storage or asset quota is used up.</summary>
    QuotaExceeded,

    /// <summary>
    /// A page answered where the API was expected. The row's trouble when the API answers otherwise; when it does not, the account's, and
    /// the attempt is given back.
    /// </summary>
    NotTheApi,

    /// <summary>The worker stopped after the intent and before the call: nothing left.</summary>
    NotSent,

    /// <summary>The call left and no answer came in time.</summary>
    ReplyTimeout,

    /// <summary>The connection broke after the call had left.</summary>
    ReplyLost,

    /// <summary>An answer came that cannot be read (HTML, empty, no status_id).</summary>
    ReplyUnreadable,

    /// <summary>The worker died or lost its lease between sending and recording the answer.</summary>
    WorkerLost,

    /// <summary>
    /// A file that we send broke off before its last part, so that no asset can exist: the next attempt goes on from there.
    /// </summary>
    PushInterrupted,

    /// <summary>Cincopa no longer knows the status_id that it gave.</summary>
    StatusLost,

    /// <summary>Cincopa says that the import is done but never named the asset.</summary>
    AssetUnnamed,

    /// <summary>The import did not end within the deadline.</summary>
    DeadlineExceeded,

    /// <summary>A person left a record in doubt as it is: it counts as failed, and Cincopa may have the asset or not.</summary>
    GivenUp,
}

public static class FailureCodes
{
    public static FailureClass Class(this FailureCode code) => code switch
    {
        FailureCode.SourceTimeout or FailureCode.SourceUnreachable or FailureCode.RemoteRejected or FailureCode.RemoteError
            or FailureCode.RateLimited or FailureCode.ApiUnreachable or FailureCode.TokenRejected or FailureCode.PermissionMissing
            or FailureCode.QuotaExceeded or FailureCode.NotTheApi or FailureCode.NotSent or FailureCode.PushInterrupted
            => FailureClass.Retryable,
        FailureCode.SourceNotFound or FailureCode.SourceForbidden or FailureCode.UnsupportedMedia or FailureCode.InvalidInput
            or FailureCode.RemoteAborted => FailureClass.Permanent,
        FailureCode.ReplyTimeout or FailureCode.ReplyLost or FailureCode.ReplyUnreadable or FailureCode.WorkerLost
            or FailureCode.StatusLost or FailureCode.AssetUnnamed or FailureCode.DeadlineExceeded or FailureCode.GivenUp
            => FailureClass.Unknown,
    };

    /// <summary>
    /// True when the failure says something about the account, the way to the API or the worker, and nothing about the row: the record
    /// goes back to pending with its attempt given back.
    /// </summary>
    public static bool IsNotTheRows(this FailureCode code) => code is FailureCode.RateLimited or FailureCode.ApiUnreachable
        or FailureCode.TokenRejected or FailureCode.PermissionMissing or FailureCode.QuotaExceeded or FailureCode.NotSent;

    /// <summary>
    /// True when the failure says that the source's host gives nothing to whoever asks: many of these one after another, and the host
    /// waits (<see cref="FailingHost"/>). A file that is not there, or is not media, is an answer of a host that works.
    /// </summary>
    public static bool IsOfTheHost(this FailureCode code) =>
        code is FailureCode.SourceForbidden or FailureCode.SourceTimeout or FailureCode.SourceUnreachable;

    /// <summary>What a failure of this class asks of a person.</summary>
    public static string InWords(this FailureClass kind) => kind switch
    {
        FailureClass.Retryable => "Can be tried again",
        FailureClass.Permanent => "Needs a fix",
        FailureClass.Unknown => "In doubt",
    };

    /// <summary>The class of a stored code, or null for a finding's code (an invalid row never had an attempt).</summary>
    public static FailureClass? ClassOf(string? code) => EnumText<FailureCode>.TryParse(code, out var known) ? known.Class() : null;
}
