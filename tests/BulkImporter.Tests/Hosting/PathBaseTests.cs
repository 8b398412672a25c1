using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using BulkImporter.Access;
using BulkImporter.Dispatch;
using BulkImporter.Imports;
using BulkImporter.Records;
using BulkImporter.Tests.Api;
using Hangfire;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.TestHost;
using Microsoft.Extensions.DependencyInjection;

namespace BulkImporter.Tests.Hosting;

/// <summary>All pages, answers and redirects below a path of another site.</summary>
public sealed partial class PathBaseTests(ImporterServer server) : IClassFixture<ImporterServer>
{
    private const string Site = "/media/import";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Every_page_can_be_reached_from_the_first_one_and_none_leads_out_of_the_path()
    {
        await using var app = await StartAsync();
        using var client = Client(app, server.AdminKey);
        var running = await server.Database.ImportAsync(ImportState.Running,
            [RecordState.Imported, RecordState.Failed, RecordState.Unknown]);
        using var manifest = new StringContent("url,caption\nhttps://media.example.com/a.mp4,A\n", Encoding.UTF8, "text/csv");
        using var made = await client.PostAsync($"{Site}/api/v1/imports?fileName=m.csv", manifest, Token);
        Assert.Equal($"{Site}/api/v1/imports/{running + 1}", made.Headers.Location?.OriginalString);

        var job = app.Services.GetRequiredService<IBackgroundJobClient>()
            .Enqueue<DispatchChunk>(d => d.RunAsync(running, 1, "Library, rows 1-3", CancellationToken.None));

        var found = new HashSet<string>();
        var queue =
            new Queue<string>([$"{Site}/", $"{Site}/upload", $"{Site}/people", $"{Site}/keys", $"{Site}/audit", $"{Site}/notifications", $"{Site}/me",
                $"{Site}/hangfire", $"{Site}/hangfire/jobs/details/{job}", $"{Site}/sign-in", $"{Site}/nope"]);
        while (queue.TryDequeue(out var page))
        {
            using var answer = await client.GetAsync(page, Token);
            var address = new Uri(client.BaseAddress!, page);
            if (answer.Headers.Location is { } moved)
            {
                Follow(new Uri(address, moved));
                continue;
            }
            Assert.True(answer.StatusCode == HttpStatusCode.OK
                || page.EndsWith("/nope", StringComparison.Ordinal), $"{page}: {answer.StatusCode}");
            if (answer.Content.Headers.ContentType?.MediaType != "text/html") continue;
            var html = await answer.Content.ReadAsStringAsync(Token);
            var to = Base().Match(html) is { Success: true } named ? new Uri(address, named.Groups[1].Value) : address;
            foreach (var link in Address().Matches(html).Select(m => WebUtility.HtmlDecode(m.Groups[2].Value))
                .Where(l => !l.StartsWith('#') && !l.StartsWith("data:", StringComparison.Ordinal)))
            {
                var target = new Uri(to, link);
                // The sources of records, their assets at Cincopa, and Hangfire's own site in the foot of its pages.
                if (target.Host is "media.example" or "rt.cincopa.com" || target.Host.EndsWith("hangfire.io", StringComparison.Ordinal))
                    continue;
                Follow(target, IsOrder(link));
            }

            void Follow(Uri target, bool isOrder = false)
            {
                Assert.True(target.Host == address.Host
                    && $"{target.AbsolutePath}/".StartsWith($"{Site}/", StringComparison.Ordinal), $"{page} leads to {target}");
                if (!isOrder && found.Add(target.PathAndQuery)) queue.Enqueue(target.PathAndQuery);
            }
        }
        string[] expected =
        [
            $"{Site}/imports/{running}", $"{Site}/imports/{running}/records/2", $"{Site}/imports/{running + 1}", $"{Site}/accounts",
            $"{Site}/scalar",
            $"{Site}/hangfire/imports", $"{Site}/hangfire/jobs/enqueued", $"{Site}/favicon.svg",
        ];
        Assert.All(expected, page => Assert.Contains(page, found));
    }

