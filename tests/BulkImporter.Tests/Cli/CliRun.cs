using System.Net;
using System.Text;
using System.Text.RegularExpressions;
using BulkImporter.Cli;
using Spectre.Console;

namespace BulkImporter.Tests.Cli;

/// <summary>One run of the command line against a fake of the HTTP API: what it printed, what it asked, how it ended.</summary>
internal sealed class CliRun : IDisposable
{
    public static readonly ServerVerbs NoServer = new(Unexpected, Unexpected, Unexpected, Unexpected);

    private readonly StringWriter output = new();
    private readonly StringWriter error = new();
    private readonly MemoryStream bytes = new();

    public FakeApi Api { get; } = new();

    public ImpatientClock Clock { get; } = new();

    public Dictionary<string, string> Environment { get; } = new() { ["BULKIMPORTER_API_KEY"] = "key-0123456789" };

    public string Input { get; init; } = "";

    public ServerVerbs Server { get; init; } = NoServer;

    /// <summary>Pretends that a person sits at a terminal.</summary>
    public bool Terminal { get; init; }

    public CancellationTokenSource Interrupt { get; } = new();

    public string Output => output.ToString() + Encoding.UTF8.GetString(bytes.ToArray());

    public string Error => error.ToString();

    public Surroundings Surroundings => new()
    {
        Output = output,
        Complaints = error,
        Input = new StringReader(Input),
        InputBytes = () => new MemoryStream(Encoding.UTF8.GetBytes(Input)),
        OutputBytes = () => new Undisposed(bytes),
        Screen = Surroundings.ScreenOn(Terminal
            ? new AnsiConsoleSettings
            {
                Ansi = AnsiSupport.Yes,
                Interactive = InteractionSupport.Yes,
                ColorSystem = ColorSystemSupport.NoColors,
                Out = new TerminalOutput(output)
            }
            : new AnsiConsoleSettings { Ansi = AnsiSupport.No, Interactive = InteractionSupport.No, Out = new AnsiConsoleOutput(output) }),
        Environment = name => Environment.GetValueOrDefault(name),
        HttpHandler = () => Api,
        Clock = Clock,
    };

    public Task<int> RunAsync(params string[] args) => CommandLine.RunAsync(args, Server, Surroundings, Interrupt.Token);

    public void Dispose()
    {
        Interrupt.Dispose();
        Api.Dispose();
    }

    private static Task<int> Unexpected(ServeOptions options, CancellationToken cancellationToken) =>
        throw new InvalidOperationException("No server verb was expected.");

    private sealed class Undisposed(Stream stream) : MemoryStream
    {
        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) =>
            stream.WriteAsync(buffer, cancellationToken);

        public override void Write(byte[] buffer, int offset, int count) => stream.Write(buffer, offset, count);

        public override void Write(ReadOnlySpan<byte> buffer) => stream.Write(buffer);
    }

    private sealed class TerminalOutput(TextWriter writer) : IAnsiConsoleOutput
    {
        public TextWriter Writer => writer;
        public bool IsTerminal => true;
        public int Width => 120;
        public int Height => 40;

        public void SetEncoding(Encoding encoding)
        {
        }
    }
}

internal sealed record ApiCall(
    HttpMethod Method, string PathAndQuery, string Body, string? Authorization, string? IdempotencyKey, string? ContentType);

/// <summary>Answers from a script; a call that nothing was said about fails the test.</summary>
internal sealed class FakeApi : HttpMessageHandler
{
    private readonly List<(HttpMethod Method, Regex Path, Queue<Func<HttpResponseMessage>> Answers)> script = [];

    public List<ApiCall> Calls { get; } = [];

    /// <summary>
    /// Answers calls of this method and path (a regular expression over path and query), one after the other; the last answer is repeated.
    /// </summary>
    public FakeApi On(HttpMethod method, string path, params Func<HttpResponseMessage>[] answers)
    {
        script.Add((method, new Regex($"^(?:{path})$"), new Queue<Func<HttpResponseMessage>>(answers)));
        return this;
    }

