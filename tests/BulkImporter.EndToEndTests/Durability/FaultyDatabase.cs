using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace BulkImporter.EndToEndTests.Durability;

/// <summary>
/// A way to PostgreSQL that understands its protocol, on which statements fail at random as they do in a busy server: with an error of the
/// server's own, raised there in the place of what the client had sent, so that its transaction is in the state that belongs to it; or by a
/// connection that ends, before the statements were sent or after they were carried out and before anybody was told.
/// </summary>
internal sealed class FaultyDatabase : IDisposable
{
    public const string CutBefore = "cut before", CutAfter = "cut after";

    /// <summary>What every fault says of itself, followed by its code.</summary>
    public const string Mark = "chaos";

    public static readonly string[] Codes = ["40001", "40P01", "53300", "54000", "57014", "22P05"];

    private static readonly string[] Kinds = [.. Codes, CutBefore, CutAfter];

    private readonly int target;
    private readonly string? poison;
    private readonly Random random;
    private readonly TcpListener listener = new(IPAddress.Loopback, 0);
    private readonly ConcurrentDictionary<Session, bool> sessions = [];
    private readonly ConcurrentDictionary<string, int> struck = [];

    /// <summary>
    /// By its first words: how often a statement came, and the kinds that it has not met yet. Guarded by <see cref="random"/>.
    /// </summary>
    private readonly Dictionary<string, (int Seen, Queue<string> Left)> statements = [];
    private double share;

    /// <param name="target">The port of the server.</param>
    /// <param name="seed">Of what is left to chance.</param>
    /// <param name="poison">A text of one row: what holds it fails each time, as a value does that the database cannot hold. A COPY is let
    /// through.</param>
    public FaultyDatabase(int target, int seed, string? poison = null)
    {
        (this.target, this.poison, random) = (target, poison, new Random(seed));
        listener.Start();
        _ = AcceptAsync();
    }

    public int Port => ((IPEndPoint)listener.LocalEndpoint).Port;

    /// <summary>How often each kind has struck, and each statement by its first words.</summary>
    public IReadOnlyDictionary<string, int> Struck => struck;

    /// <summary>
    /// Our statements that came so often and did not meet every kind of fault all the same, with those that they did not meet.
    /// </summary>
    public IReadOnlyList<string> Spared(int often)
    {
        lock (random)
        {
            return [.. statements.Where(s => s.Value.Seen >= often && s.Value.Left.Count > 0)
                .Select(s => $"{s.Key}: {string.Join(", ", s.Value.Left)}")];
        }
    }

    /// <summary>
    /// From now on this part of all groups of statements fails, and five times as many of one of ours that has not met every kind; 0 for
    /// none.
    /// </summary>
    public void Strike(double part)
    {
        lock (random) share = part;
    }

