using System.Globalization;
using Cincopa.Client;
using Microsoft.Extensions.Time.Testing;
using static BulkImporter.Tests.Client.ClientUnderTest;

namespace BulkImporter.Tests.Client;

/// <summary>How a submit judges what comes back: accepted, refused (nothing was started) or unknown (an import may exist).</summary>
public sealed class SubmitReplyTests
{
    [Theory]
    [InlineData("""{"success":true,"runtime":5,"status_id":"st-1"}""", "st-1")]
    [InlineData("""{"status_id":12345678901234567890,"success":true}""", "12345678901234567890")]
    [InlineData("\uFEFF{\"success\":true,\"status_id\":\"after-a-byte-order-mark\"}", "after-a-byte-order-mark")]
    [InlineData("""{"success":true,"status_id":"escap\u0065d \/ \"x\""}""", "escaped / \"x\"")]
    public async Task Submit_is_accepted_with_the_ticket_of_the_reply(string body, string ticket) =>
        Assert.Equal(new SubmitResult.Accepted(new StatusId(ticket)), await SubmitAsync(RawServer.Json(200, body)));

    [Fact]
    public async Task Submit_is_accepted_when_the_reply_is_chunked_and_large()
    {
        var body = $$"""{"success":true,"debug":"{{new string('x', 100_000)}}","status_id":"st-1"}""";
        var reply = $"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{body.Length:x}\r\n{body}\r\n0\r\n\r\n";
        Assert.IsType<SubmitResult.Accepted>(await SubmitAsync(reply));
    }

    // Style one: 200 with success:false.
    [Theory]
    [InlineData("""{"success":false,"message":"invalid api_token"}""", RemoteErrorKind.TokenRejected)]
    [InlineData("""{"success":false,"message":"token has no permission asset.upload"}""", RemoteErrorKind.PermissionMissing)]
    [InlineData("""{"success":false,"message":"out of assets quota"}""", RemoteErrorKind.QuotaExceeded)]
    [InlineData("""{"success":false,"error":"Too many requests"}""", RemoteErrorKind.RateLimited)]
    [InlineData("""{"success":false,"message":"input is not a valid url: invalid"}""", RemoteErrorKind.InvalidInput)]
    [InlineData("""{"success":false,"message":"the moon is wrong"}""", RemoteErrorKind.Rejected)]
    [InlineData("""{"success":false,"message":null}""", RemoteErrorKind.Rejected)]
    [InlineData("""{"success":false,"status_id":"st-1"}""", RemoteErrorKind.Rejected)]
    public async Task Submit_is_refused_when_the_reply_says_no_with_200(string body, RemoteErrorKind kind)
    {
        var error = Assert.IsType<SubmitResult.Refused>(await SubmitAsync(RawServer.Json(200, body))).Error;
        Assert.Equal((kind, 200), (error.Kind, error.HttpStatus));
    }

    // Style two: non-2xx with a JSON message.
    [Theory]
    [InlineData(400, """{"message":"Invalid input"}""", RemoteErrorKind.InvalidInput)]
    [InlineData(400, """{"success":false}""", RemoteErrorKind.Rejected)]
    [InlineData(401, """{"message":"who are you"}""", RemoteErrorKind.TokenRejected)]
    [InlineData(402, """{"message":"pay"}""", RemoteErrorKind.QuotaExceeded)]
    [InlineData(403, """{"success":false,"message":"Forbidden"}""", RemoteErrorKind.TokenRejected)]
    [InlineData(403, """{"message":"missing permission: asset.upload"}""", RemoteErrorKind.PermissionMissing)]
    [InlineData(403, """{"message":"storage quota exceeded"}""", RemoteErrorKind.QuotaExceeded)]
    [InlineData(404, """{"message":"Not Found"}""", RemoteErrorKind.Rejected)]
    [InlineData(404, """{"message":"source file not found"}""", RemoteErrorKind.SourceNotFound)]
    [InlineData(408, """{"success":false,"message":"late"}""", RemoteErrorKind.Rejected)]
    [InlineData(414, """{"message":"URI too long"}""", RemoteErrorKind.InvalidInput)]
    [InlineData(422, """{"error":"unsupported media type"}""", RemoteErrorKind.UnsupportedMedia)]
    [InlineData(429, """{"message":"quota of calls exceeded"}""", RemoteErrorKind.RateLimited)]
    [InlineData(500, """{"message":"An error has occurred."}""", RemoteErrorKind.ServerError)]
    [InlineData(500, """{"success":false}""", RemoteErrorKind.ServerError)]
    [InlineData(502, """{"success":false,"message":"backend down"}""", RemoteErrorKind.ServerError)]
    [InlineData(503, """{"message":"maintenance"}""", RemoteErrorKind.ServerError)]
    [InlineData(507, """{"message":"out of assets quota"}""", RemoteErrorKind.QuotaExceeded)]
    public async Task Submit_is_refused_when_the_status_says_no_and_the_json_says_why(int status, string body, RemoteErrorKind kind)
    {
        var error = Assert.IsType<SubmitResult.Refused>(await SubmitAsync(RawServer.Json(status, body))).Error;
        Assert.Equal((kind, status), (error.Kind, error.HttpStatus));
    }