    public FakeApi On(HttpMethod method, string path, string json) => On(method, path, () => Json(json));

    /// <summary>Like <see cref="On(HttpMethod, string, string)"/>, before anything said earlier.</summary>
    public void First(HttpMethod method, string path, string json) => First(method, path, () => Json(json));

    public void First(HttpMethod method, string path, Func<HttpResponseMessage> answer) =>
        script.Insert(0, (method, new Regex($"^(?:{path})$"), new Queue<Func<HttpResponseMessage>>([answer])));

    public static HttpResponseMessage Json(string json, HttpStatusCode status = HttpStatusCode.OK) =>
        new(status) { Content = new StringContent(json, Encoding.UTF8, "application/json") };

    public static HttpResponseMessage Problem(HttpStatusCode status, string title, string? detail) =>
        new(status)
        {
            Content =
            new StringContent(
                $$"""{"title":"{{title}}","detail":{{(detail is null ? "null" : $"\"{detail}\"")}},"status":{{(int)status}}}""",
                Encoding.UTF8, "application/problem+json")
        };

    public static HttpResponseMessage Refuse() => throw new HttpRequestException(HttpRequestError.ConnectionError, "Connection refused");

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var body = request.Content is null ? "" : await request.Content.ReadAsStringAsync(cancellationToken);
        var path = request.RequestUri!.PathAndQuery;
        lock (Calls)
        {
            Calls.Add(new ApiCall(request.Method, path, body, request.Headers.Authorization?.ToString(),
                request.Headers.TryGetValues("Idempotency-Key", out var keys)
                    ? keys.Single() : null, request.Content?.Headers.ContentType?.ToString()));
            foreach (var (method, pattern, answers) in script)
            {
                if (method == request.Method && pattern.IsMatch(path))
                    return (answers.Count > 1 ? answers.Dequeue() : answers.Peek())();
            }
        }

        throw new InvalidOperationException($"Nobody told the fake what to answer to {request.Method} {path}.");
    }
}

/// <summary>A clock on which every wait is over at once, and has lasted as long as it should.</summary>
internal sealed class ImpatientClock : TimeProvider
{
    private long ticks = new DateTimeOffset(2026, 11, 23, 12, 0, 0, TimeSpan.Zero).Ticks;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override TimeZoneInfo LocalTimeZone => TimeZoneInfo.Utc;

    public override DateTimeOffset GetUtcNow() => new(Interlocked.Read(ref ticks), TimeSpan.Zero);

    public override long GetTimestamp() => Interlocked.Read(ref ticks);

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        if (dueTime > TimeSpan.Zero)
            Interlocked.Add(ref ticks, dueTime.Ticks);
        ThreadPool.QueueUserWorkItem(_ => callback(state));
        return new Elapsed();
    }

    private sealed class Elapsed : ITimer
    {
        public bool Change(TimeSpan dueTime, TimeSpan period) => true;

        public void Dispose()
        {
        }

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}

/// <summary>Bodies as the API writes them.</summary>
internal static class Bodies
{
    public static string Import(int id = 7, string state = "running", string counts = """ "pending":10 """, int? rows = 10,
        string failures = "", string? reason = null) =>
        $$"""{"id":{{id}},"name":"Spring catalogue","account":"museum","manifest":{"fileName":"spring.csv","sha256":"00","sizeBytes":10},"state":"{{state}}","reason":{{(reason is null ? "null" : $"\"{reason}\"")}},"rows":{{rows?.ToString() ?? "null"}},"parsedRows":0,"counts":{{{counts}}},"ratePerSecond":2.5,"etaSeconds":130,"failures":[{{failures}}],"createdAt":"2026-11-23T10:00:00Z","startedAt":null,"finishedAt":null}""";
}

/// <summary>A folder for one test.</summary>
internal sealed class TemporaryFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("cli-tests-").FullName;

    public string File(string name, string? content = null)
    {
        var file = System.IO.Path.Combine(Path, name);
        if (content is not null)
            System.IO.File.WriteAllText(file, content);
        return file;
    }

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
