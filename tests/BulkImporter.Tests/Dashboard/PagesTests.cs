using System.Globalization;
using System.Net;
using System.Text.RegularExpressions;
using BulkImporter.Dashboard;
using BulkImporter.Imports;
using BulkImporter.Parse;
using BulkImporter.Records;
using BulkImporter.Tests.Api;
using BulkImporter.Tests.Manifests;
using Cincopa.Client;
using Microsoft.Extensions.DependencyInjection;

namespace BulkImporter.Tests.Dashboard;

public sealed partial class PagesTests(ImporterServer server) : IClassFixture<ImporterServer>
{
    private static readonly RecordState[] Mixed =
    [
        RecordState.Imported, RecordState.Imported, RecordState.Failed, RecordState.Failed, RecordState.Unknown, RecordState.Invalid,
        RecordState.Duplicate, RecordState.Pending,
    ];

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(3, "Nothing has been sent yet. Check what was found below, then start.")]
    [InlineData(0, "No row can be sent. See below why, and what you can do.")]
    public void A_review_says_to_start_only_when_there_is_something_to_send(int pending, string sentence) => Assert.Equal(sentence,
        Words.NextStep(ImportState.Review, new StateCounts(pending, 0, 0, 0, 0, 0, 0, 4, 0, 0), new ArrivalCounts(0, 0, 0, 0, 0)));

    [Theory]
    [InlineData("/")]
    [InlineData("/imports/{0}")]
    [InlineData("/imports/{0}/records")]
    [InlineData("/imports/{0}/records/3")]
    [InlineData("/accounts")]
    [InlineData("/me")]
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
        // Of six records that are work five have ended; what is invalid or a duplicate is neither.
        Assert.Equal("83.3 %", TestId(html, "percent"));
        Assert.Equal(
            ["imported 25", "pending 12.5", "unknown 12.5", "failed 25", "skipped 25"],
            Part().Matches(html).Select(m => $"{m.Groups[1].Value} {m.Groups[2].Value}"));
    }

    [Theory]
    [InlineData(ImportState.Cancelled, RecordState.Cancelled, "25 %", "Cancelled, 3 not sent", "3 records were not sent.")]
    [InlineData(ImportState.Finished, RecordState.Failed, "100 %", "Finished, 3 failed", "3 records failed.")]
    [InlineData(ImportState.Finished, RecordState.Unknown, "100 %", "Finished, 3 in doubt", "3 records are in doubt:")]
    [InlineData(ImportState.Finished, RecordState.Invalid, "100 %", "Finished", "3 rows could not be sent.")]
    [InlineData(ImportState.Finished, RecordState.Imported, "100 %", "Finished", "Nothing is left to do.")]
    public async Task An_end_says_how_much_was_sent_and_what_is_left_to_do(
        ImportState state, RecordState three, string percent, string chip, string next)
    {
        var id = await server.Database.ImportAsync(state, [RecordState.Imported, three, three, three]);
        var html = await GetAsync(server.ViewerKey, $"/imports/{id}");
        Assert.Equal(percent, TestId(html, "percent"));
        Assert.Equal(chip, TestId(html, "import-state"));
        Assert.StartsWith(next, TestId(html, "next-step"), StringComparison.Ordinal);
        Assert.Equal(three is RecordState.Failed or RecordState.Unknown, html.Contains("chip-troubled", StringComparison.Ordinal));
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

    [Theory]
    [InlineData(ImportState.Finished, RecordState.Imported, true, true)]
    [InlineData(ImportState.Cancelled, RecordState.Imported, true, true)]
    [InlineData(ImportState.Finished, RecordState.Deleted, false, true)]
    [InlineData(ImportState.Running, RecordState.Imported, false, false)]
    public async Task An_admin_finds_the_undo_where_there_is_something_to_undo(ImportState state, RecordState record, bool undo, bool delete)
    {
        var id = await server.Database.ImportAsync(state, [record]);
        var html = await GetAsync(server.AdminKey, $"/imports/{id}");
        Assert.Equal((undo, delete), (Has(html, "undo"), Has(html, "delete")));
        Assert.False(Has(await GetAsync(server.OperatorKey, $"/imports/{id}"), "undo"));
    }

    [Fact]
    public async Task An_undo_under_way_and_what_it_could_not_delete_are_told()
    {
        var id = await server.Database.ImportAsync(ImportState.Finished,
            [RecordState.Imported, RecordState.Imported, RecordState.Deleted, RecordState.Imported]);
        await server.Database.SqlAsync("UPDATE importer.import SET undo_ordered_at = now() WHERE id = $1", id);
        foreach (var (row, state, message) in new[] { (1, "pending", null), (2, "failed", "The token may not do this.") })
            await server.Database.SqlAsync(
                "INSERT INTO importer.record_undo (import_id, row_number, account_id, rid, state, next_at, failed_count, in_doubt, "
                    + "error_code, error_message) SELECT $1, $2, account_id, 'rid' || $2::text, $3, now(), 0, false, 'permission_missing', $4 "
                    + "FROM importer.import WHERE id = $1", id, row, state, message);
        var html = await GetAsync(server.AdminKey, $"/imports/{id}");
        Assert.Contains("1 asset is still to be deleted", html, StringComparison.Ordinal);
        Assert.False(Has(html, "undo") || Has(html, "delete"));
        Assert.Equal("1", TestId(html, "count-deleted"));
        Assert.Contains("1 asset was not deleted by the undo", html, StringComparison.Ordinal);

        var listed = await GetAsync(server.ViewerKey, $"/imports/{id}/records?undo=failed");
        Assert.Contains($"imports/{id}/records/2", listed, StringComparison.Ordinal);
        Assert.DoesNotContain($"imports/{id}/records/1\"", listed, StringComparison.Ordinal);
        Assert.Contains("The token may not do this.", await GetAsync(server.ViewerKey, $"/imports/{id}/records/2"), StringComparison.Ordinal);
        Assert.Contains("deleted in Cincopa", await GetAsync(server.ViewerKey, $"/imports/{id}/records/3"), StringComparison.Ordinal);
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
    public async Task A_template_with_columns_that_are_known_can_be_taken_from_the_upload()
    {
        var html = await GetAsync(server.OperatorKey, "/upload");
        Assert.True(Has(html, "download-template") && Has(html, "download-template-xlsx"));
        Assert.StartsWith("# url: ", await GetAsync(server.ViewerKey, "/api/v1/manifest-template?format=csv"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_list_of_records_shows_what_its_address_selects()
    {
        var id = await server.Database.ImportAsync(ImportState.Finished, Mixed);
        var html = await GetAsync(server.OperatorKey, $"/imports/{id}/records?state=failed&code=source_not_found");
        Assert.Equal(["3", "4"], Row().Matches(html).Select(m => m.Groups[1].Value));
        Assert.Matches("value=\"source_not_found\"[^>]*selected", html);
        Assert.Matches("value=\"failed\"[^>]*selected", html);
        Assert.True(Has(html, "rerun-selection"));
        Assert.Equal(["1"], Row().Matches(await GetAsync(server.ViewerKey, $"/imports/{id}/records?search=Clip+1"))
            .Select(m => m.Groups[1].Value));
    }

    [Fact]
    public async Task A_look_through_many_records_shows_first_what_the_first_of_them_hold()
    {
        var id = await server.Database.ImportAsync(ImportState.Finished, [.. Enumerable.Repeat(RecordState.Imported, 20_500)],
            chunkSize: 500);
        var html = await GetAsync(server.ViewerKey, $"/imports/{id}/records?search=Clip+20499");
        Assert.Empty(Row().Matches(html));
        Assert.Contains("Searched 10,000 of 20,500 rows", html, StringComparison.Ordinal);
        Assert.False(Has(html, "no-records"));
        // Behind what was looked through it goes on, to the end.
        html = await GetAsync(server.ViewerKey, $"/imports/{id}/records?search=Clip+20499&after=20000");
        Assert.Equal(["20499"], Row().Matches(html).Select(m => m.Groups[1].Value));
        Assert.False(Has(html, "looking"));
    }

    [Fact]
    public async Task A_record_in_doubt_shows_its_candidates_and_only_who_may_act_can_adopt()
    {
        var id = await server.Database.ImportAsync(ImportState.Finished, Mixed);
        var page = $"/imports/{id}/records/5";
        Assert.Contains("Not searched in Cincopa yet", await GetAsync(server.OperatorKey, page), StringComparison.Ordinal);

        var attempt = ImporterDatabase.Attempt(id, 5, "reply_lost");
        attempt.LookedAt = DateTimeOffset.UtcNow;
        await server.Database.AddAsync(attempt);
        Assert.Contains("nothing found", await GetAsync(server.OperatorKey, page), StringComparison.Ordinal);

        var uploadedAt = DateTimeOffset.UtcNow;
        await server.Database.AddAsync(
            ImporterDatabase.Candidate(id, 5, "AbC", uploadedAt), ImporterDatabase.Candidate(id, 5, "DeF", uploadedAt));
        var html = await GetAsync(server.OperatorKey, page);
        Assert.Equal(["AbC", "DeF"], Regex.Matches(html, "data-rid=\"(\\w+)\"").Select(m => m.Groups[1].Value));
        Assert.True(Has(html, "adopt"));
        var seen = await GetAsync(server.ViewerKey, page);
        Assert.True(Has(seen, "candidate") && !Has(seen, "adopt"));
        Assert.False(Has(await GetAsync(server.OperatorKey, $"/imports/{id}/records/3"), "candidates"));
    }

    [Fact]
    public async Task A_report_is_one_file_that_needs_nothing_else_and_says_what_the_page_says()
    {
        var id = await server.Database.ImportAsync(ImportState.Finished, Mixed);
        await server.Database.SqlAsync("UPDATE importer.import SET name = '<Spring> & more', started_at = finished_at - interval '100 s' "
            + "WHERE id = $1", id);
        var page = await GetAsync(server.ViewerKey, $"/imports/{id}/report");
        using var answer = await server.Client(server.ViewerKey).GetAsync($"/imports/{id}/report.html", Token);
        var file = await answer.Content.ReadAsStringAsync(Token);
        Assert.Equal($"import-{id}-report.html", answer.Content.Headers.ContentDisposition!.FileName);
        Assert.StartsWith("<!DOCTYPE html>", file, StringComparison.Ordinal);
        Assert.Empty(Regex.Matches(file, "<script|<link|<img|src=|url\\("));
        foreach (var html in new[] { page, file })
        {
            Assert.Contains("<h1>&lt;Spring&gt; &amp; more</h1>", html, StringComparison.Ordinal);
            Assert.Contains("2 of 8 rows imported", html, StringComparison.Ordinal);
            Assert.Equal("1 min 40 s", TestId(html, "report-duration"));
            // Five records ended in a hundred seconds.
            Assert.Contains("<dd>0.1/s</dd>", html, StringComparison.Ordinal);
            Assert.Equal(["imported 2", "failed 2", "unknown 1", "pending 1", "invalid 1", "duplicate 1"],
                Regex.Matches(html, "data-testid=\"report-state\" data-state=\"(\\w+)\"><td class=\"report-state\">\\w+</td><td class=\"number\">(\\d+)")
                    .Select(m => $"{m.Groups[1].Value} {m.Groups[2].Value}").OrderByDescending(s => s[^1]).ThenBy(s => Array.IndexOf(
                        ["imported", "failed", "unknown", "pending", "invalid", "duplicate"], s.Split(' ')[0])));
            Assert.Contains("media.example (2)", html, StringComparison.Ordinal);
            Assert.Contains("Not verified.", html, StringComparison.Ordinal);
        }
        using var missing = await server.Client(server.ViewerKey).GetAsync("/imports/999999/report.html", Token);
        Assert.Equal(HttpStatusCode.NotFound, missing.StatusCode);
        Assert.True(Has(await GetAsync(server.ViewerKey, $"/imports/{id}"), "report"));
    }

    [Theory]
    [InlineData(ImportState.Finished, RecordState.Imported, "✓ Library")]
    [InlineData(ImportState.Finished, RecordState.Failed, "! Library")]
    [InlineData(ImportState.Paused, RecordState.Pending, "! Library")]
    [InlineData(ImportState.Running, RecordState.Pending, "0 % Library")]
    [InlineData(ImportState.Cancelled, RecordState.Cancelled, "Library")]
    public async Task The_tab_says_how_it_ended_or_that_somebody_is_needed(ImportState state, RecordState record, string title)
    {
        var id = await server.Database.ImportAsync(state, [record]);
        var html = await GetAsync(server.ViewerKey, $"/imports/{id}");
        Assert.Equal($"{title} - BulkImporter", WebUtility.HtmlDecode(Regex.Match(html, "<title>([^<]*)</title>").Groups[1].Value));
    }

    [Fact]
    public async Task Times_are_on_the_viewers_clock_with_UTC_behind_them_also_within_a_sentence()
    {
        var id = await server.Database.ImportAsync(ImportState.Running, [RecordState.Pending]);
        await server.Database.SqlAsync("UPDATE importer.import SET created_at = '2026-07-01 22:30:15+00', start_at = '2099-01-01 00:00+00' "
            + "WHERE id = $1", id);
        using var request = new HttpRequestMessage(HttpMethod.Get, $"/imports/{id}");
        request.Headers.Add("Cookie", "bulkimporter-zone=Europe/Berlin");
        using var answer = await server.Client(server.ViewerKey).SendAsync(request, Token);
        var html = await answer.Content.ReadAsStringAsync(Token);
        Assert.Contains("title=\"2026-07-01 22:30:15 UTC\">2 Jul 2026, 00:30</time>", html, StringComparison.Ordinal);
        Assert.Matches("Waits until <time [^>]*title=\"2099-01-01 00:00:00 UTC\">2099-01-01 01:00:00</time>\\.", html);
    }

    [Fact]
    public async Task An_account_shows_its_verb_and_what_may_keep_Cincopa_from_taking_its_calls()
    {
        var account = ImporterDatabase.Account("moodle");
        (account.VerbInUse, account.Permissions) = (SubmitVerb.Post, "|asset.read|asset.write|gallery.*|");
        await server.Database.AddAsync(account);
        var html = await GetAsync(server.OperatorKey, "/accounts");
        var moodle = Regex.Match(html, "data-account=\"moodle\".*?</article>", RegexOptions.Singleline).Value;
        Assert.Contains("POST (auto)", moodle, StringComparison.Ordinal);
        Assert.True(Has(moodle, "account-warning") && !Has(moodle, "account-reason"));
        Assert.Contains("Cincopa does not list asset.upload among the token", moodle, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_page_that_does_not_exist_is_404_and_says_so()
    {
        using var answer = await server.Client(server.ViewerKey).GetAsync("/nope/nothing", Token);
        Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
        Assert.Contains("Page not found", await answer.Content.ReadAsStringAsync(Token), StringComparison.Ordinal);
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
    public async Task A_sheet_that_the_workbook_does_not_have_can_be_put_right_where_it_has_only_one()
    {
        using var workbook = new ByteArrayContent(new MadeWorkbook().Sheet("Videos", ["url"], ["https://media.example.com/1.mp4"]).Bytes());
        using var uploaded = await server.Client(server.OperatorKey).PostAsync("/api/v1/imports?fileName=x.xlsx&sheet=Nothing", workbook, Token);
        Assert.Equal(HttpStatusCode.Created, uploaded.StatusCode);
        var id = int.Parse(uploaded.Headers.Location!.ToString().Split('/')[^1], CultureInfo.InvariantCulture);
        await ActivatorUtilities.CreateInstance<ParseManifest>(server.Services).RunAsync(id, "x.xlsx", Token);
        await server.FedAsync(v => v.Id == id && v.State == ImportState.Rejected);

        var html = await GetAsync(server.OperatorKey, $"/imports/{id}");
        Assert.Contains("data-testid=\"sheet\"", html, StringComparison.Ordinal);
        Assert.Contains("there is no Nothing", html, StringComparison.Ordinal);
        Assert.Contains("<option value=\"Videos\"", html, StringComparison.Ordinal);
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
}
