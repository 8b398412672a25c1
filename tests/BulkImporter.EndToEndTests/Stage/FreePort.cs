using System.Net;
using System.Net.Sockets;

namespace BulkImporter.EndToEndTests;

internal static class FreePort
{
    // Below the ports that the kernel gives to connections, of which a test run opens thousands while a program starts up.
    private const int First = 10_000;
    private const int Last = 30_000;

    private static int next = Random.Shared.Next(First, Last);

    /// <summary>A loopback port that nobody listens on now, and that this test run gives out once.</summary>
    public static int Take()
    {
        while (true)
        {
            var port = First + Interlocked.Increment(ref next) % (Last - First);
            try
            {
                using var listener = new TcpListener(IPAddress.Loopback, port);
                listener.Start();
                return port;
            }
            catch (SocketException)
            {
                // Somebody else's.
            }
        }
    }
}
