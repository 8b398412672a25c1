using System.Globalization;
using System.Net;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using BulkImporter.Dispatch;
using BulkImporter.Imports;
using BulkImporter.Parse;
using BulkImporter.Probes;
using BulkImporter.Records;
using BulkImporter.Tests.Api;
using Hangfire;
using Hangfire.Dashboard;
using Microsoft.Extensions.DependencyInjection;

namespace BulkImporter.Tests.Dashboard;

[Collection(nameof(Hosting.HangfireSetupTests))]
public sealed partial class HangfirePagesTests(ImporterServer server) : IClassFixture<ImporterServer>
{
    /// <summary>Eight rows in chunks of three.</summary>
    private static readonly RecordState[] Mixed =
    [
        RecordState.Imported, RecordState.Imported, RecordState.Failed, RecordState.Failed, RecordState.Unknown, RecordState.Invalid,
        RecordState.Submitted, RecordState.Pending,
    ];

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private ImportFeed Feed => server.Services.GetRequiredService<ImportFeed>();

    [Theory]
    [InlineData("/hangfire/imports")]
    [InlineData("/hangfire/imports/live")]
    public async Task Imports_are_shown_in_true_proportion_with_state_reason_and_failures(string path)
    {
        var id = await server.Database.ImportAsync(ImportState.Paused, Mixed);
        await server.Database.SqlAsync(
            "UPDATE importer.import SET name = 'Spring <catalogue>', reason = 'More than half failed.' WHERE id = $1", id);
        await server.FedAsync(v => v.Id == id && v.Reason is not null);

        var shown = One(await GetAsync(server.ViewerKey, path), id);
        Assert.Contains($"<a id=\"import-{id}\" href=\"/imports/{id}\">Spring &lt;catalogue&gt;</a>", shown, StringComparison.Ordinal);
        Assert.Contains("data-state=\"paused\"", shown, StringComparison.Ordinal);
        Assert.Contains("More than half failed.", shown, StringComparison.Ordinal);
        // Five of the seven that are work have ended.
        Assert.Equal("71.4 %", TestId(shown, "percent"));
        Assert.Equal(
            ["imported 25", "moving 12.5", "pending 12.5", "unknown 12.5", "failed 25", "skipped 12.5"],
            Part().Matches(shown).Select(m => $"{m.Groups[1].Value} {m.Groups[2].Value}"));
        Assert.Equal("2 1 1 2 1 1",
            string.Join(' ', new[] { "imported", "moving", "pending", "failed", "unknown", "skipped" }.Select(c =>
                TestId(shown, "count-" + c))));
        Assert.Equal(
            [$"/imports/{id}/records?state=failed&amp;code=source_not_found 2",
                $"/imports/{id}/records?state=unknown&amp;code=reply_timeout 1"],
            Failure().Matches(shown).Select(m => $"{m.Groups[1].Value} {m.Groups[2].Value}"));
    }

    [Fact]
    public async Task Imports_stand_first_in_Hangfires_navigation_and_the_way_back_leads_to_our_pages()
    {
        var html = await GetAsync(server.ViewerKey, "/hangfire/imports");
        Assert.Matches("<ul class=\"nav navbar-nav\">\\s*<li class=\"active\">\\s*<a href=\"/hangfire/imports\">\\s*Imports", html);
        Assert.Matches("<ul class=\"nav navbar-nav navbar-right\">\\s*<li>\\s*<a href=\"/\">", html);
        Assert.DoesNotMatch("<li class=\"active\">\\s*<a href=\"/hangfire/imports\">",
            await GetAsync(server.ViewerKey, "/hangfire/servers"));
    }

