using System.Net;

namespace BulkImporter.Sources;

/// <summary>Why a source could not be had. The list is closed.</summary>
public enum SourceProblem
{
    /// <summary>Not an absolute http or https URL, or one with a user name in it.</summary>
    UrlRefused,

    /// <summary>The name does not resolve.</summary>
    HostNotFound,

    /// <summary>The host is, or a redirect leads to, an address inside somebody's network that the operator did not allow.</summary>
    AddressRefused,

    /// <summary>No connection: refused, unreachable, or too slow.</summary>
    Unreachable,

    /// <summary>The certificate is not valid for the host, or TLS failed.</summary>
    TlsFailed,

    /// <summary>Connected, and no answer in time; or a body that stalled.</summary>
    TimedOut,

    /// <summary>The connection broke, or what came is no HTTP.</summary>
    Broken,

    /// <summary>A redirect without a usable address, or too many of them.</summary>
    RedirectLost,

    /// <summary>404 or 410.</summary>
    NotFound,

    /// <summary>401, 403 or 407: a link that ran out looks like this, too.</summary>
    Forbidden,

    /// <summary>429 or 503: asks to come again later.</summary>
    Busy,

    /// <summary>Another 4xx.</summary>
    Refused,

    /// <summary>5xx.</summary>
    ServerFailed,
}

/// <summary>
/// A source's answer, or why there is none. Its head has been read and its body has not; dispose it to give the connection back.
/// </summary>
public sealed class SourceAnswer(SourceProblem? problem, string detail, Uri url, HttpResponseMessage? response, TimeProvider clock)
    : IDisposable
{
    private Stream? body;

    /// <summary>Null when the source answered with 2xx.</summary>
    public SourceProblem? Problem => problem;

    /// <summary>One sentence for a person. Holds hosts and addresses, never a path or query (they may be signed).</summary>
    public string Detail => detail;

    /// <summary>Where the last redirect led; its query may hold a signature.</summary>
    public Uri Url => url;

    /// <summary>Null when there was no answer.</summary>
    public HttpStatusCode? Status => response?.StatusCode;

    /// <summary>For example <c>video/mp4</c>, in lower case and without parameters; null when the source does not say.</summary>
    public string? MediaType => response?.Content.Headers.ContentType?.MediaType?.ToLowerInvariant();

    /// <summary>What the source calls the file; null when it does not say.</summary>
    public string? FileName => response?.Content.Headers.ContentDisposition is { } named
        && (named.FileNameStar ?? named.FileName?.Trim('"')) is { Length: > 0 } name ? PlainText.Storable(name) : null;

    /// <summary>The size of the whole file, also when only a range of it was asked for; null when the source does not say.</summary>
    public long? Size => Status == HttpStatusCode.PartialContent
        ? response!.Content.Headers.ContentRange?.Length
        : response?.Content.Headers.ContentLength;

    /// <summary>Where the body begins in the file: 0 unless the source obeyed the range that was asked for.</summary>
    public long From => Status == HttpStatusCode.PartialContent ? response!.Content.Headers.ContentRange?.From ?? 0 : 0;

    /// <summary>A strong entity tag, which tells that two answers are of the same bytes; else null.</summary>
    public string? StrongTag => response?.Headers.ETag is { IsWeak: false } tag ? tag.Tag : null;

    /// <summary>No source makes a row wait longer, whatever it asks for.</summary>
    public static readonly TimeSpan LongestWait = TimeSpan.FromDays(1);

    /// <summary>How long the source asks to be left alone, a day at most; null when it does not ask.</summary>
    public TimeSpan? RetryAfter => response?.Headers.RetryAfter switch
    {
        { Delta: { } delta } => delta < LongestWait ? delta : LongestWait,
        { Date: { } date } when date - clock.GetUtcNow() is var wait && wait > TimeSpan.Zero => wait < LongestWait ? wait : LongestWait,
        { Date: not null } => TimeSpan.Zero,
        _ => null,
    };

    /// <summary>Reads on in the body. 0 bytes and no problem is its end.</summary>
    public async ValueTask<SourceRead> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        if (response is null) return new SourceRead(0, Problem);
        using var late = new CancellationTokenSource(ReachSource.StallTimeout, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(late.Token, cancellationToken);
        try
        {
            body ??= await response.Content.ReadAsStreamAsync(either.Token);
            return new SourceRead(await body.ReadAsync(buffer, either.Token), null);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return new SourceRead(0, SourceProblem.TimedOut);
        }
        catch (IOException)
        {
            return new SourceRead(0, SourceProblem.Broken);
        }
    }

    public void Dispose()
    {
        body?.Dispose();
        response?.Dispose();
    }
}

/// <param name="Count">Bytes that were put into the buffer.</param>
/// <param name="Problem">Why there are none; null when there are, or at the end.</param>
public readonly record struct SourceRead(int Count, SourceProblem? Problem);
