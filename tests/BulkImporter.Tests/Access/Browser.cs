using System.Net;
using System.Text.RegularExpressions;
using BulkImporter.Tests.Api;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.TestHost;

namespace BulkImporter.Tests.Access;

/// <summary>Keeps cookies and follows nothing.</summary>
internal sealed partial class Browser(ImporterServer server, string address = "http://localhost/")
{
    private readonly CookieContainer cookies = new();
    private readonly Uri address = new(address);

    /// <summary>Cookies as they were set, the latest last.</summary>
    public List<string> Received { get; } = [];

    /// <param name="elsewhere">Another server than the fixture's.</param>
    public Task<(int Status, string Body, string? Location)> GetAsync(string path, WebApplication? elsewhere = null) =>
        SendAsync(new HttpRequestMessage(HttpMethod.Get, path), elsewhere);

    public Task<(int Status, string Body, string? Location)> PostAsync(string path, Dictionary<string, string> form) =>
        SendAsync(new HttpRequestMessage(HttpMethod.Post, path) { Content = new FormUrlEncodedContent(form) });

    public Task<(int Status, string Body, string? Location)> SignInWithKeyAsync(string key, string returnUrl = "/") =>
        FillAsync("/sign-in?with=key", "/sign-in", new() { ["key"] = key, ["returnUrl"] = returnUrl });

    public Task<(int Status, string Body, string? Location)> SignInAsync(string name, string password) =>
        FillAsync("/sign-in", "/sign-in", new() { ["name"] = name, ["password"] = password });

    /// <summary>Opens a sign-in link and presses its button.</summary>
    public Task<(int Status, string Body, string? Location)> FollowLinkAsync(string link) => FillAsync(link, "/sign-in/once", []);

    /// <summary>What would be sent with the next request: a copy of it is as good as the browser.</summary>
    public string Cookies => cookies.GetCookieHeader(address);

    /// <summary>Opens a page and sends its form with these fields and its hidden ones.</summary>
    public async Task<(int Status, string Body, string? Location)> FillAsync(string page, string action, Dictionary<string, string> fields)
    {
        var shown = await GetAsync(page);
        foreach (Match hidden in Hidden().Matches(shown.Body))
            fields.TryAdd(hidden.Groups[1].Value, WebUtility.HtmlDecode(hidden.Groups[2].Value));
        return await PostAsync(action, fields);
    }

    private async Task<(int Status, string Body, string? Location)> SendAsync(HttpRequestMessage request, WebApplication? elsewhere = null)
    {
        using var client = elsewhere?.GetTestClient() ?? server.Client(null);
        client.BaseAddress = address;
        if (cookies.GetCookieHeader(new Uri(address, request.RequestUri!)) is { Length: > 0 } header) request.Headers.Add("Cookie", header);
        using var response = await client.SendAsync(request, TestContext.Current.CancellationToken);
        if (response.Headers.TryGetValues("Set-Cookie", out var set))
        {
            foreach (var cookie in set)
            {
                Assert.Contains("httponly", cookie, StringComparison.OrdinalIgnoreCase);
                Received.Add(cookie);
                cookies.SetCookies(new Uri(address, request.RequestUri!), cookie);
            }
        }
        return ((int)response.StatusCode, await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken),
            response.Headers.Location?.OriginalString);
    }

    [GeneratedRegex("type=\"hidden\" name=\"([^\"]+)\" value=\"([^\"]*)\"")]
    private static partial Regex Hidden();
}