    public void Dispose()
    {
        listener.Dispose();
        foreach (var session in sessions.Keys) session.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true) _ = CarryAsync(await listener.AcceptSocketAsync());
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // The test is over.
        }
    }

    private async Task CarryAsync(Socket client)
    {
        using var session = new Session(this, client);
        sessions[session] = true;
        try
        {
            await session.RunAsync(target);
        }
        catch (Exception e) when (e is IOException or SocketException or ObjectDisposedException)
        {
            // One end is gone, and so is the other.
        }

        sessions.TryRemove(session, out _);
    }

    /// <summary>What becomes of a group of statements: a kind, or null for nothing.</summary>
    private string? Fate(string sql, bool isPoisoned)
    {
        if (isPoisoned) return Count("54000", sql);
        var isOurs = sql.Contains("importer.", StringComparison.Ordinal) || sql == "COMMIT";
        if (!isOurs && !sql.Contains("hangfire", StringComparison.Ordinal)) return null;
        lock (random)
        {
            if (share == 0) return null;
            if (isOurs)
            {
                var (seen, left) = statements.TryGetValue(Begin(sql), out var known) ? known : (0, new Queue<string>(Shuffled()));
                statements[Begin(sql)] = (seen + 1, left);
                if (left.Count > 0 && random.NextDouble() < 5 * share) return Count(left.Dequeue(), sql);
            }

            return random.NextDouble() < share ? Count(Kinds[random.Next(Kinds.Length)], sql) : null;
        }
    }

    private string[] Shuffled()
    {
        var kinds = Kinds.ToArray();
        random.Shuffle(kinds);
        return kinds;
    }

    private string Count(string kind, string sql)
    {
        struck.AddOrUpdate(kind, 1, (_, n) => n + 1);
        struck.AddOrUpdate(Begin(sql), 1, (_, n) => n + 1);
        return kind;
    }

    private static string Begin(string sql) => string.Join(' ', sql.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries).Take(8));

    private sealed class Session(FaultyDatabase database, Socket client) : IDisposable
    {
        private const int SslRequest = 80877103, GssRequest = 80877104, CancelRequest = 80877102;

        private readonly NetworkStream client = new(client, ownsSocket: true);
        private readonly Dictionary<string, string> prepared = [];
        private readonly MemoryStream group = new();
        private readonly StringBuilder sql = new();
        private NetworkStream? server;

        // Each group of statements is answered by one "ready for query", and so is the start. The client may send several before it
        // listens.
        private long groupsSent = 1;
        private long groupsAnswered;
        private long lost = long.MaxValue;

        public async Task RunAsync(int port)
        {
            var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
            await socket.ConnectAsync(IPAddress.Loopback, port);
            server = new NetworkStream(socket, ownsSocket: true);
            if (await StartAsync()) await Task.WhenAny(RequestsAsync(), RepliesAsync()).Unwrap();
        }

        public void Dispose()
        {
            client.Dispose();
            server?.Dispose();
        }

        /// <summary>Everything before the first typed message. False when the connection was for something else.</summary>
        private async Task<bool> StartAsync()
        {
            while (true)
            {
                var head = new byte[8];
                await client.ReadExactlyAsync(head);
                var rest = new byte[BinaryPrimitives.ReadInt32BigEndian(head) - 8];
                await client.ReadExactlyAsync(rest);
                var code = BinaryPrimitives.ReadInt32BigEndian(head.AsSpan(4));
                await server!.WriteAsync((byte[])[.. head, .. rest]);
                if (code == CancelRequest) return false;
                if (code is not (SslRequest or GssRequest)) return true;
                var answer = new byte[1];
                await server.ReadExactlyAsync(answer);
                await client.WriteAsync(answer);
            }
        }

        private async Task RequestsAsync()
        {
            while (true)
            {
                var (type, message) = await ReadAsync(client);
                switch (type)
                {
                    case 'P':
                        var (name, query) = (Text(message, 5, out var next), Text(message, next, out _));
                        if (name.Length > 0) prepared[name] = query;
                        sql.Append(query).Append(' ');
                        break;
                    case 'B':
                        Text(message, 5, out var statement);
                        if (Text(message, statement, out _) is { Length: > 0 } of) sql.Append(prepared.GetValueOrDefault(of)).Append(' ');
                        break;
                    case 'Q':
                        sql.Append(Text(message, 5, out _));
                        break;
                }

                group.Write(message);
                if (type is 'Q' or 'S') await ForwardAsync(sql.ToString().Trim());
                else if (type is 'd' or 'c' or 'f' or 'X' or 'p' or 'H') await SendAsync();
            }
        }

        private async Task ForwardAsync(string statements)
        {
            sql.Clear();
            var isCopy = statements.StartsWith("COPY", StringComparison.OrdinalIgnoreCase);
            var isPoisoned = database.poison is { } poison && !isCopy
                && group.GetBuffer().AsSpan(0, (int)group.Length).IndexOf(Encoding.UTF8.GetBytes(poison)) >= 0;
            var kind = database.Fate(statements, isPoisoned);
            if (kind == CutBefore)
            {
                Dispose();
                return;
            }

            var mine = Interlocked.Increment(ref groupsSent);
            if (kind == CutAfter) Interlocked.Exchange(ref lost, mine);
            else if (kind is not null) ReplaceBy(kind, statements == "COMMIT");
            await SendAsync();
        }

        /// <summary>
        /// What closes statements stays: the client counts on it. The rest fails in the server, a COMMIT by rolling back, as when it cannot
        /// be.
        /// </summary>
        private void ReplaceBy(string code, bool isCommit)
        {
            var sent = group.ToArray();
            var kept = 0;
            while (sent[kept] == 'C') kept += 1 + BinaryPrimitives.ReadInt32BigEndian(sent.AsSpan(kept + 1));
            var raise = Encoding.UTF8.GetBytes(
                $"{(isCommit ? "ROLLBACK; " : "")}DO $$ BEGIN RAISE EXCEPTION '{Mark} {code}' USING ERRCODE = '{code}'; END $$\0");
            var head = new byte[5];
            head[0] = (byte)'Q';
            BinaryPrimitives.WriteInt32BigEndian(head.AsSpan(1), raise.Length + 4);
            group.SetLength(kept);
            group.Position = kept;
            group.Write(head);
            group.Write(raise);
        }

        private async Task SendAsync()
        {
            await server!.WriteAsync(group.GetBuffer().AsMemory(0, (int)group.Length));
            group.SetLength(0);
        }

        private async Task RepliesAsync()
        {
            while (true)
            {
                var (type, message) = await ReadAsync(server!);
                var isLost = Interlocked.Read(ref lost) == groupsAnswered + 1;
                if (type == 'Z') groupsAnswered++;
                if (!isLost)
                {
                    await client.WriteAsync(message);
                }
                else if (type == 'Z')
                {
                    // It was carried out, and nobody hears of it.
                    Dispose();
                    return;
                }
            }
        }

        private static async Task<(char Type, byte[] Message)> ReadAsync(NetworkStream from)
        {
            var head = new byte[5];
            await from.ReadExactlyAsync(head);
            var message = new byte[1 + BinaryPrimitives.ReadInt32BigEndian(head.AsSpan(1))];
            head.CopyTo(message, 0);
            await from.ReadExactlyAsync(message.AsMemory(5));
            return ((char)head[0], message);
        }

        private static string Text(byte[] message, int from, out int next)
        {
            var end = Array.IndexOf(message, (byte)0, from);
            next = end + 1;
            return Encoding.UTF8.GetString(message, from, end - from);
        }
    }
}
