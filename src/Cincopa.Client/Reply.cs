using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Cincopa.Client;

/// <summary>How far a call came, in the words that matter to someone who may not send twice.</summary>
internal enum Verdict
{
    /// <summary>2xx, JSON, <c>success: true</c>. Whether the needed field is there is for the caller of the judgement to see.</summary>
    Success,

    /// <summary>The API, or a server in front of it, clearly said no: nothing was started.</summary>
    Refusal,

    /// <summary>No byte of the request left.</summary>
    NeverSent,

    /// <summary>Anything else: what was asked for may have happened.</summary>
    Unclear,
}

/// <summary>What came back for one request: nothing, a part, or all of it. Holds pooled memory; dispose it.</summary>
internal sealed partial class Reply(string apiToken, bool readsText) : IDisposable
{
    private const int MessageLength = 500;
    private const int FirstRead = 2_048;

    private byte[] buffer = [];
    private int length;
    private JsonDocument? document;

    /// <summary>False: provably no byte of the request left.</summary>
    public bool Left { get; set; }

    /// <summary>Null when no head of a reply came.</summary>
    public int? HttpStatus { get; private set; }

    /// <summary>No reply makes a caller wait longer, whatever it asks for: a date in the year 9999 would be a refusal for ever.</summary>
    private static readonly TimeSpan LongestWait = TimeSpan.FromDays(1);

    public TimeSpan? RetryAfter { get; private set; }

    /// <summary>Says that the reply asked for longer than <see cref="LongestWait"/>; empty when it did not.</summary>
    private string WaitCut { get; set; } = "";

    /// <summary>Where a redirect pointed, without its query.</summary>
    private string? RedirectedTo { get; set; }

    /// <summary>What ended the exchange before the reply was complete; null when it is complete.</summary>
    private (RemoteErrorKind Kind, string What)? Lost { get; set; }

    private ReadOnlyMemory<byte> Body => buffer.AsMemory(0, length);

    public void LostBy(RemoteErrorKind kind, string what) => Lost = (kind, what);

    /// <summary>As the other side named it, for people.</summary>
    private string MediaType { get; set; } = "";

    public async Task ReadAsync(HttpResponseMessage response, int maxBytes, DateTimeOffset now, CancellationToken cancellationToken)
    {
        HttpStatus = (int)response.StatusCode;
        MediaType = response.Content.Headers.ContentType?.MediaType is { Length: <= 60 } named ? named : "no known type";
        if (!response.IsSuccessStatusCode)
        {
            RetryAfter = WaitOf(response, now);
            if (RetryAfter > LongestWait)
                (RetryAfter, WaitCut) = (LongestWait,
                    $" It asked to wait until {(now + RetryAfter.Value).UtcDateTime:yyyy-MM-dd}; one day is the longest wait.");
            RedirectedTo = response.Headers.Location is { IsAbsoluteUri: true } location ? location.GetLeftPart(UriPartial.Path) : null;
        }

        using var stream = await response.Content.ReadAsStreamAsync(cancellationToken);
        buffer = ArrayPool<byte>.Shared.Rent(FirstRead);
        while (await stream.ReadAsync(buffer.AsMemory(length), cancellationToken) is > 0 and var read)
        {
            length += read;
            if (length > maxBytes)
            {
                LostBy(RemoteErrorKind.UnreadableReply, $"the reply is larger than {maxBytes} bytes");
                return;
            }

            if (length == buffer.Length)
                Grow();
        }
    }

    /// <summary>
    /// Judges in the order transport, HTTP status, JSON, <c>success</c>. Two styles of failure are known (OWN S7-S10): non-2xx with
    /// a JSON <c>message</c>, and 200 with <c>success:false</c>. What the other replies prove, all INF:
    /// <list type="bullet">
    /// <item>401, 402, 403, 429 and other 4xx refuse, with or without JSON: a front server that cannot take the request (400, 404, 405,
    /// 414, 431, ...) started nothing. Except 408 and 499 without JSON: some front servers say so about the server behind them.</item>
    /// <item>301, 307 and 308 refuse: by their meaning the request was not acted on here. 302 and 303 do not: applications redirect to a
    /// page after the work is done, or after it broke half-way.</item> <item>5xx with <c>success:false</c>, or with a message, refuses; but
    /// 502 and 504 with a message only may be a gateway that gave up on a server that did the work. 5xx without JSON, 2xx that cannot be
    /// read and everything else prove nothing.</item>
    /// </list>
    /// </summary>
    public Verdict Judge(out JsonElement root, out RemoteError error)
    {
        root = default;
        error = null!;
        if (HttpStatus is not { } status)
        {
            error = LostError();
            return Left ? Verdict.Unclear : Verdict.NeverSent;
        }

        var isJson = Lost is null && TryParse(out root);
        var success = isJson && root.TryField("success"u8, out var field) ? field.ValueKind : JsonValueKind.Undefined;
        var said = isJson ? root.Text("message"u8) ?? root.Text("error"u8) : null;

        if (status is >= 200 and < 300)
        {
            if (success == JsonValueKind.True)
                return Verdict.Success;
            if (success == JsonValueKind.False)
            {
                error = Error(ErrorText.KindOfRefusal(said ?? "", readsText), said ?? "refused without a reason");
                return Verdict.Refusal;
            }

            error = Lost is null ? Unreadable(isJson ? "the reply does not say success" : "the reply is not JSON") : LostError();
            return Verdict.Unclear;
        }

        var clearly = success == JsonValueKind.False || (said is not null && success != JsonValueKind.True);
        error = Error(KindOfStatus(status, isJson, said ?? ""), said ?? Described(status));
        var refused = status switch
        {
            401 or 402 or 403 or 429 => true,
            301 or 307 or 308 => true,
            408 or 499 => clearly,
            >= 400 and < 500 => true,
            502 or 504 => success == JsonValueKind.False,
            >= 500 and < 600 => clearly,
            _ => false,
        };
        return refused ? Verdict.Refusal : Verdict.Unclear;
    }

