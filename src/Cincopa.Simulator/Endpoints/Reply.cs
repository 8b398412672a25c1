using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Cincopa.Simulator.Faults;

namespace Cincopa.Simulator.Endpoints;

/// <summary>An answer, made in full before a byte of it is sent, so that a fault can cut it or withhold it.</summary>
internal readonly record struct Reply(int HttpStatus, string ContentType, byte[] Body)
{
    public const string Json = "application/json; charset=utf-8";
    private const string Html = "text/html; charset=utf-8";
    private const string Plain = "text/plain; charset=utf-8";

    private static readonly JsonSerializerOptions Relaxed = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public string? RetryAfter { get; init; }

    public static Reply Text(string text) => new(200, Plain, Encoding.UTF8.GetBytes(text));

    /// <summary>200 with an object of <c>success:true</c>, <c>runtime</c> and these members.</summary>
    public static Reply Success(params ReadOnlySpan<(string Name, object? Value)> members) =>
        Object(200, [("success", true), ("runtime", 5), .. members]);

    public static Reply Refusal(ReplyStyle style, int httpStatus, string message) => style switch
    {
        ReplyStyle.Json => Object(httpStatus, [("success", false), ("message", message)]),
        ReplyStyle.SuccessFalse => Object(200, [("success", false), ("message", message)]),
        ReplyStyle.Empty => new Reply(httpStatus, Plain, []),
        ReplyStyle.Html => new Reply(httpStatus, Html, Encoding.UTF8.GetBytes(
            $"<html><head><title>{httpStatus}</title></head><body><h1>{HtmlEncoder.Default.Encode(message)}</h1></body></html>")),
        ReplyStyle.Text => new Reply(httpStatus, Plain, Encoding.UTF8.GetBytes($"error: {message}")),
    };

    /// <summary>Any value in the style of the control API: camel case, enums in snake case.</summary>
    public static Reply Of<T>(T value, JsonSerializerOptions options) =>
        new(200, Json, JsonSerializer.SerializeToUtf8Bytes(value, options));

    /// <summary>Answers a browser's question before the call: yes.</summary>
    public static void AllowBrowser(HttpContext context)
    {
        var headers = context.Response.Headers;
        context.Response.StatusCode = StatusCodes.Status204NoContent;
        headers.AccessControlAllowOrigin = Assumptions.BrowserOrigins;
        headers.AccessControlAllowMethods = Assumptions.BrowserMethods;
        headers.AccessControlAllowHeaders = Assumptions.BrowserHeaders;
    }

    public async Task SendAsync(HttpContext context, bool closes)
    {
        Begin(context, closes);
        await context.Response.BodyWriter.WriteAsync(Body);
    }

    /// <summary>Sends the head and half of the body, then resets the connection.</summary>
    public async Task SendHalfAsync(HttpContext context)
    {
        Begin(context, closes: false);
        await context.Response.BodyWriter.WriteAsync(Body.AsMemory(0, Body.Length / 2));
        context.Abort();
    }

    private void Begin(HttpContext context, bool closes)
    {
        var response = context.Response;
        response.StatusCode = HttpStatus;
        response.ContentType = ContentType;
        response.ContentLength = Body.Length;
        response.Headers.AccessControlAllowOrigin = Assumptions.BrowserOrigins;
        if (RetryAfter is not null)
            response.Headers.RetryAfter = RetryAfter;
        if (closes)
            response.Headers.Connection = "close";
    }

    private static Reply Object(int httpStatus, ReadOnlySpan<(string Name, object? Value)> members)
    {
        var answer = new Dictionary<string, object?>(members.Length);
        foreach (var (name, value) in members)
            answer.Add(name, value);
        return new Reply(httpStatus, Json, JsonSerializer.SerializeToUtf8Bytes(answer, Relaxed));
    }
}
