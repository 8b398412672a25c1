using System.Net;
using System.Net.Sockets;
using System.Text;
using Cincopa.Client;
using Microsoft.Extensions.Time.Testing;
using static BulkImporter.Tests.Client.ClientUnderTest;

namespace BulkImporter.Tests.Client;

public sealed class GetSubmitIsSentOnceTests() : SubmitIsSentOnceTests(SubmitVerb.Get);

public sealed class PostSubmitIsSentOnceTests() : SubmitIsSentOnceTests(SubmitVerb.Post);

/// <summary>What leaves, how often, and what is said when it is not known whether it left; by either verb.</summary>
public abstract class SubmitIsSentOnceTests(SubmitVerb verb)
{
    private HttpMethod Method => verb == SubmitVerb.Get ? HttpMethod.Get : HttpMethod.Post;

    private const string Accepted = """{"success":true,"runtime":5,"status_id":"st-1"}""";

    [Fact]
    public async Task Submit_is_received_once_when_a_new_connection_closes_before_the_first_reply_byte()
    {
        await using var server = new RawServer(connection => connection.ReadRequestAsync());
        using var client = New();

        var result = await client.UploadFromUrlAsync(To(server), "https://cdn.test/a.mp4", null, CancellationToken.None);

        var unknown = Assert.IsType<SubmitResult.Unknown>(result);
        Assert.Equal(RemoteErrorKind.ConnectionLost, unknown.Error.Kind);
        Assert.Single(server.Requests);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Submit_is_received_once_when_a_reused_connection_closes_before_the_first_reply_byte(bool reset)
    {
        await using var server = new RawServer(async connection =>
        {
            await connection.ReadRequestAsync();
            await connection.WriteAsync(RawServer.Json(200, Accepted));
            await connection.ReadRequestAsync();
            if (reset)
                connection.Reset();
        });
        using var client = New();

        var first = await client.UploadFromUrlAsync(To(server), "https://cdn.test/a.mp4", null, CancellationToken.None);
        var second = await client.UploadFromUrlAsync(To(server), "https://cdn.test/b.mp4", null, CancellationToken.None);

        Assert.IsType<SubmitResult.Accepted>(first);
        Assert.Equal(RemoteErrorKind.ConnectionLost, Assert.IsType<SubmitResult.Unknown>(second).Error.Kind);
        Assert.Equal(1, server.Connections);
        Assert.Equal(2, server.Requests.Count);
    }

    [Theory]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Le")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 50\r\n\r\n{\"success\":true,")]
    [InlineData("HTTP/1.1 100 Continue\r\n\r\n")]
    public async Task Submit_is_received_once_when_a_reused_connection_ends_inside_the_reply(string half)
    {
        await using var server = new RawServer(async connection =>
        {
            await connection.ReadRequestAsync();
            await connection.WriteAsync(RawServer.Json(200, Accepted));
            if (await connection.ReadRequestAsync() is null) return;
            await connection.WriteAsync(half);
            connection.Reset();
        });
        using var client = New();

        await client.UploadFromUrlAsync(To(server), "https://cdn.test/a.mp4", null, CancellationToken.None);
        var second = await client.UploadFromUrlAsync(To(server), "https://cdn.test/b.mp4", null, CancellationToken.None);

        Assert.IsType<SubmitResult.Unknown>(second);
        Assert.Equal(1, server.Connections);
        Assert.Equal(2, server.Requests.Count);
    }

    [Theory]
    [InlineData(408, "Connection: close\r\n", typeof(SubmitResult.Unknown))]
    [InlineData(401, "WWW-Authenticate: Basic realm=\"x\"\r\n", typeof(SubmitResult.Refused))]
    [InlineData(407, "Proxy-Authenticate: Basic realm=\"x\"\r\n", typeof(SubmitResult.Refused))]
    [InlineData(405, "Allow: POST, GET\r\n", typeof(SubmitResult.Refused))]
    [InlineData(421, "", typeof(SubmitResult.Refused))]
    [InlineData(425, "", typeof(SubmitResult.Refused))]
    [InlineData(429, "Retry-After: 0\r\n", typeof(SubmitResult.Refused))]
    [InlineData(503, "Retry-After: 0\r\n", typeof(SubmitResult.Unknown))]
    [InlineData(301, "Location: /v2/elsewhere\r\n", typeof(SubmitResult.Refused))]
    [InlineData(302, "Location: /v2/elsewhere\r\n", typeof(SubmitResult.Unknown))]
    [InlineData(303, "Location: /v2/elsewhere\r\n", typeof(SubmitResult.Unknown))]
    [InlineData(307, "Location: /v2/elsewhere\r\n", typeof(SubmitResult.Refused))]
    [InlineData(308, "Location: /v2/elsewhere\r\n", typeof(SubmitResult.Refused))]
    public async Task Submit_is_received_once_whatever_status_invites_to_send_it_again(int status, string headers, Type expected)
    {
        await using var server = new RawServer(async connection =>
        {
            await connection.ReadRequestAsync();
            await connection.WriteAsync(RawServer.Json(200, Accepted));
            while (await connection.ReadRequestAsync() is not null) await connection.WriteAsync(RawServer.Html(status, "", headers));
        });
        using var client = New();

        await client.UploadFromUrlAsync(To(server), "https://cdn.test/a.mp4", null, CancellationToken.None);
        Assert.IsType(expected, await client.UploadFromUrlAsync(To(server), "https://cdn.test/b.mp4", null, CancellationToken.None));

        Assert.Equal(2, server.Requests.Count);
        Assert.All(server.Requests, head => Assert.EndsWith(" HTTP/1.1", head.Split("\r\n")[0], StringComparison.Ordinal));
    }

    [Fact]
    public async Task Submit_is_received_once_when_its_time_runs_out_and_the_connection_is_ended_by_us()
    {
        await using var server = new RawServer(async connection =>
        {
            await connection.ReadRequestAsync();
            await connection.WriteAsync(RawServer.Json(200, Accepted));
            await connection.ReadRequestAsync();
            await connection.HoldAsync();
        });
        var clock = new FakeTimeProvider();
        using var client = New(clock);
        await client.UploadFromUrlAsync(To(server), "https://cdn.test/a.mp4", null, CancellationToken.None);
        await server.NextRequestAsync();

        var second = client.UploadFromUrlAsync(To(server), "https://cdn.test/b.mp4", null, CancellationToken.None);
        await server.NextRequestAsync();
        clock.Advance(TimeSpan.FromSeconds(100));

        Assert.IsType<SubmitResult.Unknown>(await second);
        Assert.Equal((2, 1), (server.Requests.Count, server.Connections));
    }

    [Fact]
    public async Task The_same_server_receives_a_request_without_content_several_times()
    {
        // The other side of the boundary: this is the platform's behaviour that the content of a submit is there to prevent.
        // The server answers the first request of all, and closes on every later one without a byte.
        var received = 0;
        await using var server = new RawServer(async connection =>
        {
            while (await connection.ReadRequestAsync() is not null && Interlocked.Increment(ref received) == 1)
                await connection.WriteAsync(RawServer.Json(200, Accepted));
        });
        using var http = new HttpMessageInvoker(new SocketsHttpHandler());
        using var first = new HttpRequestMessage(Method, server.BaseUrl);
        using var again = new HttpRequestMessage(Method, server.BaseUrl);

        using (var reply = await http.SendAsync(first, CancellationToken.None))
            await reply.Content.ReadAsByteArrayAsync();
        await Assert.ThrowsAsync<HttpRequestException>(() => http.SendAsync(again, CancellationToken.None));

        Assert.True(server.Requests.Count > 2, $"received {server.Requests.Count} requests for two calls");
    }

    [Fact]
    public async Task Content_refuses_to_be_sent_a_second_time()
    {
        await using var server = RawServer.Replying(RawServer.Json(200, Accepted));
        using var http = new HttpMessageInvoker(new SocketsHttpHandler());
        using var content = new SingleUseContent();

        using var first = new HttpRequestMessage(Method, server.BaseUrl) { Content = content };
        Assert.False(content.Left);
        using var reply = await http.SendAsync(first, CancellationToken.None);
        Assert.True(content.Left);

        using var again = new HttpRequestMessage(Method, server.BaseUrl) { Content = content };
        await Assert.ThrowsAnyAsync<HttpRequestException>(() => http.SendAsync(again, CancellationToken.None));
        Assert.Single(server.Requests);
    }

    [Theory]
    [InlineData(100)]
    [InlineData(60_000)]
    public async Task Platform_sends_no_byte_before_it_asks_for_the_content(int urlLength)
    {
        // The proof behind NeverSent and behind throwing on cancellation rests on this order, also when the head is larger than
        // the platform's write buffer.
        var connected = new TaskCompletionSource<RawServer.Connection>(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var server = new RawServer(async connection =>
        {
            connected.SetResult(connection);
            await connection.HoldAsync();
        });
        using var http = new HttpMessageInvoker(new SocketsHttpHandler());
        using var content = new HeldContent();
        using var request = new HttpRequestMessage(Method, new Uri(server.BaseUrl, "?x=" + new string('x', urlLength)))
        { Content = content };

        using var stop = new CancellationTokenSource();
        var sending = http.SendAsync(request, stop.Token);
        var connection = await connected.Task;
        await content.Asked;
        await Task.Delay(50);
        Assert.False(connection.HasBytes);

        content.Release();
        await Poll.UntilAsync(() => connection.HasBytes);
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => sending);
    }

    [Fact]
    public async Task Submit_leaves_when_its_caller_says_so_and_the_wait_is_no_part_of_its_time()
    {
        var clock = new FakeTimeProvider();
        await using var server = RawServer.Replying(RawServer.Json(200, Accepted));
        using var client = new CincopaClient(new CincopaClientOptions { SubmitTimeout = TimeSpan.FromSeconds(5) }, clock);
        var asked = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var answer = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);

        var sending = client.UploadFromUrlAsync(To(server), "https://cdn.test/a.mp4", null, _ =>
            { asked.SetResult(); return answer.Task; }, CancellationToken.None);
        await asked.Task;
        await Poll.UntilAsync(() => server.Connections == 1);
        clock.Advance(TimeSpan.FromMinutes(10));
        Assert.Empty(server.Requests);
        answer.SetResult(true);

        Assert.IsType<SubmitResult.Accepted>(await sending);
        Assert.Single(server.Requests);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Submit_that_is_turned_back_at_the_last_moment_is_not_sent(bool bySayingNo)
    {
        await using var server = RawServer.Replying(RawServer.Json(200, Accepted));
        using var client = New();

        await Assert.ThrowsAsync<OperationCanceledException>(() => client.UploadFromUrlAsync(
            To(server), "https://cdn.test/a.mp4", null, _ =>
                bySayingNo ? Task.FromResult(false) : throw new OperationCanceledException(), CancellationToken.None));
        await client.UploadFromUrlAsync(To(server), "https://cdn.test/b.mp4", null, CancellationToken.None);

        Assert.Contains("b.mp4", Assert.Single(server.Requests));
    }

    [Fact]
    public async Task What_fails_while_a_submit_waits_to_leave_is_told_as_it_is()
    {
        await using var server = RawServer.Replying(RawServer.Json(200, Accepted));
        using var client = New();

        await Assert.ThrowsAsync<InvalidTimeZoneException>(() => client.UploadFromUrlAsync(
            To(server), "https://cdn.test/a.mp4", null, _ => throw new InvalidTimeZoneException(), CancellationToken.None));
        Assert.Empty(server.Requests);
    }

    [Fact]
    public async Task Submit_has_its_verb_and_no_body_no_expect_and_no_cookies()
    {
        await using var server = RawServer.Replying(RawServer.Json(200, Accepted, "Set-Cookie: a=b\r\n"));
        using var client = New();

        await client.UploadFromUrlAsync(To(server), "https://cdn.test/a.mp4", new Fid("A4HAcLOLOO68"), CancellationToken.None);
        await client.UploadFromUrlAsync(To(server), "https://cdn.test/a.mp4", null, CancellationToken.None);

        Assert.All(server.Requests, head =>
        {
            Assert.Contains("\r\nContent-Length: 0\r\n", head);
            Assert.DoesNotContain("Expect", head, StringComparison.OrdinalIgnoreCase);
            Assert.DoesNotContain("Cookie", head, StringComparison.OrdinalIgnoreCase);
            Assert.DoesNotContain("traceparent", head, StringComparison.OrdinalIgnoreCase);
        });
        Assert.StartsWith(
            $"{Method} /v2/asset.upload_from_url.json?api_token={Token}&input=https%3A%2F%2Fcdn.test%2Fa.mp4&fid=A4HAcLOLOO68 HTTP/1.1\r\n", server.Requests[0]);
        Assert.StartsWith($"{Method} /v2/asset.upload_from_url.json?api_token={Token}&input=https%3A%2F%2Fcdn.test%2Fa.mp4 HTTP/1.1\r\n",
            server.Requests[1]);
    }

    [Theory]
    [InlineData("https://cdn.test/a+b c%20d%2Fe.mp4?x=1&y=2#t=10,20")]
    [InlineData("https://cdn.test/Ünïcödé/日本語/🎬.mp4?q='(!*)'")]
    [InlineData("https://b.s3.amazonaws.com/k?X-Amz-Signature=abc%2Bdef%3D%3D&X-Amz-Date=20250101T000000Z")]
    [InlineData("https://cdn.test/../a/./b//c/%2e%2e/%41~_-.mp4?=&&;%")]
    public async Task Input_arrives_character_for_character(string input)
    {
        await using var server = RawServer.Replying(RawServer.Json(200, Accepted));
        using var client = New();

        await client.UploadFromUrlAsync(To(server), input, null, CancellationToken.None);

        var target = Assert.Single(server.Requests).Split(' ')[1];
        var sent = target[(target.IndexOf("&input=", StringComparison.Ordinal) + "&input=".Length)..];
        Assert.All(sent, c => Assert.True(char.IsAsciiLetterOrDigit(c) || "-._~%".Contains(c), $"'{c}' is not encoded"));
        Assert.Equal(input, Encoding.UTF8.GetString(WebUtility.UrlDecodeToBytes(Encoding.ASCII.GetBytes(sent), 0, sent.Length)));
    }

    [Fact]
    public async Task Very_long_input_arrives_whole()
    {
        await using var server = RawServer.Replying(RawServer.Json(200, Accepted));
        using var client = New();
        var input = "https://cdn.test/" + new string('é', 20_000) + "/end";

        var result = await client.UploadFromUrlAsync(To(server), input, null, CancellationToken.None);

        Assert.IsType<SubmitResult.Accepted>(result);
        Assert.EndsWith("%C3%A9%2Fend", Assert.Single(server.Requests).Split(' ')[1]);
    }

    [Fact]
    public async Task Submit_is_never_sent_when_the_name_has_no_address()
    {
        using var client = New();
        var result = await client.UploadFromUrlAsync(new CincopaAccess(new Uri("http://no-such-host.invalid/v2/"), Token)
        { SubmitVerb = verb }, "https://cdn.test/a.mp4", null, CancellationToken.None);

        Assert.Equal(RemoteErrorKind.NameNotResolved, Assert.IsType<SubmitResult.NeverSent>(result).Error.Kind);
    }

    [Fact]
    public async Task Submit_is_never_sent_when_the_connection_is_refused()
    {
        using var reserved = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        reserved.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        var port = ((IPEndPoint)reserved.LocalEndPoint!).Port;
        using var client = New();

        var result =
            await client.UploadFromUrlAsync(new CincopaAccess(new Uri($"http://127.0.0.1:{port}/v2/"), Token) { SubmitVerb = verb },
                "https://cdn.test/a.mp4", null, CancellationToken.None);

        Assert.Equal(RemoteErrorKind.ConnectionRefused, Assert.IsType<SubmitResult.NeverSent>(result).Error.Kind);
    }

    [Fact]
    public async Task Submit_is_never_sent_when_the_server_does_not_speak_tls()
    {
        await using var server = new RawServer(connection => connection.WriteAsync("this is not a handshake\r\n\r\n"));
        using var client = New();

        var result = await client.UploadFromUrlAsync(OverTls(server), "https://cdn.test/a.mp4", null, CancellationToken.None);

        Assert.Equal(RemoteErrorKind.TlsFailed, Assert.IsType<SubmitResult.NeverSent>(result).Error.Kind);
        Assert.DoesNotContain(Token, result.ToString());
    }

    [Fact]
    public async Task Submit_is_never_sent_when_the_handshake_outlasts_the_connect_timeout()
    {
        await using var server = new RawServer(connection => connection.HoldAsync());
        using var client = New(options: new CincopaClientOptions { ConnectTimeout = TimeSpan.FromMilliseconds(150) });

        var result = await client.UploadFromUrlAsync(OverTls(server), "https://cdn.test/a.mp4", null, CancellationToken.None);

        Assert.Equal(RemoteErrorKind.ConnectTimedOut, Assert.IsType<SubmitResult.NeverSent>(result).Error.Kind);
    }

    [Fact]
    public async Task Submit_is_never_sent_when_its_timeout_runs_out_before_there_is_a_connection()
    {
        var connected = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var server = new RawServer(connection => { connected.TrySetResult(); return connection.HoldAsync(); });
        var clock = new FakeTimeProvider();
        using var client = New(clock);

        var sending = client.UploadFromUrlAsync(OverTls(server), "https://cdn.test/a.mp4", null, CancellationToken.None);
        await connected.Task;
        clock.Advance(TimeSpan.FromSeconds(100));

        Assert.Equal(RemoteErrorKind.Timeout, Assert.IsType<SubmitResult.NeverSent>(await sending).Error.Kind);
    }

    [Fact]
    public async Task Submit_is_unknown_when_the_reply_does_not_come_in_time()
    {
        await using var server = new RawServer(async connection => { await connection.ReadRequestAsync(); await connection.HoldAsync(); });
        var clock = new FakeTimeProvider();
        using var client = New(clock);

        var sending = client.UploadFromUrlAsync(To(server), "https://cdn.test/a.mp4", null, CancellationToken.None);
        await server.NextRequestAsync();
        clock.Advance(TimeSpan.FromSeconds(99));
        await Task.Delay(30);
        Assert.False(sending.IsCompleted);
        clock.Advance(TimeSpan.FromSeconds(1));

        Assert.Equal(RemoteErrorKind.Timeout, Assert.IsType<SubmitResult.Unknown>(await sending).Error.Kind);
    }

    [Fact]
    public async Task Submit_is_unknown_when_the_caller_cancels_after_it_left()
    {
        await using var server = new RawServer(async connection => { await connection.ReadRequestAsync(); await connection.HoldAsync(); });
        using var client = New();
        using var caller = new CancellationTokenSource();

        var sending = client.UploadFromUrlAsync(To(server), "https://cdn.test/a.mp4", null, caller.Token);
        await server.NextRequestAsync();
        await caller.CancelAsync();

        Assert.Equal(RemoteErrorKind.ConnectionLost, Assert.IsType<SubmitResult.Unknown>(await sending).Error.Kind);
    }

    [Fact]
    public async Task Submit_throws_when_the_caller_cancels_before_it_left()
    {
        var connected = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var server = new RawServer(connection => { connected.TrySetResult(); return connection.HoldAsync(); });
        using var client = New();
        using var caller = new CancellationTokenSource();

        var sending = client.UploadFromUrlAsync(OverTls(server), "https://cdn.test/a.mp4", null, caller.Token);
        await connected.Task;
        await caller.CancelAsync();

        var thrown = await Assert.ThrowsAsync<OperationCanceledException>(() => sending);
        Assert.Equal(caller.Token, thrown.CancellationToken);
        await Assert.ThrowsAsync<OperationCanceledException>(() =>
            client.UploadFromUrlAsync(To(server), "https://cdn.test/a.mp4", null, caller.Token));
    }

    [Fact]
    public async Task Reads_throw_when_the_caller_cancels_at_any_time()
    {
        await using var server = new RawServer(async connection => { await connection.ReadRequestAsync(); await connection.HoldAsync(); });
        using var client = New();
        using var caller = new CancellationTokenSource();

        var asking = client.GetUploadStatusAsync(To(server), Ticket, caller.Token);
        await server.NextRequestAsync();
        await caller.CancelAsync();

        await Assert.ThrowsAsync<OperationCanceledException>(() => asking);
    }

    private CincopaAccess To(RawServer server) => ClientUnderTest.To(server) with { SubmitVerb = verb };

    private CincopaAccess OverTls(RawServer server) =>
        new(new UriBuilder(server.BaseUrl) { Scheme = Uri.UriSchemeHttps }.Uri, Token) { SubmitVerb = verb };

    private sealed class HeldContent : HttpContent
    {
        private readonly TaskCompletionSource asked = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly TaskCompletionSource released = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task Asked => asked.Task;

        public void Release() => released.SetResult();

        protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        {
            asked.SetResult();
            return released.Task;
        }

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return true;
        }
    }
}

internal static class Poll
{
    /// <summary>Waits for a fact that gives no signal; fails after thirty seconds.</summary>
    public static async Task UntilAsync(Func<bool> holds)
    {
        for (var tries = 0; !holds(); tries++)
        {
            Assert.True(tries < 3000, "it did not come true within 30 s");
            await Task.Delay(10);
        }
    }
}
