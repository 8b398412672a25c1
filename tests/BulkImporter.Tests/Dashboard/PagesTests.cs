using System.Globalization;
using System.Net;
using System.Text.RegularExpressions;
using BulkImporter.Imports;
using BulkImporter.Records;
using BulkImporter.Tests.Api;

namespace BulkImporter.Tests.Dashboard;

public sealed partial class PagesTests(ImporterServer server) : IClassFixture<ImporterServer>
{
    private static readonly RecordState[] Mixed =
    [
        RecordState.Imported, RecordState.Imported, RecordState.Failed, RecordState.Failed, RecordState.Unknown, RecordState.Invalid, RecordState.Duplicate, RecordState.Pending,
    ];

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("/")]
    [InlineData("/imports/{0}")]
    [InlineData("/imports/{0}/records")]
    [InlineData("/imports/{0}/records/3")]
    [InlineData("/hangfire")]
    public async Task A_page_is_shown_to_a_viewer_and_leads_to_the_sign_in_without_a_session(string page)
    {
        var id = await server.Database.ImportAsync(ImportState.Running, Mixed);
        var path = string.Format(CultureInfo.InvariantCulture, page, id);

        using var shown = await server.Client(server.ViewerKey).GetAsync(path, Token);
        Assert.Equal(HttpStatusCode.OK, shown.StatusCode);

        using var refused = await server.Client(null).GetAsync(path, Token);
        Assert.Equal(HttpStatusCode.Redirect, refused.StatusCode);
        Assert.Equal("/sign-in", refused.Headers.Location?.AbsolutePath);
    }

    [Fact]
    public async Task An_import_shows_its_counts_and_its_bar_in_true_proportion()
    {
        var id = await server.Database.ImportAsync(ImportState.Running, Mixed);
        var html = await GetAsync(server.ViewerKey, $"/imports/{id}");
        Assert.Equal("2", Count(html, "imported"));
        Assert.Equal("2", Count(html, "failed"));
        Assert.Equal("1", Count(html, "unknown"));
        Assert.Equal("1", Count(html, "pending"));
        Assert.Equal("1", Count(html, "invalid"));
        Assert.Equal("1", Count(html, "duplicate"));
        Assert.Equal("87.5 %", TestId(html, "percent"));
        Assert.Equal(
            ["imported 25", "pending 12.5", "unknown 12.5", "failed 25", "skipped 25"],
            Part().Matches(html).Select(m => $"{m.Groups[1].Value} {m.Groups[2].Value}"));
    }

    [Theory]
    [InlineData(ImportState.Running, "pause cancel rerun-failed")]
    [InlineData(ImportState.Paused, "resume cancel rerun-failed")]
    [InlineData(ImportState.Review, "start cancel rerun-failed")]
    [InlineData(ImportState.Finished, "rerun-failed")]
    public async Task An_operator_finds_the_actions_of_the_state_and_a_viewer_none(ImportState state, string actions)
    {
        var id = await server.Database.ImportAsync(state, Mixed);
        string[] all = ["start", "pause", "resume", "cancel", "rerun-failed"];
        var html = await GetAsync(server.OperatorKey, $"/imports/{id}");
        Assert.Equal(actions.Split(' ').Order(), all.Where(a => Has(html, a)).Order());
        var seen = await GetAsync(server.ViewerKey, $"/imports/{id}");
        Assert.DoesNotContain(all.Append("rerun-code"), a => Has(seen, a));
        Assert.Equal(state is not ImportState.Review, Has(seen, "export"));
    }

    [Fact]
    public async Task The_upload_is_for_operators_and_a_viewer_is_told_so()
    {
        Assert.True(Has(await GetAsync(server.OperatorKey, "/upload"), "upload-submit"));
        using var refused = await server.Client(server.ViewerKey).GetAsync("/upload", Token);
        Assert.Equal(HttpStatusCode.Forbidden, refused.StatusCode);
        Assert.Contains("Your role does not allow this", await refused.Content.ReadAsStringAsync(Token), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_list_of_records_shows_what_its_address_selects()
    {
        var id = await server.Database.ImportAsync(ImportState.Finished, Mixed);
        var html = await GetAsync(server.OperatorKey, $"/imports/{id}/records?state=failed&code=source_not_found");
        Assert.Equal(["3", "4"], Row().Matches(html).Select(m => m.Groups[1].Value));
        Assert.Matches("value=\"source_not_found\"[^>]*selected", html);
        Assert.Contains($"/api/v1/imports/{id}/results?state=failed&amp;code=source_not_found", html, StringComparison.Ordinal);
        Assert.True(Has(html, "rerun-selection"));
        Assert.Equal(["1"], Row().Matches(await GetAsync(server.ViewerKey, $"/imports/{id}/records?search=Clip+1")).Select(m => m.Groups[1].Value));
    }

    [Fact]
    public async Task A_page_that_does_not_exist_is_404_and_says_so()
    {
        using var answer = await server.Client(server.ViewerKey).GetAsync("/nope/nothing", Token);
        Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
        Assert.Contains("There is no such page", await answer.Content.ReadAsStringAsync(Token), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_page_loads_nothing_from_elsewhere_and_tells_the_browser_not_to()
    {
        using var answer = await server.Client(server.ViewerKey).GetAsync("/", Token);
        var html = await answer.Content.ReadAsStringAsync(Token);
        Assert.NotEmpty(Loaded().Matches(html));
        Assert.All(Loaded().Matches(html), m => Assert.DoesNotContain("//", m.Groups[1].Value, StringComparison.Ordinal));
        Assert.Contains("script-src 'self';", answer.Headers.GetValues("Content-Security-Policy").Single(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Hangfires_jobs_are_changed_by_an_operator_with_the_pages_token_only()
    {
        Assert.NotEqual(HttpStatusCode.NoContent, await DeleteJobsAsync(server.ViewerKey, withToken: true));
        Assert.NotEqual(HttpStatusCode.NoContent, await DeleteJobsAsync(server.OperatorKey, withToken: false));
        Assert.Equal(HttpStatusCode.NoContent, await DeleteJobsAsync(server.OperatorKey, withToken: true));
    }

    private async Task<HttpStatusCode> DeleteJobsAsync(string key, bool withToken)
    {
        using var page = await server.Client(key).GetAsync("/hangfire", Token);
        var html = await page.Content.ReadAsStringAsync(Token);
        using var request = new HttpRequestMessage(HttpMethod.Post, "/hangfire/jobs/failed/delete") { Content = new FormUrlEncodedContent([new("jobs[]", "999999")]) };
        if (withToken)
        {
            // Hangfire tells its script the header's name and the token in the page's head.
            var token = HangfireToken().Match(html);
            Assert.True(token.Success, "The page holds no antiforgery token.");
            request.Headers.Add(token.Groups[1].Value, token.Groups[2].Value);
            request.Headers.Add("Cookie", page.Headers.GetValues("Set-Cookie").Select(c => c.Split(';')[0]));
        }
        using var answer = await server.Client(key).SendAsync(request, Token);
        return answer.StatusCode;
    }

    private async Task<string> GetAsync(string key, string path)
    {
        using var answer = await server.Client(key).GetAsync(path, Token);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        return await answer.Content.ReadAsStringAsync(Token);
    }

    private static string Count(string html, string state) => TestId(html, "count-" + state);

    private static string TestId(string html, string id) => Regex.Match(html, $"data-testid=\"{id}\"[^>]*>([^<]*)<").Groups[1].Value;

    private static bool Has(string html, string id) => html.Contains($"data-testid=\"{id}\"", StringComparison.Ordinal);

    [GeneratedRegex("part part-(\\w+)\" style=\"width:([\\d.]+)%")]
    private static partial Regex Part();

    [GeneratedRegex("data-testid=\"record\" data-row=\"(\\d+)\"")]
    private static partial Regex Row();

    [GeneratedRegex("<(?:script|link|img)[^>]*(?:src|href)=\"([^\"]*)\"")]
    private static partial Regex Loaded();

    [GeneratedRegex("csrf-header\" content=\"([^\"]+)\">\\s*<meta name=\"csrf-token\" content=\"([^\"]+)\"")]
    private static partial Regex HangfireToken();
}