    [Theory]
    [InlineData("/hangfire")]
    [InlineData("/hangfire/imports")]
    public async Task A_page_runs_nothing_that_stands_in_it_and_loads_our_style_and_script_with_Hangfires(string path)
    {
        var html = await GetAsync(server.OperatorKey, path);
        Assert.DoesNotMatch("<script(?![^>]* src=)", html);
        Assert.DoesNotMatch("<[^>]+ on[a-z]+=", html);
        Assert.Contains("imports-live",
            await GetAsync(server.OperatorKey, Regex.Match(html, "src=\"(/hangfire/js\\d+)\"").Groups[1].Value), StringComparison.Ordinal);
        Assert.Contains(".imports .stack",
            await GetAsync(server.OperatorKey, Regex.Match(html, "href=\"(/hangfire/css\\d+)\"").Groups[1].Value),
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task Failed_records_are_rerun_by_an_operator_with_the_pages_token_and_by_nobody_else()
    {
        var id = await server.Database.ImportAsync(ImportState.Finished,
            Mixed.Where(s => s is not (RecordState.Pending or RecordState.Submitted)).ToArray());
        var path = $"/hangfire/imports/{id}/rerun-failed";
        await server.FedAsync(v => v.Id == id);
        Assert.Contains($"data-rerun=\"{path}\"", await ShownAsync(server.OperatorKey, id), StringComparison.Ordinal);
        Assert.DoesNotContain("data-rerun", await ShownAsync(server.ViewerKey, id), StringComparison.Ordinal);

        Assert.Equal((403, ""), await PostAsync(server.OperatorKey, path, withToken: false));
        Assert.Equal((403, "Your role does not allow this. An operator can do it."),
            await PostAsync(server.ViewerKey, path, withToken: true));
        using var nobody = await server.Client(null).PostAsync(path, null, Token);
        Assert.Equal((HttpStatusCode.Redirect, "/sign-in"), (nobody.StatusCode, nobody.Headers.Location?.AbsolutePath));
        using var asked = await server.Client(server.OperatorKey).GetAsync(path, Token);
        Assert.Equal(HttpStatusCode.MethodNotAllowed, asked.StatusCode);
        Assert.Equal("imported 2, failed 2, unknown 1, invalid 1", await server.Database.CountsAsync(id));

        Assert.Equal((200, "2 records will be sent again."), await PostAsync(server.OperatorKey, path, withToken: true));
        Assert.Equal("pending 2, imported 2, unknown 1, invalid 1", await server.Database.CountsAsync(id));
        Assert.Equal("otto records_rerun 2 (state failed)",
            await server.Database.OneAsync<string>(
                "SELECT actor || ' ' || action || ' ' || detail FROM importer.audit_entry WHERE import_id = $1", id));
        // The numbers follow without waiting for the feed's next turn; without a failed record there is nothing to rerun.
        await server.FedAsync(v => v.Id == id && v.Counts.Pending == 2);
        Assert.DoesNotContain("data-rerun", await ShownAsync(server.OperatorKey, id), StringComparison.Ordinal);
        Assert.Equal((200, "No record will be sent again."), await PostAsync(server.OperatorKey, path, withToken: true));
    }

    [Fact]
    public async Task A_rerun_that_cannot_be_says_why()
    {
        var id = await server.Database.ImportAsync(ImportState.Review, [RecordState.Pending]);
        Assert.Equal((409, $"Import {id} is in review; only an import that was started can rerun records."),
            await PostAsync(server.OperatorKey, $"/hangfire/imports/{id}/rerun-failed", withToken: true));
        Assert.Equal((404, "Import 999999 no longer exists."),
            await PostAsync(server.OperatorKey, "/hangfire/imports/999999/rerun-failed", withToken: true));
    }

    [Fact]
    public async Task Hangfires_jobs_are_changed_by_an_operator_with_the_pages_token_only()
    {
        const string delete = "/hangfire/jobs/failed/delete";
        Assert.Equal(401, (await PostAsync(server.ViewerKey, delete, withToken: true, "jobs[]", "999999")).Status);
        Assert.Equal(403, (await PostAsync(server.OperatorKey, delete, withToken: false, "jobs[]", "999999")).Status);
        Assert.Equal(204, (await PostAsync(server.OperatorKey, delete, withToken: true, "jobs[]", "999999")).Status);
        Assert.Equal("otto /jobs/failed/delete",
            await server.Database.OneAsync<string>(
                "SELECT string_agg(actor || ' ' || detail, ', ') FROM importer.audit_entry WHERE action = 'job_ordered'"));
    }

    [Fact]
    public async Task The_home_page_counts_the_records_of_all_imports()
    {
        string[] metrics = ["records:pending", "records:in-flight", "records:failed", "records:unknown"];
        await server.Database.ImportAsync(ImportState.Running, Mixed);
        await server.Database.ImportAsync(ImportState.Finished, [RecordState.Failed]);
        var counted = await server.Database.OneAsync<int[]>("""
            SELECT ARRAY[count(*) FILTER (WHERE state = 'pending'), count(*) FILTER (WHERE state IN ('submitting', 'submitted')),
                count(*) FILTER (WHERE state = 'failed'), count(*) FILTER (WHERE state = 'unknown')]::int[] FROM importer.import_record
            """);
        Assert.All(counted, number => Assert.NotEqual(0, number));
        var expected = string.Join(' ', counted);
        using var told = new SemaphoreSlim(0);
        using var watching = Feed.WatchTotals(r =>
        {
            if (r.Value is { } c && $"{c.Pending} {c.Submitting + c.Submitted} {c.Failed} {c.Unknown}" == expected) told.Release();
        });
        await GetAsync(server.ViewerKey, "/hangfire");
        Feed.Hurry(0);
        Assert.True(await told.WaitAsync(TimeSpan.FromSeconds(30), Token));

        var html = await GetAsync(server.ViewerKey, "/hangfire");
        Assert.Equal(expected, string.Join(' ', metrics.Select(m => Regex.Match(html, $"data-metric=\"{m}\">\\s*(\\d+)").Groups[1].Value)));

        var (status, body) = await PostAsync(server.ViewerKey, "/hangfire/stats", withToken: true,
            [.. metrics.SelectMany(m => new[] { "metrics[]", m })]);
        Assert.Equal(200, status);
        Assert.Equal(expected, string.Join(' ', metrics.Select(m => (string?)JsonNode.Parse(body)![m]!["value"])));
    }

    [Fact]
    public async Task Many_open_pages_have_the_list_and_the_numbers_read_once_for_all()
    {
        await Task.WhenAll(Enumerable.Range(0, 20).Select(async _ =>
        {
            await GetAsync(server.ViewerKey, "/hangfire/imports/live");
            await GetAsync(server.OperatorKey, "/hangfire");
        }));
        Assert.Equal(2, Feed.TopicCount);
    }

    /// <summary>A machine that pauses for a moment, which is when this happens, cannot be had in a test.</summary>
    [Fact]
    public async Task A_page_that_hangfire_had_no_time_to_look_up_is_asked_for_again()
    {
        DashboardRoutes.Routes.Add("/pauses", new PausesOnce());
        Assert.Equal("found", await GetAsync(server.ViewerKey, "/hangfire/pauses"));
    }

    [Fact]
    public async Task A_jobs_page_shows_the_records_of_its_chunk_and_leads_to_them()
    {
        var id = await server.Database.ImportAsync(ImportState.Running, Mixed);
        var job = Enqueue<DispatchChunk>(d => d.RunAsync(id, 2, "Library, rows 4-6", CancellationToken.None));
        var html = await GetAsync(server.ViewerKey, $"/hangfire/jobs/details/{job}");
        Assert.Matches("<h1 class=\"page-header\">\\s*Library, rows 4-6\\s*</h1>", html);
        Assert.Contains($"href=\"/imports/{id}\" data-testid=\"job-import\"", html, StringComparison.Ordinal);
        Assert.Contains($"href=\"/imports/{id}/records?after=3\" data-testid=\"job-rows\">rows 4-6<", html, StringComparison.Ordinal);
        Assert.Equal("0 1 1 1",
            string.Join(' ', new[] { "imported", "failed", "unknown", "skipped" }.Select(c => TestId(html, "count-" + c))));
    }

    [Fact]
    public async Task The_page_of_a_job_that_reads_a_manifest_shows_the_import_and_an_import_that_is_gone_is_said_to_be()
    {
        var id = await server.Database.ImportAsync(ImportState.Review, Mixed);
        var html = await GetAsync(server.ViewerKey,
            $"/hangfire/jobs/details/{Enqueue<ParseManifest>(p => p.RunAsync(id, "Library, reading the manifest", CancellationToken.None))}");
        Assert.Contains("Library, reading the manifest", html, StringComparison.Ordinal);
        Assert.Contains("8 rows read", html, StringComparison.Ordinal);
        Assert.Equal("2", TestId(html, "count-imported"));

        html = await GetAsync(server.ViewerKey,
            $"/hangfire/jobs/details/{Enqueue<DispatchChunk>(d => d.RunAsync(999_999, 1, "Gone", CancellationToken.None))}");
        Assert.Contains("The import of this job is no longer there.", html, StringComparison.Ordinal);
    }

    [Fact]
    public void Every_job_has_a_name_for_people()
    {
        var jobs = typeof(DispatchChunk).Assembly.GetTypes().SelectMany(t => t.GetMethods())
            .Where(m => m.IsDefined(typeof(QueueAttribute), inherit: false)).ToList();
        Assert.Equal([nameof(DispatchChunk), nameof(ParseManifest), nameof(ProbeSources)], jobs.Select(m => m.DeclaringType!.Name).Order());
        Assert.All(jobs, m => Assert.True(m.IsDefined(typeof(JobDisplayNameAttribute), inherit: false)));
    }

    private string Enqueue<T>(System.Linq.Expressions.Expression<Func<T, Task>> call) =>
        server.Services.GetRequiredService<IBackgroundJobClient>().Enqueue(call);

    private async Task<string> ShownAsync(string key, int id) => One(await GetAsync(key, "/hangfire/imports/live"), id);

    private async Task<(int Status, string Body)> PostAsync(string key, string path, bool withToken, params string[] form)
    {
        using var page = await server.Client(key).GetAsync("/hangfire/imports", Token);
        using var request = new HttpRequestMessage(HttpMethod.Post, path)
        { Content = new FormUrlEncodedContent(form.Chunk(2).Select(f => KeyValuePair.Create(f[0], f[1]))) };
        request.Headers.Add("Cookie", page.Headers.GetValues("Set-Cookie").Select(c => c.Split(';')[0]));
        if (withToken)
        {
            // Hangfire tells its scripts the header's name and the token in the page's head.
            var token = HangfireToken().Match(await page.Content.ReadAsStringAsync(Token));
            Assert.True(token.Success, "The page holds no antiforgery token.");
            request.Headers.Add(token.Groups[1].Value, token.Groups[2].Value);
        }
        using var answer = await server.Client(key).SendAsync(request, Token);
        return ((int)answer.StatusCode, await answer.Content.ReadAsStringAsync(Token));
    }

    private async Task<string> GetAsync(string key, string path)
    {
        using var answer = await server.Client(key).GetAsync(path, Token);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        return await answer.Content.ReadAsStringAsync(Token);
    }

    private static string One(string html, int id) =>
        Regex.Match(html, string.Create(CultureInfo.InvariantCulture, $"<article[^>]* data-import=\"{id}\".*?</article>"),
            RegexOptions.Singleline).Value;

    private static string TestId(string html, string id) => Regex.Match(html, $"data-testid=\"{id}\"[^>]*>([^<]*)<").Groups[1].Value;

    [GeneratedRegex("part part-(\\w+)\" style=\"width:([\\d.]+)%")]
    private static partial Regex Part();

    [GeneratedRegex("href=\"([^\"]+)\" data-testid=\"failure\"[^>]*>[^<]*</a> <b>(\\d+)</b>")]
    private static partial Regex Failure();

    [GeneratedRegex("csrf-header\" content=\"([^\"]+)\">\\s*<meta name=\"csrf-token\" content=\"([^\"]+)\"")]
    private static partial Regex HangfireToken();

    private sealed class PausesOnce : IDashboardDispatcher
    {
        private bool hasPaused;

        public Task Dispatch(DashboardContext context)
        {
            if (hasPaused) return context.Response.WriteAsync("found");
            hasPaused = true;
            throw new RegexMatchTimeoutException();
        }
    }
}
