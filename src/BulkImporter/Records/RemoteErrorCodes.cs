using Cincopa.Client;

namespace BulkImporter.Records;

/// <summary>The remote client's errors in the terms of our own closed list.</summary>
public static class RemoteErrorCodes
{
    /// <summary>The code for an error that the API, or the import at the remote side, reported.</summary>
    public static FailureCode Code(this RemoteError error) => error.Kind switch
    {
        RemoteErrorKind.NameNotResolved or RemoteErrorKind.ConnectionRefused or RemoteErrorKind.TlsFailed
            or RemoteErrorKind.ConnectTimedOut => FailureCode.ApiUnreachable,
        RemoteErrorKind.Timeout => FailureCode.ReplyTimeout,
        RemoteErrorKind.ConnectionLost => FailureCode.ReplyLost,
        RemoteErrorKind.UnreadableReply => FailureCode.ReplyUnreadable,
        RemoteErrorKind.TokenRejected => FailureCode.TokenRejected,
        RemoteErrorKind.PermissionMissing => FailureCode.PermissionMissing,
        RemoteErrorKind.QuotaExceeded => FailureCode.QuotaExceeded,
        RemoteErrorKind.RateLimited => FailureCode.RateLimited,
        RemoteErrorKind.NotTheApi => FailureCode.NotTheApi,
        RemoteErrorKind.ServerError => FailureCode.RemoteError,
        RemoteErrorKind.SourceNotFound => FailureCode.SourceNotFound,
        RemoteErrorKind.SourceForbidden => FailureCode.SourceForbidden,
        RemoteErrorKind.SourceTimeout => FailureCode.SourceTimeout,
        RemoteErrorKind.SourceUnreachable => FailureCode.SourceUnreachable,
        RemoteErrorKind.UnsupportedMedia => FailureCode.UnsupportedMedia,
        RemoteErrorKind.InvalidInput => FailureCode.InvalidInput,
        RemoteErrorKind.Aborted => FailureCode.RemoteAborted,
        RemoteErrorKind.UnknownStatusId => FailureCode.StatusLost,
        RemoteErrorKind.Rejected or RemoteErrorKind.MethodNotAllowed => FailureCode.RemoteRejected,
    };
}