    /// <summary>
    /// Judges the reply to a range: plain text of several lines (OWN S6). A line that names the asset is looked for before anything else,
    /// then the word <c>error</c>, then <c>done</c>; the last range is done only with an asset. Storage full says <c>out of assets
    /// quota</c> (OWN S9).
    /// </summary>
    public PushResult JudgePush(bool isLast)
    {
        if (HttpStatus is not { } status)
            return Left ? new PushResult.Unknown(LostError()) : new PushResult.NeverSent(LostError());

        var text = Encoding.UTF8.GetString(Body.Span);
        if (status is >= 200 and < 300)
        {
            if (isLast && NewResource().Match(text) is { Success: true } named)
                return new PushResult.Stored(new Rid(named.Groups[1].Value));
            if (text.Contains("error", StringComparison.OrdinalIgnoreCase)
                || ErrorText.KindOfRefusal(text, readsText) == RemoteErrorKind.QuotaExceeded)
                return new PushResult.Refused(
                    Error(ErrorText.KindOfRefusal(text, readsText), Sized($"HTTP {status} that speaks of an error")));
            if (Lost is null && !isLast && text.Contains("done", StringComparison.OrdinalIgnoreCase))
                return new PushResult.Taken();
            return new PushResult.Unknown(Lost is null
                ? Unreadable(isLast ? "the last range was taken without an asset's id" : "the reply says neither done nor error")
                    : LostError());
        }

        return Judge(out _, out var error) == Verdict.Refusal ? new PushResult.Refused(error) : new PushResult.Unknown(error);
    }

    [GeneratedRegex(@"new resource id \d+ (\S+)", RegexOptions.CultureInvariant)]
    private static partial Regex NewResource();

    /// <summary>A reply that came and lacks what is needed.</summary>
    public RemoteError Unreadable(string what) => Error(RemoteErrorKind.UnreadableReply, Sized(what));

    public RemoteError Error(RemoteErrorKind kind, string text) =>
        new(kind, HttpStatus, Redact.Line(text, apiToken, MessageLength) + WaitCut, RetryAfter);

    /// <summary>A text of the reply made fit to be stored.</summary>
    public string Redacted(string text, int maxLength) => Redact.Line(text, apiToken, maxLength);

    public void Dispose()
    {
        document?.Dispose();
        document = null;
        if (buffer.Length > 0)
            ArrayPool<byte>.Shared.Return(buffer);
        (buffer, length) = ([], 0);
    }

    private RemoteError LostError() => Lost is { } lost
        ? Error(lost.Kind, lost.What)
        : Error(RemoteErrorKind.ConnectionLost, "no reply");

    private RemoteErrorKind KindOfStatus(int status, bool isJson, string said) => status switch
    {
        < 400 => RemoteErrorKind.ServerError,
        404 or 410 when !isJson => RemoteErrorKind.NotTheApi,
        405 => RemoteErrorKind.MethodNotAllowed,
        _ => ErrorText.KindOfRefusal(status, said, readsText),
    };

    private string Described(int status) => status is >= 300 and < 400
        ? $"HTTP {status}: redirected{(RedirectedTo is null ? "" : " to " + RedirectedTo)}, which is not followed; is the base address "
            + "right?"
        : Sized(Lost is { } lost ? $"HTTP {status}, then {lost.What}" : $"HTTP {status} without a message");

    /// <summary>Never with the body: whoever answered may be no Cincopa, and say what a viewer may not read.</summary>
    private string Sized(string what) => length == 0
        ? $"{what} (empty)" : string.Create(CultureInfo.InvariantCulture, $"{what} ({MediaType}, {length} bytes)");

    private bool TryParse(out JsonElement root)
    {
        root = default;
        var json = Body;
        if (json.Span.StartsWith("\uFEFF"u8))
            json = json[3..];
        if (json.IsEmpty)
            return false;
        try
        {
            document = JsonDocument.Parse(json);
        }
        catch (JsonException)
        {
            return false;
        }

        root = document.RootElement;
        return root.ValueKind == JsonValueKind.Object;
    }

    private void Grow()
    {
        var larger = ArrayPool<byte>.Shared.Rent(buffer.Length * 2);
        Body.CopyTo(larger);
        ArrayPool<byte>.Shared.Return(buffer);
        buffer = larger;
    }

    private static TimeSpan? WaitOf(HttpResponseMessage response, DateTimeOffset now)
    {
        var asked = response.Headers.RetryAfter;
        var wait = asked?.Delta ?? (asked?.Date - now);
        return wait < TimeSpan.Zero ? TimeSpan.Zero : wait;
    }
}
