using BulkImporter.Access;
using BulkImporter.Hosting;
using BulkImporter.Tests.Api;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.TestHost;
using Microsoft.Extensions.Configuration;

namespace BulkImporter.Tests.Hosting;

public sealed class OwnOriginTests(ImporterServer server) : IClassFixture<ImporterServer>
{
    [Theory]
    [InlineData("POST", null, null, true)]
    [InlineData("POST", "same-origin", "http://importer.local", true)]
    [InlineData("POST", "none", null, true)]
    [InlineData("POST", "same-site", "http://localhost:9", false)]
    [InlineData("POST", "cross-site", "http://evil.example", false)]
    [InlineData("POST", "cross-site navigate", "http://evil.example", false)]
    [InlineData("POST", null, "http://importer.local", true)]
    [InlineData("DELETE", null, "http://importer.local:81", false)]
    [InlineData("POST", null, "null", false)]
    // What a script of another site's page reads, and what it loads as a picture or a script.
    [InlineData("GET", "cross-site cors", "http://evil.example", false)]
    [InlineData("GET", "same-site no-cors", null, false)]
    [InlineData("GET", null, "http://evil.example", false)]
    [InlineData("HEAD", null, "http://importer.local:81", false)]
    [InlineData("OPTIONS", "cross-site cors", "http://evil.example", false)]
    // A link, and our own page's script.
    [InlineData("GET", "cross-site navigate", null, true)]
    [InlineData("GET", "same-origin cors", null, true)]
    [InlineData("GET", null, "http://importer.local", true)]
    [InlineData("GET", null, null, true)]
    public void Only_our_own_pages_and_programs_are_answered_and_a_link_of_another_site(
        string method, string? fetch, string? origin, bool isOwn)
    {
        var request = Request("http", "importer.local", origin);
        request.Method = method;
        if (fetch?.Split(' ') is [var site, .. var mode])
        {
            request.Headers["Sec-Fetch-Site"] = site;
            request.Headers["Sec-Fetch-Mode"] = mode.FirstOrDefault();
        }
        Assert.Equal(isOwn, OwnOrigin.IsOwn(request, Address()));
    }

    [Theory]
    [InlineData("http://127.0.0.1:5080", true)]
    [InlineData("http://127.0.0.1:5081", false)]
    [InlineData("http://localhost:5080", false)]
    [InlineData("http://127.0.0.1", false)]
    [InlineData("null", false)]
    [InlineData("file://", false)]
    [InlineData("chrome-extension://127.0.0.1:5080", false)]
    [InlineData("http://127.0.0.1:5080.evil.example", false)]
    public async Task A_live_connection_of_another_origin_is_refused(string origin, bool isOpened)
    {
        Assert.Equal(isOpened ? 101 : 403, await OpenAsync(server.Client(null).BaseAddress!, "127.0.0.1:5080", origin));
        // The same without a WebSocket: what SignalR asks first, and its long poll.
        foreach (var (method, path) in new[] { (HttpMethod.Post, "/_blazor/negotiate?negotiateVersion=1"),
            (HttpMethod.Get, "/_blazor?id=x"), (HttpMethod.Get, "/api/v1/imports") })
        {
            using var request = new HttpRequestMessage(method, path);
            request.Headers.Host = "127.0.0.1:5080";
            request.Headers.TryAddWithoutValidation("Origin", origin);
            using var answer = await server.Client(server.AdminKey).SendAsync(request, TestContext.Current.CancellationToken);
            Assert.Equal(!isOpened, (int)answer.StatusCode == 403);
        }
    }

    [Theory]
    [InlineData("https", "import.example", "https://import.example", true)]
    [InlineData("https", "import.example:443", "https://import.example", true)]
    [InlineData("https", "IMPORT.example", "https://import.example", true)]
    [InlineData("https", "import.example", "http://import.example", false)]
    [InlineData("https", "import.example", "https://www.import.example", false)]
    [InlineData("https", "import.example", "https://example", false)]
    [InlineData("https", "import.example:8443", "https://import.example", false)]
    // A proxy that ends TLS and was not named.
    [InlineData("http", "import.example", "https://import.example", true)]
    [InlineData("http", "import.example:8080", "https://import.example:8080", true)]
    // A proxy that asks under a name of its own: the setting says where the pages are.
    [InlineData("http", "10.0.0.7:5080", "https://pages.example", true)]
    [InlineData("http", "10.0.0.7:5080", "https://pages.example:8443", false)]
    [InlineData("http", "10.0.0.7:5080", "http://pages.example", false)]
    public void Our_own_origin_is_right_behind_a_proxy(string scheme, string host, string origin, bool isOwn) =>
        Assert.Equal(isOwn, OwnOrigin.IsOwn(Request(scheme, host, origin), Address("https://pages.example/media/import")));

    [Fact]
    public async Task Files_that_hold_nothing_secret_are_given_to_everybody()
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/favicon.svg");
        request.Headers.Add("Origin", "http://evil.example");
        using var answer = await server.Client(null).SendAsync(request, TestContext.Current.CancellationToken);
        Assert.Equal(200, (int)answer.StatusCode);
    }

    [Theory]
    [InlineData("/sign-in", "", 400)]
    [InlineData("/sign-in", "a b", 400)]
    [InlineData("/sign-in", "[::1]:5080", 200)]
    [InlineData("/sign-in", "import_er.example", 200)]
    // A probe of HTTP/1.0 names no host.
    [InlineData("/health/live", "", 200)]
    [InlineData("/api/v1/imports", "", 401)]
    public async Task A_page_needs_the_name_of_a_host(string path, string host, int status)
    {
        var answer = await server.App.GetTestServer().SendAsync(context =>
            (context.Request.Method, context.Request.Path, context.Request.Host) = ("GET", path, new HostString(host)),
            TestContext.Current.CancellationToken);
        Assert.Equal(status, answer.Response.StatusCode);
    }

    private static HttpRequest Request(string scheme, string host, string? origin)
    {
        var request = new DefaultHttpContext().Request;
        (request.Method, request.Scheme, request.Host) = ("GET", scheme, new HostString(host));
        if (origin is not null) request.Headers.Origin = origin;
        return request;
    }

    private static OwnAddress Address(string? pages = null) =>
        new(new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?> { [OwnAddress.PagesKey] = pages }).Build());

    /// <summary>The status that a WebSocket with an admin's key is answered.</summary>
    private async Task<int> OpenAsync(Uri address, string host, string origin)
    {
        var client = server.App.GetTestServer().CreateWebSocketClient();
        client.ConfigureRequest = request =>
        {
            request.Host = new HostString(host);
            request.Headers.Origin = origin;
            request.Headers.Authorization = "Bearer " + server.AdminKey;
        };
        try
        {
            using var socket = await client.ConnectAsync(new Uri(address, "/_blazor"), TestContext.Current.CancellationToken);
            return 101;
        }
        catch (InvalidOperationException refused) when (refused.Message.Contains("403", StringComparison.Ordinal))
        {
            return 403;
        }
    }
}
