using System.Net;
using System.Net.Sockets;
using System.Threading.RateLimiting;

namespace BulkImporter.Access;

/// <summary>
/// Counts wrong secrets where right ones come with every call: API keys and the token for <c>/metrics</c>. Whoever has tried too many
/// is not listened to until the minute is over, right or wrong.
/// </summary>
public sealed class Guesses(IOptions<AccessOptions> options) : IDisposable
{
    private static readonly TimeSpan Window = TimeSpan.FromMinutes(1);

    private readonly PartitionedRateLimiter<HttpContext> wrong = PartitionedRateLimiter.Create<HttpContext, string>(context =>
        Of(context, options.Value));

    /// <summary>False after too many wrong ones; the answer has its status and says when to come again.</summary>
    public bool MayTry(HttpContext context)
    {
        using var lease = wrong.AttemptAcquire(context, 0);
        if (lease.IsAcquired) return true;
        Refuse(context, lease);
        return false;
    }

    public void Wrong(HttpContext context) => wrong.AttemptAcquire(context, 1).Dispose();

    public void Dispose() => wrong.Dispose();

    /// <summary>The tries of one network: a limit and a minute.</summary>
    internal static RateLimitPartition<string> Of(HttpContext context, AccessOptions options) => RateLimitPartition.GetFixedWindowLimiter(
        NetworkOf(context.Connection.RemoteIpAddress), _ =>
            new FixedWindowRateLimiterOptions { PermitLimit = options.SignInsPerMinute, Window = Window });

    internal static void Refuse(HttpContext context, RateLimitLease lease)
    {
        context.Response.StatusCode = StatusCodes.Status429TooManyRequests;
        var wait = lease.TryGetMetadata(MetadataName.RetryAfter, out var rest) ? rest : Window;
        context.Response.Headers.RetryAfter = ((int)Math.Ceiling(wait.TotalSeconds)).ToString(CultureInfo.InvariantCulture);
    }

    /// <summary>An IPv4 address, or the first half of an IPv6 one: whoever has one address of it has all.</summary>
    internal static string NetworkOf(IPAddress? address)
    {
        if (address is null) return "";
        if (address.IsIPv4MappedToIPv6) address = address.MapToIPv4();
        if (address.AddressFamily != AddressFamily.InterNetworkV6) return address.ToString();
        var bytes = address.GetAddressBytes();
        bytes.AsSpan(8).Clear();
        return $"{new IPAddress(bytes)}/64";
    }
}
