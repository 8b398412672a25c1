using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Security.Authentication;

namespace BulkImporter.Sources;

/// <summary>A header with its value in clear, on its way to a source. Its text does not show the value.</summary>
public sealed record SecretHeader(string Host, string Name, string Value)
{
    /// <summary>
    /// Where a URL's request goes, as headers are kept for it: <c>media.example.com</c> over https, <c>media.example.com:8443</c> at
    /// another port, <c>http://media.example.com</c> in clear.
    /// </summary>
    internal static string PlaceOf(Uri url) =>
        (url.Scheme == Uri.UriSchemeHttps ? "" : "http://") + (url.HostNameType == UriHostNameType.IPv6 ? url.Host : url.IdnHost)
            .ToLowerInvariant()
        + (url.IsDefaultPort ? "" : $":{url.Port}");

    public override string ToString() => $"{Name} for {Host}";
}

/// <summary>The addresses of a host name; throws <see cref="SocketException"/> when there are none.</summary>
public delegate Task<IPAddress[]> ResolveName(string host, CancellationToken cancellationToken);

/// <summary>What is asked of a source.</summary>
/// <param name="Url">As the manifest has it.</param>
/// <param name="HeadOnly">HEAD instead of GET.</param>
/// <param name="Range">The bytes that are wanted, for example <c>new(0, 0)</c> for the first; null for all. A source may ignore it.</param>
/// <param name="SameAs">With a range: the <see cref="SourceAnswer.StrongTag"/> of the answer that is to be continued. When the file
/// changed, all of it comes.</param>
/// <param name="Headers">Of the account that the source is read for; each goes to its own host only. Null for none.</param>
public readonly record struct SourceRequest(
    Uri Url, bool HeadOnly = false, RangeItemHeaderValue? Range = null, string? SameAs = null, IReadOnlyList<SecretHeader>? Headers = null);

/// <summary>
/// The only way in which this process calls a source, whose URL a stranger may have written. Each address is judged after DNS, at the
/// moment of connecting and so at each redirect, too: a public name with an address inside, or a redirect to one, ends there. Cookies,
/// credentials, client certificates, proxies of the environment and trace headers are not used; what an account keeps for a host
/// (<see cref="SecretHeader"/>) goes to that host, and not to where it redirects. An expected answer is a value with a code, not an
/// exception.
/// </summary>
public sealed class ReachSource : IDisposable
{
    /// <summary>Redirects that are followed for one call: more than any share link was seen to need.</summary>
    internal const int MaxRedirects = 8;

    /// <summary>From the call to the head of the last answer, all redirects together.</summary>
    internal static readonly TimeSpan AnswerTimeout = TimeSpan.FromSeconds(30);

    /// <summary>A body that brings no byte for this long has stalled.</summary>
    internal static readonly TimeSpan StallTimeout = TimeSpan.FromSeconds(30);

    /// <summary>To resolve the name and connect, TLS not counted.</summary>
    private static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(10);

    private readonly TimeProvider clock;
    private readonly HttpMessageInvoker http;

    public ReachSource(SourceNetworks networks, ResolveName resolve, TimeProvider clock)
    {
        this.clock = clock;
        http = new HttpMessageInvoker(new SocketsHttpHandler
        {
            ConnectCallback = (context, stop) => JudgedConnection.OpenAsync(context.DnsEndPoint, resolve, networks.Permit, stop),
            ConnectTimeout = ConnectTimeout,
            // Followed here, hop by hop, so that the bound, the scheme and the credentials of each are ours to judge.
            AllowAutoRedirect = false,
            UseProxy = false,
            UseCookies = false,
            PreAuthenticate = false,
            // Sizes and ranges are those of the file, not of a compressed form of it.
            AutomaticDecompression = DecompressionMethods.None,
            ActivityHeadersPropagator = null,
            ResponseHeaderEncodingSelector = static (_, _) => Encoding.UTF8,
            // A body that nobody reads is not waited for: a file of gigabytes may follow the head.
            MaxResponseDrainSize = 0,
            PooledConnectionIdleTimeout = TimeSpan.FromSeconds(15),
            PooledConnectionLifetime = TimeSpan.FromMinutes(2),
        });
    }

