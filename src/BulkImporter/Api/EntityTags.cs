using System.IO.Hashing;
using System.Text.Json;
using Microsoft.AspNetCore.Http.Json;
using Microsoft.Extensions.Options;
using Microsoft.Net.Http.Headers;

namespace BulkImporter.Api;

/// <summary>
/// Gives each JSON answer to a GET an ETag, made of its bytes, and answers 304 to a caller who has them. What is streamed (results, findings as
/// CSV, events) has none: it would have to be held to be hashed.
/// </summary>
internal sealed class EntityTags(IOptions<JsonOptions> json) : IEndpointFilter
{
    public async ValueTask<object?> InvokeAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        var result = await next(context);
        if (!HttpMethods.IsGet(context.HttpContext.Request.Method)) return result;
        while (result is INestedHttpResult nested) result = nested.Result;
        return result is IStatusCodeHttpResult { StatusCode: StatusCodes.Status200OK } and IValueHttpResult { Value: { } value } ? new Tagged(value, json.Value.SerializerOptions) : result;
    }

    private sealed class Tagged(object value, JsonSerializerOptions options) : IResult
    {
        public async Task ExecuteAsync(HttpContext context)
        {
            var bytes = JsonSerializer.SerializeToUtf8Bytes(value, value.GetType(), options);
            var tag = new EntityTagHeaderValue($"\"{Convert.ToHexStringLower(XxHash128.Hash(bytes))}\"");
            var headers = context.Response.GetTypedHeaders();
            headers.ETag = tag;
            // To be kept, but asked about each time, and by nobody between us and the caller.
            headers.CacheControl = new CacheControlHeaderValue { Private = true, NoCache = true };
            context.Response.Headers.Vary = HeaderNames.Authorization;
            if (context.Request.GetTypedHeaders().IfNoneMatch.Any(known => known.Compare(tag, useStrongComparison: false) || known == EntityTagHeaderValue.Any))
            {
                context.Response.StatusCode = StatusCodes.Status304NotModified;
                return;
            }
            context.Response.ContentType = "application/json; charset=utf-8";
            context.Response.ContentLength = bytes.Length;
            await context.Response.Body.WriteAsync(bytes, context.RequestAborted);
        }
    }
}
