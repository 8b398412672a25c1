using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Threading.Channels;

namespace BulkImporter.Tests.Client;

/// <summary>
/// A server that does with a connection exactly what the test says, bytes and all. It counts what arrives and knows nothing of
/// the API; every request head it reads is kept.
/// </summary>
internal sealed class RawServer : IAsyncDisposable
{
    private readonly TcpListener listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource stop = new();
    private readonly ConcurrentQueue<string> heads = new();
    private readonly Channel<string> arrivals = Channel.CreateUnbounded<string>();
    private readonly ConcurrentBag<Task> connections = [];
    private readonly Task accepting;
    private int connectionCount;

    public RawServer(Func<Connection, Task> behave)
    {
        listener.Start();
        accepting = AcceptAsync(behave);
    }

    /// <summary>Answers every request on every connection with these bytes and keeps the connection.</summary>
    public static RawServer Replying(string reply) => new(async connection =>
    {
        while (await connection.ReadRequestAsync() is not null)
            await connection.WriteAsync(reply);
    });

    /// <summary>Answers one request per connection with these bytes, then closes it.</summary>
    public static RawServer ReplyingOnceAndClosing(string reply) => new(async connection =>
    {
        await connection.ReadRequestAsync();
        await connection.WriteAsync(reply);
    });

    public Uri BaseUrl => new($"http://127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}/v2/");

    /// <summary>Heads of all requests, in order of arrival.</summary>
    public IReadOnlyList<string> Requests => [.. heads];

    public int Connections => Volatile.Read(ref connectionCount);

    /// <summary>The head of the next request that was not yet taken here.</summary>
    public async Task<string> NextRequestAsync() => await arrivals.Reader.ReadAsync(stop.Token);

    /// <summary>A JSON reply with its length.</summary>
    public static string Json(int status, string body, string headers = "") =>
        Reply(status, "application/json; charset=utf-8", body, headers);

    public static string Html(int status, string body, string headers = "") => Reply(status, "text/html", body, headers);

    public static string Reply(int status, string type, string body, string headers = "") =>
        $"HTTP/1.1 {status} Because\r\nContent-Type: {type}\r\n{headers}Content-Length: {Encoding.UTF8.GetByteCount(body)}\r\n\r\n{body}";

    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        listener.Stop();
        await accepting;
        await Task.WhenAll(connections);
        stop.Dispose();
        listener.Dispose();
    }

    private async Task AcceptAsync(Func<Connection, Task> behave)
    {
        while (!stop.IsCancellationRequested)
        {
            Socket socket;
            try
            {
                socket = await listener.AcceptSocketAsync(stop.Token);
            }
            catch (Exception error) when (error is OperationCanceledException or SocketException or ObjectDisposedException)
            {
                return;
            }

            Interlocked.Increment(ref connectionCount);
            connections.Add(ServeAsync(behave, socket));
        }
    }

    private async Task ServeAsync(Func<Connection, Task> behave, Socket socket)
    {
        using var connection = new Connection(socket, this);
        try
        {
            await behave(connection);
        }
        catch (Exception error) when (error is OperationCanceledException or IOException or SocketException)
        {
            // The client went away, or the test ended: both belong to the tests.
        }
    }

    internal sealed class Connection(Socket socket, RawServer server) : IDisposable
    {
        private readonly NetworkStream stream = new(socket, ownsSocket: true);

        public CancellationToken Stop => server.stop.Token;

        /// <summary>The head of the next request; null when the client closed the connection.</summary>
        public async Task<string?> ReadRequestAsync()
        {
            var head = new StringBuilder();
            var one = new byte[1];
            while (!EndsHead(head))
            {
                if (await stream.ReadAsync(one, Stop) == 0)
                    return null;
                head.Append((char)one[0]);
            }

            server.heads.Enqueue(head.ToString());
            server.arrivals.Writer.TryWrite(head.ToString());
            return head.ToString();
        }

        public async Task WriteAsync(string text) => await stream.WriteAsync(Encoding.UTF8.GetBytes(text), Stop);

        public async Task WriteAsync(byte[] bytes) => await stream.WriteAsync(bytes, Stop);

        /// <summary>True when bytes lie ready to be read.</summary>
        public bool HasBytes => socket.Available > 0;

        /// <summary>Holds the connection open until the test ends.</summary>
        public Task HoldAsync() => Task.Delay(Timeout.Infinite, Stop);

        /// <summary>Ends the connection with a reset instead of an orderly close.</summary>
        public void Reset()
        {
            socket.LingerState = new LingerOption(true, 0);
            socket.Close();
        }

        public void Dispose() => stream.Dispose();

        private static bool EndsHead(StringBuilder head) =>
            head.Length >= 4 && head[^1] == '\n' && head[^2] == '\r' && head[^3] == '\n' && head[^4] == '\r';
    }
}
