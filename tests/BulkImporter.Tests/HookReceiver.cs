using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace BulkImporter.Tests;

/// <summary>A program somewhere that takes webhooks: keeps what was posted, and answers with the status that the test says.</summary>
internal sealed class HookReceiver : IDisposable
{
    private readonly TcpListener listener = new(IPAddress.Loopback, 0);
    private readonly List<(Dictionary<string, string> Headers, string Body)> received = [];

    public HookReceiver()
    {
        listener.Start();
        _ = AcceptAsync();
    }

    public string Url => string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}/hook");

    public HttpStatusCode Status { get; set; } = HttpStatusCode.OK;

    /// <summary>The names of the headers in lower case.</summary>
    public IReadOnlyList<(Dictionary<string, string> Headers, string Body)> Received
    {
        get { lock (received) return [.. received]; }
    }

    public void Dispose() => listener.Dispose();

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                using var connection = await listener.AcceptTcpClientAsync();
                await TakeAsync(connection.GetStream());
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // The test is over.
        }
    }

    private async Task TakeAsync(NetworkStream stream)
    {
        var bytes = new MemoryStream();
        var buffer = new byte[16 * 1024];
        (Dictionary<string, string>, string)? request;
        while ((request = Read(Encoding.UTF8.GetString(bytes.ToArray()))) is null)
        {
            var read = await stream.ReadAsync(buffer);
            if (read == 0) return;
            bytes.Write(buffer, 0, read);
        }
        lock (received) received.Add(request.Value);
        await stream.WriteAsync(
            Encoding.ASCII.GetBytes($"HTTP/1.1 {(int)Status} Answer\r\nLocation: {Url}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"));
    }

    /// <summary>Null while the request is not complete.</summary>
    private static (Dictionary<string, string> Headers, string Body)? Read(string request)
    {
        if (request.Split("\r\n\r\n", 2) is not [var head, var body]) return null;
        var headers = head.Split("\r\n").Skip(1).Select(l => l.Split(':', 2)).ToDictionary(p => p[0].ToLowerInvariant(), p => p[1].Trim());
        return Encoding.UTF8.GetByteCount(body) < int.Parse(headers["content-length"], CultureInfo.InvariantCulture)
            ? null : (headers, body);
    }
}
