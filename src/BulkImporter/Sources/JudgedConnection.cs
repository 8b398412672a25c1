using System.Net;
using System.Net.Sockets;

namespace BulkImporter.Sources;

/// <summary>A connection to an address that was judged after DNS, at the moment of connecting.</summary>
public static class JudgedConnection
{
    /// <summary>Connects to the addresses that were judged, never to the name again: a second look-up could answer otherwise.</summary>
    /// <exception cref="AddressRefusedException">One of the addresses is not permitted. It is enough to refuse the name: which of them is
    /// taken would be chance, or a stranger's choice.</exception>
    public static async ValueTask<Stream> OpenAsync(
        DnsEndPoint target, ResolveName resolve, Func<IPAddress, bool> permit, CancellationToken cancellationToken)
    {
        IPAddress[] addresses = IPAddress.TryParse(target.Host, out var literal)
            ? [literal] : await resolve(target.Host, cancellationToken);
        if (Array.Find(addresses, address => !permit(address)) is { } refused) throw new AddressRefusedException(refused);

        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(addresses, target.Port, cancellationToken);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}

/// <summary>Carries the refusal through the platform's handler, which wraps whatever the connecting throws.</summary>
public sealed class AddressRefusedException(IPAddress address) : IOException($"{address} is not a public address.")
{
    public IPAddress Address => address;
}
