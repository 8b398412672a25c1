using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text.RegularExpressions;

namespace BulkImporter.EndToEndTests;

/// <summary>Bodies of people whom nobody knows, against a real server.</summary>
public sealed partial class AnonymousBodyTests : IAsyncDisposable
{
    private const int Large = 28 * 1024 * 1024;

    private readonly Stage stage = new();

    public ValueTask DisposeAsync() => stage.DisposeAsync();

    [Fact]
    public async Task Large_bodies_of_nobody_cost_no_memory_and_an_upload_needs_somebody_who_may()
    {
        var (server, api) = await stage.ServeAsync(await stage.StartSimulatorAsync(), new()
        { ["BulkImporter__Access__SignInsPerMinute"] = "1000" });
        using var http = new HttpClient { BaseAddress = new Uri(api.Address) };
        await http.GetAsync("/sign-in");
        var before = Resident(server);

        foreach (var path in new[] { "/no/such/page", "/not-found", "/problem/404", "/sign-in", "/choose-password", "/sign-out",
            "/hangfire/x", "/api/v1/imports", "/api/v1/no-such" })
        {
            var answers = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => SendAsync(http, path, null)));
            Assert.All(answers, status =>
                Assert.True(status is null or >= (HttpStatusCode)400 or HttpStatusCode.Found, $"{path}: {status}"));
        }

        var grown = Resident(server) - before;
        Assert.True(grown < 150, $"The server took {grown} MB more.");

        // A viewer may not upload either, and an operator may: more than the small limit.
        Assert.Equal(HttpStatusCode.Forbidden, await SendAsync(http, "/api/v1/imports", await api.MakeKeyAsync("viewer"), 100_000));
        // On a connection of its own: the server closes one on which it refused a body without reading it.
        using var another = new HttpClient { BaseAddress = http.BaseAddress };
        Assert.Equal(HttpStatusCode.Created, await SendAsync(another, "/api/v1/imports?fileName=m.csv", api.Key, 100_000));
    }

    [Fact]
    public async Task An_answer_does_not_say_which_server_it_is()
    {
        var (_, api) = await stage.ServeAsync(await stage.StartSimulatorAsync(), []);
        using var http = new HttpClient();
        using var answer = await http.GetAsync(api.Address + "/sign-in");
        Assert.False(answer.Headers.Contains("Server"));
    }

    /// <summary>Null when the server closed the connection while it was sent.</summary>
    private static async Task<HttpStatusCode?> SendAsync(HttpClient http, string path, string? key, int size = Large)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = new ByteArrayContent(Body(size)) };
        request.Content.Headers.ContentType = new(key is null ? "application/x-www-form-urlencoded" : "text/csv");
        if (key is not null) request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", key);
        try
        {
            using var answer = await http.SendAsync(request);
            return answer.StatusCode;
        }
        catch (HttpRequestException)
        {
            return null;
        }
    }

    private static byte[] Body(int size)
    {
        var body = new byte[size];
        Array.Fill(body, (byte)'a');
        "url\nhttps://media.example.com/a.mp4?"u8.CopyTo(body);
        return body;
    }

    /// <summary>In MB.</summary>
    private static int Resident(RunningProgram server) =>
        int.Parse(Rss().Match(File.ReadAllText($"/proc/{server.Id}/status")).Groups[1].Value, CultureInfo.InvariantCulture) / 1024;

    [GeneratedRegex(@"VmRSS:\s+(\d+)")]
    private static partial Regex Rss();
}
