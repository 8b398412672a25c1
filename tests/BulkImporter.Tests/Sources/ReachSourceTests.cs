using System.Net;
using System.Net.Sockets;
using System.Text;
using BulkImporter.Sources;
using BulkImporter.Tests.Client;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;

namespace BulkImporter.Tests.Sources;

/// <summary>
/// The sources of these tests are on 127.0.0.1, which the tests allow where they mean to reach it. Names resolve as the test says.
/// </summary>
public sealed class ReachSourceTests
{
    private const string File = "HTTP/1.1 200 OK\r\nContent-Type: Video/MP4; x=1\r\nContent-Length: 5\r\nETag: \"v1\"\r\n\r\nabcde";

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Source_is_read_to_its_end()
    {
        await using var server = RawServer.Replying(File);
        using var reach = Reach();

        using var answer = await reach.RunAsync(new SourceRequest(server.BaseUrl), Stop);

        Assert.Null(answer.Problem);
        Assert.Equal((HttpStatusCode.OK, "video/mp4", 5, 0, "\"v1\""),
            (answer.Status, answer.MediaType, answer.Size, answer.From, answer.StrongTag));
        Assert.Equal("abcde", await TextAsync(answer));
    }

    [Fact]
    public async Task Nothing_of_ours_travels_to_a_source()
    {
        await using var server = RawServer.Replying("HTTP/1.1 200 OK\r\nSet-Cookie: a=b\r\nContent-Length: 0\r\n\r\n");
        using var reach = Reach();

        using (await reach.RunAsync(new SourceRequest(server.BaseUrl), Stop)) { }
        using (await reach.RunAsync(new SourceRequest(server.BaseUrl, HeadOnly: true), Stop)) { }

        Assert.Equal(["GET /v2/ HTTP/1.1", "HEAD /v2/ HTTP/1.1"], server.Requests.Select(r => r.Split("\r\n")[0]));
        string[] allowed = ["Host", "User-Agent", "Accept", "Accept-Encoding"];
        Assert.All(server.Requests, r =>
            Assert.Equal(allowed.Order(), r.Trim().Split("\r\n").Skip(1).Select(line => line.Split(':')[0]).Order()));
    }

    [Fact]
    public async Task Range_is_continued_only_in_the_same_file()
    {
        await using var server =
            RawServer.Replying("HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 2-4/5\r\nContent-Length: 3\r\n\r\ncde");
        using var reach = Reach();

        using var answer = await reach.RunAsync(new SourceRequest(server.BaseUrl, Range: new(2, null), SameAs: "\"v1\""), Stop);

        Assert.Equal((null, 5, 2), (answer.Problem, answer.Size, answer.From));
        Assert.Equal("cde", await TextAsync(answer));
        Assert.Contains("Range: bytes=2-\r\n", server.Requests[0], StringComparison.Ordinal);
        Assert.Contains("If-Range: \"v1\"\r\n", server.Requests[0], StringComparison.Ordinal);
    }

    public static TheoryData<string, string> InnerSources => new()
    {
        { "address", "http://127.0.0.1:9/" },
        { "address as one number", "http://2130706433:9/" },
        { "address in octal and short", "http://0177.1:9/" },
        { "mapped address", "http://[::ffff:127.0.0.1]:9/" },
        { "metadata", "http://169.254.169.254/latest/meta-data/" },
        { "localhost", "http://localhost:9/" },
        { "public name, address inside", "http://inner.test:9/" },
        { "public name, one of two addresses inside", "http://half-inner.test:9/" },
        { "public name, IPv6 inside", "https://inner6.test:9/" },
    };