    [Theory]
    [InlineData(400, RemoteErrorKind.Rejected)]
    [InlineData(401, RemoteErrorKind.TokenRejected)]
    [InlineData(403, RemoteErrorKind.TokenRejected)]
    [InlineData(404, RemoteErrorKind.NotTheApi)]
    [InlineData(410, RemoteErrorKind.NotTheApi)]
    [InlineData(405, RemoteErrorKind.MethodNotAllowed)]
    [InlineData(414, RemoteErrorKind.InvalidInput)]
    [InlineData(429, RemoteErrorKind.RateLimited)]
    [InlineData(431, RemoteErrorKind.InvalidInput)]
    [InlineData(301, RemoteErrorKind.ServerError)]
    [InlineData(307, RemoteErrorKind.ServerError)]
    [InlineData(308, RemoteErrorKind.ServerError)]
    public async Task Submit_is_refused_without_json_when_the_status_alone_is_proof(int status, RemoteErrorKind kind)
    {
        foreach (var body in new[] { "<html><h1>No</h1></html>", "" })
        {
            var error = Assert.IsType<SubmitResult.Refused>(await SubmitAsync(RawServer.Html(status, body))).Error;
            Assert.Equal((kind, status), (error.Kind, error.HttpStatus));
        }
    }

    [Theory]
    [InlineData(500, "<html>error</html>")]
    [InlineData(502, "<html><h1>502 Bad Gateway</h1></html>")]
    [InlineData(503, "")]
    [InlineData(504, "upstream request timeout")]
    [InlineData(500, """{"trace":"x"}""")]
    [InlineData(500, """{"success":true,"message":"odd"}""")]
    [InlineData(502, """{"message":"Internal server error"}""")]
    [InlineData(504, """{"message":"Endpoint request timed out"}""")]
    [InlineData(408, "<html>Request Timeout</html>")]
    [InlineData(499, "")]
    [InlineData(302, "<html>moved</html>")]
    [InlineData(303, "")]
    public async Task Submit_is_unknown_when_the_status_proves_nothing(int status, string body)
    {
        var unknown = Assert.IsType<SubmitResult.Unknown>(await SubmitAsync(RawServer.Html(status, body)));
        Assert.Equal(status, unknown.Error.HttpStatus);
    }

    [Theory]
    [InlineData("")]
    [InlineData("<html>Welcome</html>")]
    [InlineData("""{"success":true,"status""")]
    [InlineData("""{"success":true}""")]
    [InlineData("""{"success":true,"status_id":""}""")]
    [InlineData("""{"success":true,"status_id":null}""")]
    [InlineData("""{"success":true,"status_id":{"a":1}}""")]
    [InlineData("""{"success":true,"status_id":"\ud800"}""")]
    [InlineData("""{"success":true,"status_id":"st-\u00001"}""")]
    [InlineData("""{"\ud800uccess":true,"status_id":"st-1"}""")]
    [InlineData("""{"status_id":"st-1"}""")]
    [InlineData("""{"success":"true","status_id":"st-1"}""")]
    [InlineData("""{"success":1,"status_id":"st-1"}""")]
    [InlineData("""{"message":"no word of success"}""")]
    [InlineData("[]")]
    [InlineData("null")]
    [InlineData("\"ok\"")]
    [InlineData("""{"success":true,"status_id":"st-1"} trailing""")]
    public async Task Submit_is_unknown_when_a_2xx_cannot_be_read(string body)
    {
        var unknown = Assert.IsType<SubmitResult.Unknown>(await SubmitAsync(RawServer.Json(200, body)));
        Assert.Equal(RemoteErrorKind.UnreadableReply, unknown.Error.Kind);
    }

