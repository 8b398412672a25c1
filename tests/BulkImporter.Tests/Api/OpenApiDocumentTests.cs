using System.Net;
using System.Text.Json;
using System.Text.RegularExpressions;
using BulkImporter.Api;

namespace BulkImporter.Tests.Api;

/// <summary>What the API says of itself, in its document, its page and docs/api.md.</summary>
public sealed partial class OpenApiDocumentTests(ImporterServer server) : IClassFixture<ImporterServer>
{
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true, NewLine = "\n" };

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Document_is_the_one_that_is_checked_in()
    {
        var (_, document) = await server.GetAsync(server.ViewerKey, "/openapi/v1.json");
        var served = document!.ToJsonString(Indented) + "\n";
        if (Environment.GetEnvironmentVariable("BULKIMPORTER_WRITE_OPENAPI") is { Length: > 0 } path)
        {
            await File.WriteAllTextAsync(path, served, Token);
            return;
        }

        var checkedIn = await File.ReadAllTextAsync(Path.Combine(AppContext.BaseDirectory, "docs", "openapi.json"), Token);
        Assert.True(checkedIn == served,
            "docs/openapi.json is not the document that the API serves. Type: ./run reference, and look at what "
                + $"changed.\n{FirstDifference(checkedIn, served)}");
    }

    [Fact]
    public async Task Every_operation_says_what_it_does_and_whom_it_refuses()
    {
        var (_, document) = await server.GetAsync(server.ViewerKey, "/openapi/v1.json");
        foreach (var (path, operations) in document!["paths"]!.AsObject())
        {
            foreach (var (method, operation) in operations!.AsObject())
            {
                Assert.False(string.IsNullOrWhiteSpace((string?)operation!["summary"]), $"{method} {path} has no summary");
                Assert.NotNull(operation["responses"]!["401"]);
                Assert.NotNull(operation["responses"]!["403"]);
            }
        }
    }

    [Fact]
    public async Task Problem_types_are_those_of_the_documentation()
    {
        var text = await File.ReadAllTextAsync(Path.Combine(AppContext.BaseDirectory, "docs", "api.md"), Token);
        var section = text[text.IndexOf("## Problems", StringComparison.Ordinal)..];
        section = section[..section.IndexOf("\n## ", 3, StringComparison.Ordinal)];
        Assert.Equal(ProblemType.All.Order(), FirstCell().Matches(section).Select(m => m.Groups[1].Value).Order());
    }

    [Fact]
    public async Task Page_is_browsed_behind_the_sign_in_and_without_the_internet()
    {
        Assert.NotEqual(HttpStatusCode.OK, (await server.Client(null).GetAsync("/scalar/", Token)).StatusCode);
        var viewer = server.Client(server.ViewerKey);
        var page = await viewer.GetStringAsync("/scalar/", Token);

        var assets = Asset().Matches(page).Select(m => m.Groups[1].Value).ToList();
        Assert.NotEmpty(assets);
        foreach (var asset in assets)
        {
            Assert.DoesNotContain("//", asset, StringComparison.Ordinal);
            using var answer = await viewer.GetAsync(new Uri(new Uri("http://localhost/scalar/"), asset), Token);
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        }

        // And should a script of it try: the browser is told to load nothing from elsewhere.
        using var head = await viewer.GetAsync("/scalar/", Token);
        Assert.Contains("connect-src 'self'", string.Join(' ', head.Headers.GetValues("Content-Security-Policy")),
            StringComparison.Ordinal);
        Assert.Contains("font-src 'self' data:", string.Join(' ', head.Headers.GetValues("Content-Security-Policy")),
            StringComparison.Ordinal);
    }

    private static string FirstDifference(string old, string now)
    {
        var (before, after) = (old.Split('\n'), now.Split('\n'));
        var line = before.Zip(after).TakeWhile(pair => pair.First == pair.Second).Count();
        return $"Line {line + 1}: \"{before.ElementAtOrDefault(line)}\" is now \"{after.ElementAtOrDefault(line)}\"";
    }

    [GeneratedRegex("^\\| `([^`]+)`", RegexOptions.Multiline)]
    private static partial Regex FirstCell();

    [GeneratedRegex("(?:src|href)=\"([^\"]+)\"")]
    private static partial Regex Asset();
}
