using System.Net;
using System.Net.Sockets;

namespace BulkImporter.EndToEndTests;

/// <summary>
/// Ports for programs that start in a moment. Two test runs at once never give out the same one: a run takes blocks of ports, and listens
/// on the first of each for as long as it lives.
/// </summary>
internal static class FreePort
{
    // Below the ports that the kernel gives to connections, of which a test run opens thousands while a program starts up, and above 10080,
    // the last of those that Chromium refuses to open.
    private const int First = 11_000;
    private const int Last = 30_000;
    private const int BlockSize = 100;

    private static readonly Lock Gate = new();
    private static readonly List<TcpListener> Blocks = [];
    private static readonly Queue<int> Ports = [];

    /// <summary>A loopback port that nobody listens on now, and that is given out once.</summary>
    public static int Take()
    {
        lock (Gate)
        {
            while (true)
            {
                if (!Ports.TryDequeue(out var port)) TakeBlock();
                else if (Listen(port) is { } listener)
                {
                    listener.Dispose();
                    return port;
                }
            }
        }
    }

    private static void TakeBlock()
    {
        var first = Random.Shared.Next(First / BlockSize, Last / BlockSize) * BlockSize;
        if (Listen(first) is not { } block) return;
        Blocks.Add(block);
        foreach (var port in Enumerable.Range(first + 1, BlockSize - 1)) Ports.Enqueue(port);
    }

    /// <summary>Null when somebody else has the port.</summary>
    private static TcpListener? Listen(int port)
    {
        var listener = new TcpListener(IPAddress.Loopback, port);
        try
        {
            listener.Start();
            return listener;
        }
        catch (SocketException)
        {
            listener.Dispose();
            return null;
        }
    }
}
