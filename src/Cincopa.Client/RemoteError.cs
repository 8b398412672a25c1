namespace Cincopa.Client;

/// <summary>Why a call, or an import on the remote side, did not work.</summary>
/// <param name="Kind">The verdict; nobody reads the prose after us.</param>
/// <param name="HttpStatus">The status code of the reply, null when there was none.</param>
/// <param name="Message">For people: redacted, one line, at most 500 characters.</param>
/// <param name="RetryAfter">How long the reply asks us to wait, from now: never negative, and a day at most. Null when it does not
/// say.</param>
public sealed record RemoteError(RemoteErrorKind Kind, int? HttpStatus, string Message, TimeSpan? RetryAfter);

/// <summary>An answer that is not what was asked for, and why.</summary>
public interface IFailure
{
    RemoteError Error { get; }
}

/// <summary>The closed list of what goes wrong at the remote side or on the way to it.</summary>
public enum RemoteErrorKind
{
    /// <summary>The server's name has no address: nothing was sent.</summary>
    NameNotResolved,

    /// <summary>No connection was made (refused, unreachable, no free port, proxy refused): nothing was sent.</summary>
    ConnectionRefused,

    /// <summary>The TLS handshake failed: nothing was sent.</summary>
    TlsFailed,

    /// <summary>No connection within the connect timeout: nothing was sent.</summary>
    ConnectTimedOut,

    /// <summary>No complete reply within the call's timeout.</summary>
    Timeout,

    /// <summary>The connection ended before the complete reply, by the other side or because the caller cancelled.</summary>
    ConnectionLost,

    /// <summary>A reply came and cannot be understood: empty, HTML, cut, too large, or without a field that is needed.</summary>
    UnreadableReply,

    /// <summary>The token is wrong or expired (403 by the docs, 401 treated alike: 3P S13, OWN S10).</summary>
    TokenRejected,

    /// <summary>The token is good and may not do this.</summary>
    PermissionMissing,

    /// <summary>The account's storage or asset quota is used up.</summary>
    QuotaExceeded,

    /// <summary>Too many calls (429, or a text that says so).</summary>
    RateLimited,

    /// <summary>
    /// The address answers 404 or 410 with something that is not the API's JSON: perhaps no API is there, perhaps a front server turned
    /// this one call away (INF).
    /// </summary>
    NotTheApi,

    /// <summary>The address does not take this HTTP verb (405): nothing was started.</summary>
    MethodNotAllowed,

    /// <summary>The remote side failed by itself (5xx), or its address answers with a redirect.</summary>
    ServerError,

    /// <summary>The source URL leads to nothing.</summary>
    SourceNotFound,

    /// <summary>The source refused Cincopa.</summary>
    SourceForbidden,

    /// <summary>The source did not answer Cincopa in time.</summary>
    SourceTimeout,

    /// <summary>Cincopa could not reach the source, or the source failed.</summary>
    SourceUnreachable,

    /// <summary>The source is not a media file that Cincopa takes, e.g. an HTML page.</summary>
    UnsupportedMedia,

    /// <summary>The <c>input</c> or another argument was refused as such.</summary>
    InvalidInput,

    /// <summary>The import was aborted at the remote side.</summary>
    Aborted,

    /// <summary>The API does not know this <c>status_id</c>.</summary>
    UnknownStatusId,

    /// <summary>Refused or failed with a text that we do not know.</summary>
    Rejected,
}
