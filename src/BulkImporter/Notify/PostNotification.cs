using System.Net;
using BulkImporter.Sources;

namespace BulkImporter.Notify;

/// <summary>
/// One POST to a target. Nothing of the answer is read but its status, no redirect is followed, and addresses that only this machine's own
/// network knows as such (link-local, where clouds keep their credentials) are not connected to, whatever name leads there.
/// </summary>
public sealed class PostNotification(DeliveryPace pace, TimeProvider clock) : IDisposable
{
    private readonly HttpMessageInvoker http = new(new SocketsHttpHandler
    {
        AllowAutoRedirect = false,
        UseCookies = false,
        UseProxy = false,
        ActivityHeadersPropagator = null,
        PooledConnectionLifetime = TimeSpan.FromMinutes(1),
        ConnectCallback = (context, stop) => JudgedConnection.OpenAsync(
            context.DnsEndPoint, Dns.GetHostAddressesAsync, address => !InnerAddress.IsLinkLocal(address), stop),
    });

    /// <summary>Null when the target took it (2xx); otherwise why it did not, for people, and without a word of its answer.</summary>
    public async Task<string?> RunAsync(Uri url, string secret, string id, string body, CancellationToken cancellationToken)
    {
        var timestamp = clock.GetUtcNow().ToUnixTimeSeconds();
        using var request = new HttpRequestMessage(HttpMethod.Post, url)
        { Content = new StringContent(body, Encoding.UTF8, "application/json") };
        request.Headers.Add("webhook-id", id);
        request.Headers.Add("webhook-timestamp", timestamp.ToString(CultureInfo.InvariantCulture));
        request.Headers.Add("webhook-signature", Signature.Of(secret, id, timestamp, body));
        request.Headers.Add("User-Agent", "BulkImporter");
        using var timer = new CancellationTokenSource(pace.Timeout, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, timer.Token);
        try
        {
            using var response = await http.SendAsync(request, either.Token);
            return response.IsSuccessStatusCode
                ? null : $"It answered with HTTP {(int)response.StatusCode}.";
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return $"It did not answer within {pace.Timeout.TotalSeconds:0.#} s.";
        }
        catch (HttpRequestException e)
        {
            return e.InnerException is AddressRefusedException
                ? $"{url.IdnHost} is a link-local address, to which nothing is sent."
                : e.HttpRequestError switch
                {
                    HttpRequestError.NameResolutionError => $"The name {url.IdnHost} does not resolve to an address.",
                    HttpRequestError.ConnectionError => $"{url.IdnHost} refuses the connection.",
                    HttpRequestError.SecureConnectionError => $"There is no secure connection to {url.IdnHost}. Check its certificate.",
                    _ => $"The connection to {url.IdnHost} was lost before it answered.",
                };
        }
    }

    public void Dispose() => http.Dispose();
}
