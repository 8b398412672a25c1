using System.Net;
using System.Text;
using static Microsoft.Playwright.Assertions;

namespace BulkImporter.EndToEndTests;

/// <summary>
/// A page of another port of the same machine, in the browser of an admin who is signed in. To the browser's cookies both are one site.
/// </summary>
public sealed class ForeignPageTests : IAsyncDisposable
{
    private readonly Stage stage = new();

    public ValueTask DisposeAsync() => stage.DisposeAsync();

    [Fact]
    public async Task A_page_of_another_port_opens_no_live_connection_reads_nothing_and_a_link_on_it_works()
    {
        var (_, api) = await stage.ServeAsync(await stage.StartSimulatorAsync(), []);
        await using var browser = await OperatorBrowser.LaunchAsync();
        var admin = await browser.OpenAsync(api);
        await admin.GotoAsync(api.Address + "/keys");
        await Expect(admin.GetByTestId("new-key")).ToBeEnabledAsync();
        // Our own page may: it is alive, and only its live connection makes it so.
        Assert.Equal("open",
            await admin.EvaluateAsync<string>(Open, $"{api.Address.Replace("http", "ws", StringComparison.Ordinal)}/_blazor"));
        browser.HasNoErrors();

        using var neighbour = new HttpListener();
        var address = $"http://127.0.0.1:{FreePort.Take()}/";
        neighbour.Prefixes.Add(address);
        neighbour.Start();
        var serving = ServeAsync(neighbour, $"<!doctype html><a id=link href='{api.Address}/keys'>Look</a>");
        await admin.GotoAsync(address);

        Assert.Equal("refused",
            await admin.EvaluateAsync<string>(Open, $"{api.Address.Replace("http", "ws", StringComparison.Ordinal)}/_blazor"));
        foreach (var (method, path) in new[] { ("POST", "/_blazor/negotiate?negotiateVersion=1"), ("GET", "/_blazor?id=x"),
            ("GET", "/keys"), ("GET", "/api/v1/keys"), ("POST", "/api/v1/sign-in-links") })
        {
            // What a script asks for without reading the answer is sent with cookies all the same; the answer's status is seen beside the
            // page.
            var answered = admin.WaitForResponseAsync(r => r.Url == api.Address + path);
            await admin.EvaluateAsync("([url, method]) => fetch(url, { method, mode: 'no-cors', credentials: 'include' })",
                new[] { api.Address + path, method });
            Assert.Equal(403, (await answered).Status);
        }

        // A person who follows a link there is still signed in.
        await admin.ClickAsync("#link");
        await Expect(admin.GetByTestId("new-key")).ToBeEnabledAsync();
        neighbour.Stop();
        await serving;
    }

    private const string Open = """
        (url) => new Promise((done) => {
          const socket = new WebSocket(url);
          socket.onopen = () => { socket.close(); done('open'); };
          socket.onerror = () => done('refused');
        })
        """;

    private static async Task ServeAsync(HttpListener listener, string html)
    {
        try
        {
            while (true)
            {
                var context = await listener.GetContextAsync();
                context.Response.ContentType = "text/html";
                await context.Response.OutputStream.WriteAsync(Encoding.UTF8.GetBytes(html));
                context.Response.Close();
            }
        }
        catch (Exception e) when (e is HttpListenerException or ObjectDisposedException)
        {
            // It was stopped.
        }
    }
}