    [Theory, MemberData(nameof(InnerSources))]
    public async Task Address_inside_is_refused_before_anything_is_connected(string kind, string url)
    {
        Assert.NotEmpty(kind);
        using var reach = Reach(allowed: []);

        using var answer = await reach.RunAsync(new SourceRequest(new Uri(url)), Stop);

        Assert.Equal(SourceProblem.AddressRefused, answer.Problem);
        Assert.Contains("not a public address", answer.Detail, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("http://127.0.0.2:9/", SourceProblem.AddressRefused)]
    [InlineData("http://169.254.169.254/latest/meta-data/", SourceProblem.AddressRefused)]
    [InlineData("http://inner.test/", SourceProblem.AddressRefused)]
    [InlineData("http://localhost6.test/", SourceProblem.AddressRefused)]
    [InlineData("//inner.test/a.mp4", SourceProblem.AddressRefused)]
    [InlineData("file:///etc/passwd", SourceProblem.UrlRefused)]
    [InlineData("ftp://allowed.test/a", SourceProblem.UrlRefused)]
    [InlineData("gopher://127.0.0.1:6379/", SourceProblem.UrlRefused)]
    [InlineData("http://user:secret@allowed.test/", SourceProblem.UrlRefused)]
    [InlineData("http://missing.test/", SourceProblem.HostNotFound)]
    [InlineData("http://[broken/", SourceProblem.RedirectLost)]
    public async Task Redirect_is_judged_as_the_first_address_was(string location, SourceProblem problem)
    {
        await using var server = RawServer.Replying($"HTTP/1.1 302 Found\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n");
        using var reach = Reach(allowed: ["127.0.0.1/32"]);

        using var answer = await reach.RunAsync(new SourceRequest(server.BaseUrl), Stop);

        Assert.Equal(problem, answer.Problem);
        Assert.Single(server.Requests);
    }

    [Theory]
    [InlineData(301)]
    [InlineData(302)]
    [InlineData(303)]
    [InlineData(307)]
    [InlineData(308)]
    public async Task Redirect_to_another_place_is_followed(int status)
    {
        await using var target = RawServer.Replying(File);
        await using var server =
            RawServer.Replying(
                $"HTTP/1.1 {status} Moved\r\nLocation: http://allowed.test:{target.BaseUrl.Port}/b%20c?sig=1\r\nContent-Length: 0\r\n\r\n");
        using var reach = Reach();

        using var answer = await reach.RunAsync(new SourceRequest(server.BaseUrl, HeadOnly: true), Stop);

        Assert.Null(answer.Problem);
        Assert.Equal($"http://allowed.test:{target.BaseUrl.Port}/b%20c?sig=1", answer.Url.AbsoluteUri);
        Assert.StartsWith("HEAD /b%20c?sig=1 HTTP/1.1", Assert.Single(target.Requests), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Header_of_an_account_goes_to_its_host_and_not_to_where_that_redirects()
    {
        await using var target = RawServer.Replying(File);
        await using var server =
            RawServer.Replying($"HTTP/1.1 302 Found\r\nLocation: http://allowed.test:{target.BaseUrl.Port}/b\r\nContent-Length: 0\r\n\r\n");
        using var reach = Reach();
        SecretHeader[] headers = [new($"http://127.0.0.1:{server.BaseUrl.Port}", "authorization", "Bearer s3cret"),
            new("elsewhere.test", "x-key", "other")];

        using (await reach.RunAsync(new SourceRequest(server.BaseUrl, Headers: headers), Stop)) { }
        using (await reach.RunAsync(new SourceRequest(new Uri($"http://allowed.test:{target.BaseUrl.Port}/c"),
            Headers: [headers[0] with { Host = $"http://allowed.test:{target.BaseUrl.Port}" }]), Stop)) { }

        Assert.Contains("authorization: Bearer s3cret\r\n", Assert.Single(server.Requests), StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("x-key", server.Requests[0], StringComparison.Ordinal);
        Assert.DoesNotContain("s3cret", target.Requests[0], StringComparison.Ordinal);
        Assert.Contains("s3cret", target.Requests[1], StringComparison.Ordinal);
        Assert.DoesNotContain("s3cret", $"{headers[0]} {new SourceRequest(server.BaseUrl, Headers: headers)}", StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("media.test", "https://media.test/b", true)]
    [InlineData("media.test", "https://MEDIA.test:443/b", true)]
    [InlineData("media.test", "https://media.test:8443/b", false)]
    [InlineData("media.test", "http://media.test/b", false)]
    [InlineData("media.test:8443", "https://media.test:8443/b", true)]
    [InlineData("media.test:8443", "https://media.test/b", false)]
    [InlineData("http://media.test", "http://media.test/b", true)]
    [InlineData("http://media.test", "https://media.test/b", false)]
    [InlineData("http://media.test:8080", "http://media.test:8080/b", true)]
    [InlineData("http://media.test:8080", "http://media.test/b", false)]
    [InlineData("media.test", "https://media.test.evil/b", false)]
    [InlineData("media.test", "https://sub.media.test/b", false)]
    public void Header_goes_to_its_very_host_and_port_and_in_clear_only_where_it_was_kept_for_that(string host, string url, bool goes) =>
        Assert.Equal(goes, ReachSource.Receives(new SecretHeader(host, "x-key", "v"), new Uri(url)));

    [Fact]
    public async Task Redirects_end_at_their_bound()
    {
        await using var server = RawServer.Replying("HTTP/1.1 302 Found\r\nLocation: again\r\nContent-Length: 0\r\n\r\n");
        using var reach = Reach();

        using var answer = await reach.RunAsync(new SourceRequest(server.BaseUrl), Stop);

        Assert.Equal(SourceProblem.RedirectLost, answer.Problem);
        Assert.Equal(1 + ReachSource.MaxRedirects, server.Requests.Count);
    }

    [Fact]
    public async Task Name_is_judged_again_at_each_connection()
    {
        await using var server = RawServer.ReplyingOnceAndClosing("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
        var answers = new Queue<string>(["127.0.0.1", "10.0.0.1"]);
        using var reach = Reach(resolve: _ => [IPAddress.Parse(answers.Dequeue())]);
        var url = new Uri($"http://rebinding.test:{server.BaseUrl.Port}/");

        using (var first = await reach.RunAsync(new SourceRequest(url), Stop)) Assert.Null(first.Problem);
        using var second = await reach.RunAsync(new SourceRequest(url), Stop);

        Assert.Equal(SourceProblem.AddressRefused, second.Problem);
    }

    [Theory]
    [InlineData("404 Not Found", SourceProblem.NotFound)]
    [InlineData("410 Gone", SourceProblem.NotFound)]
    [InlineData("401 Unauthorized", SourceProblem.Forbidden)]
    [InlineData("403 Forbidden", SourceProblem.Forbidden)]
    [InlineData("407 Proxy Authentication Required", SourceProblem.Forbidden)]
    [InlineData("429 Too Many Requests", SourceProblem.Busy)]
    [InlineData("503 Service Unavailable", SourceProblem.Busy)]
    [InlineData("405 Method Not Allowed", SourceProblem.Refused)]
    [InlineData("500 Oops", SourceProblem.ServerFailed)]
    [InlineData("304 Not Modified", SourceProblem.Broken)]
    public async Task Refusal_of_the_source_has_a_code(string status, SourceProblem problem)
    {
        await using var server = RawServer.Replying($"HTTP/1.1 {status}\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n");
        using var reach = Reach();

        using var answer = await reach.RunAsync(new SourceRequest(server.BaseUrl), Stop);

        Assert.Equal(problem, answer.Problem);
        Assert.Equal(TimeSpan.FromSeconds(7), answer.RetryAfter);
    }

    [Theory]
    [InlineData("2147483647", 86400)]
    [InlineData("Fri, 31 Dec 9999 23:59:59 GMT", 86400)]
    [InlineData("86399", 86399)]
    [InlineData("Tue, 31 Dec 2019 00:00:00 GMT", 0)]
    public async Task Source_makes_a_row_wait_for_a_day_at_most(string asked, int seconds)
    {
        await using var server = RawServer.Replying($"HTTP/1.1 503 Later\r\nRetry-After: {asked}\r\nContent-Length: 0\r\n\r\n");
        using var reach = Reach();

        using var answer = await reach.RunAsync(new SourceRequest(server.BaseUrl), Stop);

        Assert.Equal(TimeSpan.FromSeconds(seconds), answer.RetryAfter);
    }

    [Fact]
    public async Task Connection_that_is_refused_is_unreachable()
    {
        using var closed = new TcpListener(IPAddress.Loopback, 0);
        closed.Start();
        var port = ((IPEndPoint)closed.LocalEndpoint).Port;
        closed.Stop();
        using var reach = Reach();

        using var answer = await reach.RunAsync(new SourceRequest(new Uri($"http://127.0.0.1:{port}/")), Stop);

        Assert.Equal(SourceProblem.Unreachable, answer.Problem);
    }

    [Theory]
    [InlineData("SSH-2.0-OpenSSH_9.9\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Le")]
    [InlineData("")]
    public async Task Answer_that_is_no_http_is_broken(string reply)
    {
        await using var server = RawServer.ReplyingOnceAndClosing(reply);
        using var reach = Reach();

        using var answer = await reach.RunAsync(new SourceRequest(server.BaseUrl), Stop);

        Assert.Equal(SourceProblem.Broken, answer.Problem);
    }

    [Fact]
    public async Task Https_without_tls_is_a_tls_failure()
    {
        using var reach = Reach();
        // A server that reads until the end of a head would wait for ever, since a TLS greeting has none: this one answers at once.
        await using var eager = new RawServer(connection => connection.WriteAsync("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"));

        using var answer = await reach.RunAsync(new SourceRequest(new Uri($"https://127.0.0.1:{eager.BaseUrl.Port}/")), Stop);

        Assert.Equal(SourceProblem.TlsFailed, answer.Problem);
    }

    [Fact]
    public async Task Silence_ends_at_the_time_limit()
    {
        var clock = new FakeTimeProvider();
        await using var server = new RawServer(async connection => { await connection.ReadRequestAsync(); await connection.HoldAsync(); });
        using var reach = Reach(clock: clock);

        var running = reach.RunAsync(new SourceRequest(server.BaseUrl), Stop);
        await server.NextRequestAsync();
        clock.Advance(ReachSource.AnswerTimeout);
        using var answer = await running;

        Assert.Equal(SourceProblem.TimedOut, answer.Problem);
    }

    [Fact]
    public async Task Body_that_stalls_ends_at_its_time_limit()
    {
        var clock = new FakeTimeProvider();
        await using var server = new RawServer(async connection =>
        {
            await connection.ReadRequestAsync();
            await connection.WriteAsync("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab");
            await connection.HoldAsync();
        });
        using var reach = Reach(clock: clock);
        using var answer = await reach.RunAsync(new SourceRequest(server.BaseUrl), Stop);
        var buffer = new byte[2];
        for (var read = 0; read < 2;) read += (await answer.ReadAsync(buffer.AsMemory(read), Stop)).Count;

        var reading = answer.ReadAsync(buffer, Stop).AsTask();
        clock.Advance(ReachSource.StallTimeout);

        Assert.Equal(new SourceRead(0, SourceProblem.TimedOut), await reading);
    }

    [Fact]
    public async Task Body_that_breaks_off_is_not_a_whole_file()
    {
        await using var server = RawServer.ReplyingOnceAndClosing("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab");
        using var reach = Reach();
        using var answer = await reach.RunAsync(new SourceRequest(server.BaseUrl), Stop);

        SourceRead read;
        do read = await answer.ReadAsync(new byte[16], Stop);
        while (read.Count > 0);

        Assert.Equal(SourceProblem.Broken, read.Problem);
    }

    [Theory]
    [InlineData("http://aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.test/")]
    [InlineData("http://xn--a.test/")]
    [InlineData("http://b\u00fccher.test/\u00e4 b")]
    [InlineData("http://under_score.test/")]
    public async Task Odd_name_is_an_answer_and_no_exception(string url)
    {
        using var reach = new ReachSource(Networks([]), Dns.GetHostAddressesAsync, TimeProvider.System);

        using var answer = await reach.RunAsync(new SourceRequest(new Uri(url)), Stop);

        Assert.Equal(SourceProblem.HostNotFound, answer.Problem);
    }

    [Fact]
    public async Task Caller_who_gives_up_is_obeyed()
    {
        await using var server = new RawServer(async connection => { await connection.ReadRequestAsync(); await connection.HoldAsync(); });
        using var reach = Reach();
        using var patience = new CancellationTokenSource();

        var running = reach.RunAsync(new SourceRequest(server.BaseUrl), patience.Token);
        await server.NextRequestAsync();
        await patience.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);
    }

    private static async Task<string> TextAsync(SourceAnswer answer)
    {
        var (bytes, buffer) = (new List<byte>(), new byte[3]);
        while (true)
        {
            var read = await answer.ReadAsync(buffer, Stop);
            Assert.Null(read.Problem);
            if (read.Count == 0) return Encoding.ASCII.GetString([.. bytes]);
            bytes.AddRange(buffer[..read.Count]);
        }
    }

    private static ReachSource Reach(string[]? allowed = null, Func<string, IPAddress[]>? resolve = null, TimeProvider? clock = null) =>
        new(Networks(allowed ?? ["127.0.0.0/8"]), (name, _) => Task.FromResult((resolve ?? Addresses)(name)), clock ?? TimeProvider.System);

    private static SourceNetworks Networks(string[] allowed) => new(Options.Create(new SourceOptions { AllowedNetworks = allowed }));

    private static IPAddress[] Addresses(string name) => name switch
    {
        "allowed.test" or "localhost" => [IPAddress.Loopback],
        "inner.test" => [IPAddress.Parse("10.0.0.1")],
        "half-inner.test" => [IPAddress.Parse("1.1.1.1"), IPAddress.Parse("10.0.0.1")],
        "inner6.test" => [IPAddress.Parse("fd00::1")],
        "localhost6.test" => [IPAddress.IPv6Loopback],
        _ => throw new SocketException((int)SocketError.HostNotFound),
    };
}