    [Fact]
    public async Task Submit_is_unknown_when_a_2xx_is_endless() =>
        Assert.Equal(
            RemoteErrorKind.UnreadableReply,
            Assert.IsType<SubmitResult.Unknown>(
                await SubmitAsync("HTTP/1.1 200 OK\r\n\r\n{\"success\":true,\"status_id\":\"st-1\",\"debug\":\"" + new string('x', 300_000)
                    + "\"}")).Error.Kind);

    [Theory]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{\"success\":true,\"status_id\":\"st-1\"}", RemoteErrorKind.ConnectionLost)]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{\"suc", RemoteErrorKind.ConnectionLost)]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Le", RemoteErrorKind.ConnectionLost)]
    [InlineData("SSH-2.0-OpenSSH_9.2\r\n\r\n", RemoteErrorKind.UnreadableReply)]
    public async Task Submit_is_unknown_when_the_reply_breaks_off_or_is_no_http(string bytes, RemoteErrorKind kind) =>
        Assert.Equal(kind, Assert.IsType<SubmitResult.Unknown>(await SubmitAsync(bytes)).Error.Kind);

    [Fact]
    public async Task Submit_is_unknown_wherever_an_accepting_reply_is_cut()
    {
        var reply = RawServer.Json(200, """{"success":true,"status_id":"st-1"}""");
        var cut = 0;
        await using var server = new RawServer(async connection =>
        {
            await connection.ReadRequestAsync();
            await connection.WriteAsync(reply[..cut]);
        });
        using var client = New();

        for (; cut < reply.Length; cut++)
            Assert.IsType<SubmitResult.Unknown>(
                await client.UploadFromUrlAsync(To(server), "https://cdn.test/a.mp4", null, CancellationToken.None));
        Assert.IsType<SubmitResult.Accepted>(
            await client.UploadFromUrlAsync(To(server), "https://cdn.test/a.mp4", null, CancellationToken.None));
        Assert.Equal(reply.Length + 1, server.Requests.Count);
    }

    [Theory]
    [InlineData(200, "text/html", "<html>error: s3cret of another server</html>")]
    [InlineData(200, "application/json", """{"AccessKeyId":"s3cret"}""")]
    [InlineData(200, "application/json", """{"success":true,"other":"s3cret"}""")]
    [InlineData(404, "text/plain", "s3cret")]
    [InlineData(502, "text/html", "<html>s3cret</html>")]
    [InlineData(403, "application/json", """{"AccessKeyId":"s3cret"}""")]
    public async Task Body_that_is_no_message_of_the_API_is_described_and_never_quoted(int status, string type, string body)
    {
        await using var server = RawServer.Replying(RawServer.Reply(status, type, body));
        using var client = New();
        string?[] said =
        [
            (await client.PingAsync(To(server), CancellationToken.None) as PingResult.Failed)?.Error.Message,
            await client.UploadFromUrlAsync(To(server), "https://cdn.test/a.mp4", null, CancellationToken.None) switch
            {
                SubmitResult.Unknown unknown => unknown.Error.Message,
                SubmitResult.Refused refused => refused.Error.Message,
                _ => null,
            },
            (await client.ListGalleriesAsync(To(server), new GalleryListQuery(),
                CancellationToken.None) as GalleryListResult.Failed)?.Error.Message,
            await client.PushRangeAsync(To(server), new UploadUrl(server.BaseUrl), new PushRange("a.mp4", "1", 0, 0, 0), (_, _) =>
                Task.CompletedTask, CancellationToken.None) switch
            {
                PushResult.Unknown unknown => unknown.Error.Message,
                PushResult.Refused refused => refused.Error.Message,
                _ => null,
            },
        ];

        Assert.DoesNotContain("s3cret", string.Join('\n', said), StringComparison.Ordinal);
        Assert.Contains($"({type}, {body.Length} bytes)", said[1], StringComparison.Ordinal);
        Assert.Contains($"({type}, {body.Length} bytes)", said[3], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Submit_is_unknown_when_the_reply_breaks_off() =>
        Assert.Equal(
            RemoteErrorKind.ConnectionLost,
            Assert.IsType<SubmitResult.Unknown>(
                await SubmitAsync("HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{\"success\":true,\"status_id\":\"st-1")).Error.Kind);

    [Fact]
    public async Task Submit_is_refused_when_the_body_of_a_429_breaks_off()
    {
        var refused = Assert.IsType<SubmitResult.Refused>(
            await SubmitAsync("HTTP/1.1 429 No\r\nRetry-After: 7\r\nContent-Length: 500\r\n\r\n{\"mess"));
        Assert.Equal((RemoteErrorKind.RateLimited, TimeSpan.FromSeconds(7)), (refused.Error.Kind, refused.Error.RetryAfter));
    }

    [Fact]
    public async Task Redirect_is_not_followed_and_shows_where_it_led_without_the_query()
    {
        await using var elsewhere = RawServer.Replying(RawServer.Json(200, """{"success":true,"status_id":"st-1"}"""));
        var result = await SubmitAsync(RawServer.Html(307, "", $"Location: {elsewhere.BaseUrl}x.json?api_token={Token}&d=secret\r\n"));

        Assert.Contains($"{elsewhere.BaseUrl}x.json,", Assert.IsType<SubmitResult.Refused>(result).Error.Message);
        Assert.DoesNotContain("secret", result.ToString());
        Assert.Empty(elsewhere.Requests);
    }

    [Theory]
    [InlineData("Retry-After: 120\r\n", 120)]
    [InlineData("Retry-After: 0\r\n", 0)]
    [InlineData("Retry-After: Wed, 01 Jan 2025 00:01:30 GMT\r\n", 90)]
    [InlineData("Retry-After: Tue, 31 Dec 2024 00:00:00 GMT\r\n", 0)]
    [InlineData("Retry-After: 86400\r\n", 86400)]
    [InlineData("Retry-After: 86401\r\n", 86400)]
    [InlineData("Retry-After: 2147483647\r\n", 86400)]
    [InlineData("Retry-After: Fri, 31 Dec 9999 23:59:59 GMT\r\n", 86400)]
    [InlineData("Retry-After: 99999999999\r\n", null)]
    [InlineData("Retry-After: soon\r\n", null)]
    [InlineData("", null)]
    public async Task Retry_after_is_read_in_seconds_and_as_a_date(string header, int? seconds)
    {
        await using var server = RawServer.Replying(RawServer.Json(429, """{"message":"slow down"}""", header));
        using var client = New(new FakeTimeProvider(DateTimeOffset.Parse("2025-01-01T00:00:00Z", CultureInfo.InvariantCulture)));

        var result = await client.UploadFromUrlAsync(To(server), "https://cdn.test/a.mp4", null, CancellationToken.None);

        var error = Assert.IsType<SubmitResult.Refused>(result).Error;
        Assert.Equal(seconds, (int?)error.RetryAfter?.TotalSeconds);
        Assert.Equal(header.Contains("2147483647") || header.Contains("86401")
            || header.Contains("9999 "), error.Message.EndsWith("one day is the longest wait.", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Message_is_one_line_cut_at_500_characters()
    {
        var refused = Assert.IsType<SubmitResult.Refused>(
            await SubmitAsync(RawServer.Json(400, $$"""{"message":"first\r\n\tsecond {{new string('x', 1000)}}"}""")));
        Assert.StartsWith("first second xxx", refused.Error.Message);
        Assert.Equal(500, refused.Error.Message.Length);
    }
}
