using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace BulkImporter.EndToEndTests.Durability;

/// <summary>
/// A TCP wire to a loopback port that can go dead without either end being told, as when a firewall forgets a connection: nothing is
/// carried any more, nothing is closed, and new connections are taken and never served. After <see cref="Mend"/> new connections work;
/// the dead ones stay dead.
/// </summary>
internal sealed class HalfOpenProxy : IDisposable
{
    private readonly int target;
    private readonly TcpListener listener = new(IPAddress.Loopback, 0);
    private readonly ConcurrentBag<Socket> sockets = [];
    private volatile CancellationTokenSource cut = new();

    public HalfOpenProxy(int target)
    {
        this.target = target;
        listener.Start();
        _ = AcceptAsync();
    }

    public int Port => ((IPEndPoint)listener.LocalEndpoint).Port;

    public void Cut() => cut.Cancel();

    public void Mend() => cut = new CancellationTokenSource();

    public void Dispose()
    {
        listener.Dispose();
        foreach (var socket in sockets) socket.Dispose();
        cut.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                var client = await listener.AcceptSocketAsync();
                sockets.Add(client);
                var wire = cut.Token;
                if (!wire.IsCancellationRequested) _ = CarryAsync(client, wire);
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // The test is over.
        }
    }

    private async Task CarryAsync(Socket client, CancellationToken wire)
    {
        var server = new Socket(SocketType.Stream, ProtocolType.Tcp);
        sockets.Add(server);
        try
        {
            await server.ConnectAsync(IPAddress.Loopback, target, wire);
            await Task.WhenAny(CopyAsync(client, server, wire), CopyAsync(server, client, wire));
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException or OperationCanceledException)
        {
            // One end is gone, or the wire was cut while connecting.
        }

        // A cut wire tells nobody.
        if (wire.IsCancellationRequested) return;
        client.Dispose();
        server.Dispose();
    }

    private static async Task CopyAsync(Socket from, Socket to, CancellationToken wire)
    {
        var buffer = new byte[64 * 1024];
        try
        {
            int read;
            while ((read = await from.ReceiveAsync(buffer, wire)) > 0)
            {
                for (var sent = 0; sent < read;) sent += await to.SendAsync(buffer.AsMemory(sent, read - sent), wire);
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException or OperationCanceledException)
        {
            // As above.
        }
    }
}
