namespace Cincopa.Client;

public readonly record struct StatusId(string Value);
public readonly record struct Rid(string Value);
public readonly record struct Fid(string Value);
public sealed record CincopaAccess(Uri BaseUrl, string ApiToken);
public interface ICincopaClient
{
    Task<PingResult> PingAsync(CincopaAccess access, CancellationToken cancellationToken);
    Task<SubmitResult> UploadFromUrlAsync(CincopaAccess access, string input, Fid? fid, CancellationToken cancellationToken);
    Task<StatusResult> GetUploadStatusAsync(CincopaAccess access, StatusId statusId, CancellationToken cancellationToken);
}
public abstract record PingResult { public sealed record Ok(string Permissions) : PingResult; public sealed record Failed(RemoteError Error) : PingResult; }
public sealed record CincopaClientOptions;
public sealed class CincopaClient(CincopaClientOptions options, TimeProvider clock) : ICincopaClient
{
    public Task<PingResult> PingAsync(CincopaAccess access, CancellationToken cancellationToken) => throw new NotSupportedException($"{options}{clock}");
    public Task<SubmitResult> UploadFromUrlAsync(CincopaAccess access, string input, Fid? fid, CancellationToken cancellationToken) => throw new NotSupportedException();
    public Task<StatusResult> GetUploadStatusAsync(CincopaAccess access, StatusId statusId, CancellationToken cancellationToken) => throw new NotSupportedException();
}
public abstract record SubmitResult
{
    public sealed record Accepted(StatusId StatusId) : SubmitResult;
    public sealed record Refused(RemoteError Error) : SubmitResult;
    public sealed record NeverSent(RemoteError Error) : SubmitResult;
    public sealed record Unknown(RemoteError Error) : SubmitResult;
}
public abstract record StatusResult
{
    public sealed record Running(int? ProgressPercent, long? ProgressBytes, long? TotalBytes, Rid? Rid, string? UnknownWord) : StatusResult;
    public sealed record Done(Rid Rid) : StatusResult;
    public sealed record DoneWithoutRid : StatusResult;
    public sealed record Failed(RemoteError Error) : StatusResult;
    public sealed record NotFound(RemoteError Error) : StatusResult;
    public sealed record Unavailable(RemoteError Error) : StatusResult;
}
public sealed record RemoteError(RemoteErrorKind Kind, int? HttpStatus, string Message, TimeSpan? RetryAfter);
public enum RemoteErrorKind { NameNotResolved, ConnectionRefused, TlsFailed, ConnectTimedOut, Timeout, ConnectionLost, UnreadableReply, TokenRejected, PermissionMissing, QuotaExceeded, RateLimited, ServerError, SourceNotFound, SourceForbidden, SourceTimeout, SourceUnreachable, UnsupportedMedia, InvalidInput, Aborted, UnknownStatusId, Rejected }
