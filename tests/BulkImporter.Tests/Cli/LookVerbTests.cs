using System.Net;
using BulkImporter.Cli;

namespace BulkImporter.Tests.Cli;

/// <summary>list, show, records: the verbs that only look.</summary>
public sealed class LookVerbTests
{
    [Fact]
    public async Task List_shows_the_imports_and_how_to_see_more()
    {
        using var run = new CliRun();
        run.Api.On(HttpMethod.Get, @"/api/v1/imports\?limit=50",
            $$"""{"items":[{{Bodies.Import(8)}},{{Bodies.Import(7, "finished", """ "imported":9,"failed":1 """)}}],"next":"7"}""");

        Assert.Equal(ExitCode.Done, await run.RunAsync("list"));

        Assert.Matches(@"8\s+Spring catalogue\s+museum\s+running", run.Output);
        Assert.Matches(@"7\s+Spring catalogue\s+museum\s+finished\s+10\s+9\s+1\s+0\s+100\.0 %\s+2026-11-23 10:00:00", run.Output);
        Assert.Contains("--after 7", run.Error);
    }

    [Fact]
    public async Task Next_page_is_asked_for_with_its_cursor()
    {
        using var run = new CliRun();
        run.Api.On(HttpMethod.Get, @"/api/v1/imports\?limit=2&after=a%2Fb", """{"items":[],"next":null}""");

        Assert.Equal(ExitCode.Done, await run.RunAsync("list", "--limit", "2", "--after", "a/b"));
    }

    [Theory]
    [InlineData("list", "/api/v1/imports.*", """{"items":[],"next":null,"news":1}""")]
    [InlineData("show 7", "/api/v1/imports/7", """{"id":7,"news":1}""")]
    [InlineData("records 7", "/api/v1/imports/7/records.*", """{"items":[],"next":null,"news":1}""")]
    [InlineData("adopt 7 12", "/api/v1/imports/7/records/12/candidates", """{"items":[],"lookedAt":null,"news":1}""")]
    [InlineData("account list", "/api/v1/accounts", """{"items":[],"next":null,"news":1}""")]
    [InlineData("account limits museum", "/api/v1/accounts/museum", """{"name":"museum","news":1}""")]
    public async Task Json_prints_the_body_as_it_came(string verb, string path, string body)
    {
        using var run = new CliRun();
        run.Api.On(HttpMethod.Get, path, body);

        Assert.Equal(ExitCode.Done, await run.RunAsync([.. verb.Split(' '), "--json"]));

        Assert.Equal(body + Environment.NewLine, run.Output);
    }

    [Theory]
    [InlineData(""" "pending":3,"invalid":1 """, "Start it with: BulkImporter start 7")]
    [InlineData(""" "pending":0,"invalid":4 """, "No row can be sent. See why with: BulkImporter findings 7")]
    public async Task Show_says_how_to_start_a_review_only_when_there_is_something_to_send(string counts, string next)
    {
        using var run = new CliRun();
        run.Api.On(HttpMethod.Get, "/api/v1/imports/7", Bodies.Import(state: "review", counts: counts));

        Assert.Equal(ExitCode.Done, await run.RunAsync("show", "7"));

        Assert.Contains(next, run.Output + run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Show_tells_counts_failures_rate_and_the_next_step()
    {
        using var run = new CliRun();
        run.Api.On(HttpMethod.Get, "/api/v1/imports/7",
            Bodies.Import(state: "paused", reason: "over half of the records failed", counts: """ "pending":1,"failed":9 """,
                failures: """{"code":"source_forbidden","class":"permanent","count":9}"""));

        Assert.Equal(ExitCode.Done, await run.RunAsync("show", "7"));

        Assert.Contains("over half of the records failed", run.Output);
        Assert.Matches(@"source_forbidden\s+Needs a fix\s+9", run.Output);
        Assert.Contains("BulkImporter resume 7", run.Output);
    }

    [Fact]
    public async Task Show_of_an_unknown_import_exits_4()
    {
        using var run = new CliRun();
        run.Api.On(HttpMethod.Get, "/api/v1/imports/7", () =>
            FakeApi.Problem(HttpStatusCode.NotFound, "Not found", "There is no import 7."));

        Assert.Equal(ExitCode.NotFound, await run.RunAsync("show", "7", "--watch"));
    }

    [Fact]
    public async Task Records_are_selected_by_the_server_and_long_urls_are_not_cut_outside_a_terminal()
    {
        using var run = new CliRun();
        var url = "https://media.example.com/" + new string('x', 300) + ".mp4";
        run.Api.On(HttpMethod.Get, @"/api/v1/imports/7/records\?state=failed&code=source_not_found&limit=5",
            $$"""{"items":[{"rowNumber":12,"lineNumber":13,"url":"{{url}}","caption":"Ä","state":"failed","attempts":2,"error":{"code":"source_not_found","class":"permanent","message":"404\nNot [Found]"} }],"next":null}""");

        Assert.Equal(ExitCode.Done, await run.RunAsync("records", "7", "--state", "failed", "--code", "source_not_found", "--limit", "5"));

        var line = Assert.Single(run.Output.Split('\n'), l => l.Contains(url));
        Assert.Contains("404 Not [Found]", line);
    }
}
