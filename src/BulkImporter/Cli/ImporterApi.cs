using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace BulkImporter.Cli;

/// <summary>An answer twice: read, and as it came, for <c>--json</c>.</summary>
internal sealed record ApiReply<T>(T Value, string Json);

/// <summary>
/// The server's HTTP API as the client verbs use it. Every answer that is not a success becomes a <see cref="VerbFailure"/> with the
/// server's own words, the exit code and what to do.
/// </summary>
internal sealed class ImporterApi : IDisposable
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.SnakeCaseLower, allowIntegerValues: false) },
    };

    /// <summary>For calls that answer at once. Uploads and exports take as long as they take.</summary>
    private static readonly TimeSpan ShortCall = TimeSpan.FromSeconds(60);

    private readonly HttpClient http;
    private readonly bool hasKey;

    public ImporterApi(HttpMessageHandler handler, Uri server, string? apiKey)
    {
        Server = server.AbsoluteUri.TrimEnd('/');
        hasKey = !string.IsNullOrEmpty(apiKey);
        http = new HttpClient(handler) { BaseAddress = new Uri(Server + "/"), Timeout = Timeout.InfiniteTimeSpan };
        if (hasKey)
            http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", apiKey);
    }

    /// <summary>The server's root, for messages.</summary>
    public string Server { get; }

    /// <param name="body">Written as JSON, or a file as it is streamed.</param>
    /// <param name="idempotencyKey">The same key again answers with what the first call made.</param>
    /// <param name="isLong">The answer takes as long as it takes, as that to a streamed file always does.</param>
    public async Task<ApiReply<T>> SendAsync<T>(HttpMethod method, string path, object? body, CancellationToken cancellationToken,
        string? idempotencyKey = null, bool isLong = false)
    {
        using var request = Request(method, path, body);
        if (idempotencyKey is not null) request.Headers.Add("Idempotency-Key", idempotencyKey);
        var answer = await AnswerAsync(request, isLong || body is HttpContent ? Timeout.InfiniteTimeSpan : ShortCall, cancellationToken);
        try
        {
            return new ApiReply<T>(JsonSerializer.Deserialize<T>(answer, Json) ?? throw new JsonException("null"), answer);
        }
        catch (JsonException)
        {
            throw NotOurs("an answer that is not the API's JSON");
        }
    }

    public Task<ApiReply<T>> GetAsync<T>(string path, CancellationToken cancellationToken) =>
        SendAsync<T>(HttpMethod.Get, path, null, cancellationToken);

    /// <summary>A call whose answer is that it was done.</summary>
    public async Task OrderAsync(HttpMethod method, string path, object? body, CancellationToken cancellationToken)
    {
        using var request = Request(method, path, body);
        await AnswerAsync(request, ShortCall, cancellationToken);
    }

    /// <summary>Copies a streamed answer as it comes; one that breaks off is a failure.</summary>
    public async Task DownloadAsync(string path, Stream destination, CancellationToken cancellationToken)
    {
        using var request = Request(HttpMethod.Get, path);
        try
        {
            using var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
            if (!response.IsSuccessStatusCode)
                throw Failure(response, await response.Content.ReadAsStringAsync(cancellationToken));
            await using var source = await response.Content.ReadAsStreamAsync(cancellationToken);
            await source.CopyToAsync(destination, cancellationToken);
        }
        catch (HttpIOException e)
        {
            throw new VerbFailure(ExitCode.Failed, $"The answer of {Server} was cut off: {e.Message}",
                "Nothing was changed on the server. Run it again.");
        }
        catch (HttpRequestException e)
        {
            throw Unreachable(e.Message);
        }
    }

    /// <summary>Whether the server says that it can take work; false too when nobody answers.</summary>
    public async Task<bool> IsReadyAsync(string probe, CancellationToken cancellationToken)
    {
        using var shortly = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        shortly.CancelAfter(TimeSpan.FromSeconds(5));
        try
        {
            using var response = await http.GetAsync(new Uri(probe, UriKind.Relative), shortly.Token);
            return response.IsSuccessStatusCode;
        }
        catch (HttpRequestException)
        {
            return false;
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return false;
        }
    }

    public void Dispose() => http.Dispose();

    private static HttpRequestMessage Request(HttpMethod method, string path, object? body = null)
    {
        var request = new HttpRequestMessage(method, new Uri("api/v1/" + path, UriKind.Relative));
        request.Content = body as HttpContent ?? (body is null ? null : JsonContent.Create(body, body.GetType(), options: Json));
        // A refusal (no key, no such account) then comes before the first byte of a large file, not after the last.
        if (body is HttpContent) request.Headers.ExpectContinue = true;
        return request;
    }

    private async Task<string> AnswerAsync(HttpRequestMessage request, TimeSpan limit, CancellationToken cancellationToken)
    {
        using var limited = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limited.CancelAfter(limit);
        try
        {
            using var response = await http.SendAsync(request, limited.Token);
            var body = await response.Content.ReadAsStringAsync(limited.Token);
            return response.IsSuccessStatusCode ? body : throw Failure(response, body);
        }
        catch (HttpRequestException e) when (e.HttpRequestError is HttpRequestError.Unknown && e.InnerException is IOException broken)
        {
            throw new VerbFailure(ExitCode.Failed, $"The connection to {Server} was lost: {broken.Message.TrimEnd('.')}.",
                "Check whether it was done before you repeat it. A proxy that cuts off an upload does not accept a file of this size "
                    + "(nginx: client_max_body_size).")
            {
                ServerIsAway = true,
            };
        }
        catch (HttpRequestException e)
        {
            throw Unreachable(e.Message);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw Unreachable($"no answer within {limit.TotalSeconds:0} s");
        }
    }

    private VerbFailure Failure(HttpResponseMessage response, string body)
    {
        var status = (int)response.StatusCode;
        var problem = ReadProblem(body);
        if (response.StatusCode is HttpStatusCode.BadGateway or HttpStatusCode.ServiceUnavailable or HttpStatusCode.GatewayTimeout)
        {
            return new VerbFailure(ExitCode.Failed, Words(problem) ?? (response.StatusCode == HttpStatusCode.GatewayTimeout
                    ? $"The proxy at {Server} got no answer from BulkImporter in time (HTTP 504)."
                    : $"The server at {Server} is not ready (HTTP {status})."),
                response.StatusCode == HttpStatusCode.GatewayTimeout && response.RequestMessage?.Method != HttpMethod.Get
                    ? "It may have been done. Check before you repeat it. Let the proxy wait longer (nginx: "
                        + "proxy_read_timeout)."
                    : "It may be starting. Try again shortly.")
            {
                ServerIsAway = true,
            };
        }

        return response.StatusCode switch
        {
            HttpStatusCode.Unauthorized => new VerbFailure(ExitCode.Failed,
                hasKey ? $"The server at {Server} does not accept the API key (it may be mistyped, expired or revoked)."
                    : $"The server at {Server} needs an API key, and none was given.",
                "Give it with BULKIMPORTER_API_KEY or --api-key. An admin makes keys in the dashboard or with BulkImporter key add; a "
                    + "new server takes BULKIMPORTER_API_KEY of its own environment as the first one."),
            HttpStatusCode.Forbidden =>
                new VerbFailure(ExitCode.Failed, Words(problem) ?? "The API key's role does not allow this.",
                    "Use a key with a higher role. A viewer can read, an operator can also act, an admin can also manage accounts, people "
                        + "and keys."),
            HttpStatusCode.RequestEntityTooLarge when problem is null =>
                new VerbFailure(ExitCode.Failed, $"A proxy in front of {Server} does not accept a file of this size (HTTP 413).",
                "Raise its limit (nginx: client_max_body_size), name the server itself with --server, or compress the manifest with "
                    + "gzip: a .csv.gz file works too."),
            HttpStatusCode.NotFound when problem is not null => new VerbFailure(ExitCode.NotFound, Words(problem)!),
            HttpStatusCode.Conflict => new VerbFailure(ExitCode.Refused,
                Words(problem) ?? "The server refused this, because of the state that it is in."),
            _ when problem is not null =>
                new VerbFailure(ExitCode.Failed, Words(problem)!, status >= 500 ? "The server failed. Its log has the details." : null),
            _ => NotOurs($"HTTP {status}"),
        };
    }

    private VerbFailure Unreachable(string why) => new(ExitCode.Failed, $"The server at {Server} cannot be reached: {why.TrimEnd('.')}.",
        "Start one with: BulkImporter serve    Or name another with --server or BULKIMPORTER_SERVER.")
    {
        ServerIsAway = true,
    };

    private VerbFailure NotOurs(string what) =>
        new(ExitCode.Failed, $"{Server} answered with {what}. It does not seem to be a BulkImporter server.",
        "Check the address in --server or BULKIMPORTER_SERVER: give the server's root, without /api.");

    /// <summary>RFC 9457.</summary>
    private sealed record ProblemBody(string? Title, string? Detail, IReadOnlyDictionary<string, IReadOnlyList<string>>? Errors);

    private static ProblemBody? ReadProblem(string body)
    {
        try
        {
            var problem = JsonSerializer.Deserialize<ProblemBody>(body, Json);
            return problem?.Title is null && problem?.Detail is null ? null : problem;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>Title, detail and the complaints about single fields.</summary>
    private static string? Words(ProblemBody? problem)
    {
        if (problem is null) return null;
        var fields = problem.Errors?.SelectMany(e => e.Value.Select(text => $"{e.Key}: {text}")) ?? [];
        string?[] words = [problem.Title is null ? null : problem.Title.TrimEnd('.') + ".", problem.Detail, .. fields];
        return string.Join(" ", words.Where(t => !string.IsNullOrWhiteSpace(t)));
    }
}
