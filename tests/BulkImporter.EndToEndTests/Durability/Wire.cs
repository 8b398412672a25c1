using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace BulkImporter.EndToEndTests.Durability;

/// <summary>
/// A TCP wire to a loopback port in the test's hand. It can hold back what goes one way, or end under both sides, or go dead without
/// either end being told, as when a firewall forgets a connection.
/// </summary>
internal sealed class Wire : IDisposable
{
    private readonly int target;
    private readonly TcpListener listener = new(IPAddress.Loopback, 0);
    private readonly ConcurrentBag<Socket> sockets = [];
    private volatile CancellationTokenSource cut = new();

    public Wire(int target)
    {
        this.target = target;
        listener.Start();
        _ = AcceptAsync();
    }

    public int Port => ((IPEndPoint)listener.LocalEndpoint).Port;

    /// <summary>What clients send.</summary>
    public Valve Requests { get; } = new();

    /// <summary>What they are answered.</summary>
    public Valve Replies { get; } = new();

    /// <summary>Nothing is carried any more, nothing is closed, and new connections are taken and never served.</summary>
    public void Cut() => cut.Cancel();

    /// <summary>New connections work; the dead ones stay dead.</summary>
    public void Mend() => cut = new CancellationTokenSource();

    /// <summary>Both ends see their connections end, and what was held back is lost. New connections work.</summary>
    public void Break()
    {
        while (sockets.TryTake(out var socket)) socket.Dispose();
        Requests.Open();
        Replies.Open();
    }

    public void Dispose()
    {
        listener.Dispose();
        Break();
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
            await Task.WhenAny(CopyAsync(client, server, Requests, wire), CopyAsync(server, client, Replies, wire));
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

    private static async Task CopyAsync(Socket from, Socket to, Valve valve, CancellationToken wire)
    {
        var buffer = new byte[64 * 1024];
        try
        {
            int read;
            while ((read = await from.ReceiveAsync(buffer, wire)) > 0)
            {
                await valve.PassAsync(wire);
                for (var sent = 0; sent < read;) sent += await to.SendAsync(buffer.AsMemory(sent, read - sent), wire);
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException or OperationCanceledException)
        {
            // As above.
        }
    }

    /// <summary>One direction of all connections.</summary>
    internal sealed class Valve
    {
        private volatile TaskCompletionSource opened = Opened();
        private int held;

        /// <summary>Connections with something to say that is held back.</summary>
        public int Held => Volatile.Read(ref held);

        public void Hold() => opened = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

        /// <summary>What was held back goes on.</summary>
        public void Open() => opened.TrySetResult();

        public async Task PassAsync(CancellationToken wire)
        {
            var passing = opened.Task;
            if (passing.IsCompleted) return;
            Interlocked.Increment(ref held);
            try
            {
                await passing.WaitAsync(wire);
            }
            finally
            {
                Interlocked.Decrement(ref held);
            }
        }

        private static TaskCompletionSource Opened()
        {
            var source = new TaskCompletionSource();
            source.SetResult();
            return source;
        }
    }
}