    [Fact]
    public async Task Whoever_has_to_sign_in_comes_back_to_where_he_was_and_never_to_another_site_of_the_host()
    {
        await using var app = await StartAsync();
        using var nobody = Client(app, null);
        Assert.Equal($"{Site}/sign-in?ReturnUrl={Uri.EscapeDataString($"{Site}/accounts")}",
            (await LocationAsync(nobody, $"{Site}/accounts"))?.PathAndQuery);
        Assert.Equal($"{Site}/sign-in?ReturnUrl={Uri.EscapeDataString($"{Site}/accounts")}",
            (await LocationAsync(nobody, "/accounts"))?.PathAndQuery);
        Assert.Equal($"{Site}/sign-in?ReturnUrl={Uri.EscapeDataString($"{Site}/hangfire/retries")}",
            (await LocationAsync(nobody, $"{Site}/hangfire/retries"))?.PathAndQuery);
        Assert.Contains($"name=\"returnUrl\" value=\"{Site}/accounts\"",
            await nobody.GetStringAsync($"{Site}/sign-in?returnUrl={Site}/accounts", Token), StringComparison.Ordinal);
        foreach (var elsewhere in new[] { "/", "/media", "/media/imports", "//evil.example", "https://evil.example" })
            Assert.Contains($"name=\"returnUrl\" value=\"{Site}/\"",
                await nobody.GetStringAsync($"{Site}/sign-in?returnUrl={Uri.EscapeDataString(elsewhere)}", Token),
                StringComparison.Ordinal);
    }

    [Fact]
    public async Task Links_that_let_somebody_in_begin_with_the_path_and_so_do_the_redirects_and_the_cookie()
    {
        await using var app = await StartAsync();
        using var admin = Client(app, server.AdminKey);
        using var order = new StringContent("{}", Encoding.UTF8, "application/json");
        using var made = await admin.PostAsync($"{Site}/api/v1/sign-in-links", order, Token);
        var link = new Uri((string)JsonNode.Parse(await made.Content.ReadAsStringAsync(Token))!["url"]!);
        Assert.StartsWith($"{Site}/sign-in/once?code=", link.PathAndQuery, StringComparison.Ordinal);
        using var nobody = Client(app, null);
        using var shown = await nobody.GetAsync(link, Token);
        var form = Hidden().Matches(await shown.Content.ReadAsStringAsync(Token))
            .ToDictionary(m => m.Groups[1].Value, m => WebUtility.HtmlDecode(m.Groups[2].Value));
        using var press = new HttpRequestMessage(HttpMethod.Post, $"{Site}/sign-in/once") { Content = new FormUrlEncodedContent(form) };
        press.Headers.Add("Cookie", shown.Headers.GetValues("Set-Cookie").Select(c => c.Split(';')[0]));
        using var entered = await nobody.SendAsync(press, Token);
        Assert.Equal($"{Site}/", entered.Headers.Location?.OriginalString);
        Assert.Contains($"path={Site};", string.Concat(entered.Headers.GetValues("Set-Cookie")), StringComparison.Ordinal);

        using var invitation = new StringContent("""{"name":"paula","role":"viewer"}""", Encoding.UTF8, "application/json");
        using var invited = await admin.PostAsync($"{Site}/api/v1/users", invitation, Token);
        Assert.Equal($"{Site}/api/v1/users/paula", invited.Headers.Location?.OriginalString);
        Assert.StartsWith($"http://localhost{Site}/choose-password?code=",
            (string?)JsonNode.Parse(await invited.Content.ReadAsStringAsync(Token))!["link"]!["url"], StringComparison.Ordinal);

        // Hangfire's first page has one address: what its numbers link to is relative to it.
        Assert.Equal($"{Site}/hangfire", (await LocationAsync(admin, $"{Site}/hangfire/"))?.OriginalString);
    }

    private Task<WebApplication> StartAsync() => server.StartAnotherAsync(new() { [OwnAddress.PagesKey] = "http://localhost" + Site });

    private static HttpClient Client(WebApplication app, string? key)
    {
        var client = app.GetTestClient();
        if (key is not null) client.DefaultRequestHeaders.Authorization = new("Bearer", key);
        return client;
    }

    private static async Task<Uri?> LocationAsync(HttpClient client, string path)
    {
        using var answer = await client.GetAsync(path, Token);
        return answer.Headers.Location;
    }

    /// <summary>What only a POST is for, and the live connection.</summary>
    private static bool IsOrder(string link) =>
        link.EndsWith("sign-out", StringComparison.Ordinal) || link.EndsWith("api/v1/imports", StringComparison.Ordinal)
            || link.Contains("/delete", StringComparison.Ordinal)
        || link.Contains("/requeue", StringComparison.Ordinal) || link.EndsWith("/rerun-failed", StringComparison.Ordinal)
            || link.EndsWith("/stats", StringComparison.Ordinal);

    [GeneratedRegex("type=\"hidden\" name=\"([^\"]+)\" value=\"([^\"]*)\"")]
    private static partial Regex Hidden();

    [GeneratedRegex("<base href=\"([^\"]*)\"")]
    private static partial Regex Base();

    [GeneratedRegex("<(a|img|script|link|form|button|div)\\b[^>]*?\\s(?:href|src|action|data-url|data-live|data-rerun)=\"([^\"]*)\"")]
    private static partial Regex Address();
}