    /// <summary>Calls the source and follows its redirects. Throws only when <paramref name="cancellationToken"/> is cancelled.</summary>
    public async Task<SourceAnswer> RunAsync(SourceRequest request, CancellationToken cancellationToken)
    {
        using var late = new CancellationTokenSource(AnswerTimeout, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(late.Token, cancellationToken);
        var url = request.Url;
        for (var hop = 0; ; hop++)
        {
            if (!url.IsAbsoluteUri || url.Scheme != Uri.UriSchemeHttp && url.Scheme != Uri.UriSchemeHttps)
                return Failed(SourceProblem.UrlRefused, "Only http and https URLs are called.", url);
            if (url.UserInfo.Length > 0)
                return Failed(SourceProblem.UrlRefused, "The URL has a user name; credentials are not sent.", url);

            HttpResponseMessage response;
            try
            {
                using var message = Message(request, url);
                response = await http.SendAsync(message, either.Token);
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
                return late.IsCancellationRequested
                    ? Failed(SourceProblem.TimedOut, $"{url.IdnHost} did not answer within {AnswerTimeout.TotalSeconds:0.#} s.", url)
                    : Failed(SourceProblem.Unreachable,
                        $"{url.IdnHost} could not be connected within {ConnectTimeout.TotalSeconds:0.#} s.", url);
            }
            catch (HttpRequestException e)
            {
                return Failed(Problem(e), url);
            }

            if (!IsRedirect(response.StatusCode)) return Answered(response, url);
            var location = response.Headers.Location;
            response.Dispose();
            if (location is null || !Uri.TryCreate(url, location, out var next))
                return Failed(SourceProblem.RedirectLost,
                    $"{url.IdnHost} answered {(int)response.StatusCode} without a redirect URL.", url);
            if (hop == MaxRedirects)
                return Failed(SourceProblem.RedirectLost, $"More than {MaxRedirects} redirects.", url);
            url = next;
        }
    }

    public void Dispose() => http.Dispose();

    private static HttpRequestMessage Message(SourceRequest request, Uri url)
    {
        var message = new HttpRequestMessage(request.HeadOnly ? HttpMethod.Head : HttpMethod.Get, url);
        // Some front servers turn away who does not name itself.
        message.Headers.UserAgent.ParseAdd("BulkImporter/1.0");
        message.Headers.Accept.ParseAdd("*/*");
        message.Headers.AcceptEncoding.ParseAdd("identity");
        foreach (var header in (request.Headers ?? []).Where(h => Receives(h, url)))
            message.Headers.TryAddWithoutValidation(header.Name, header.Value);
        if (request.Range is { } range)
        {
            message.Headers.Range = new RangeHeaderValue { Ranges = { range } };
            if (request.SameAs is { } tag) message.Headers.IfRange = new RangeConditionHeaderValue(new EntityTagHeaderValue(tag));
        }
        return message;
    }

    /// <summary>
    /// Whether a header goes to <paramref name="url"/>: to its host and port, and in clear only where it was kept for that.
    /// </summary>
    internal static bool Receives(SecretHeader header, Uri url) => SecretHeader.PlaceOf(url) == header.Host;

    private static bool IsRedirect(HttpStatusCode status) => (int)status is 301 or 302 or 303 or 307 or 308;

    private static (SourceProblem, string) Problem(HttpRequestException error)
    {
        for (Exception? cause = error; cause is not null; cause = cause.InnerException)
        {
            if (cause is AddressRefusedException refused)
                return (SourceProblem.AddressRefused, $"leads to {refused.Address}, which is not a public address");
            if (cause is AuthenticationException) return (SourceProblem.TlsFailed, "has no valid certificate for its name, or TLS failed");
        }
        return error.HttpRequestError switch
        {
            HttpRequestError.NameResolutionError => (SourceProblem.HostNotFound, "does not resolve"),
            HttpRequestError.ConnectionError => (SourceProblem.Unreachable, "cannot be connected"),
            HttpRequestError.SecureConnectionError => (SourceProblem.TlsFailed, "has no valid certificate for its name, or TLS failed"),
            _ => (SourceProblem.Broken, "broke off, or answered with something that is not HTTP"),
        };
    }

    private SourceAnswer Answered(HttpResponseMessage response, Uri url)
    {
        var status = (int)response.StatusCode;
        SourceProblem? problem = status switch
        {
            >= 200 and < 300 => null,
            404 or 410 => SourceProblem.NotFound,
            401 or 403 or 407 => SourceProblem.Forbidden,
            429 or 503 => SourceProblem.Busy,
            >= 500 => SourceProblem.ServerFailed,
            >= 400 => SourceProblem.Refused,
            _ => SourceProblem.Broken,
        };
        return new SourceAnswer(problem, $"{url.IdnHost} answered {status}.", url, response, clock);
    }

    private SourceAnswer Failed((SourceProblem Problem, string Text) why, Uri url) =>
        Failed(why.Problem, $"{url.IdnHost} {why.Text}.", url);

    private SourceAnswer Failed(SourceProblem problem, string detail, Uri url) => new(problem, detail, url, null, clock);
}
