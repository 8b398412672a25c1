using System.Net;
using BulkImporter.Cli;

namespace BulkImporter.Tests.Cli;

public sealed class WatchTests
{
    private static readonly string Running = Bodies.Import(counts: """ "pending":6,"submitted":2,"imported":2 """);

    [Theory]
    [InlineData("finished", """ "imported":10 """, ExitCode.Done)]
    [InlineData("finished", """ "imported":9,"failed":1 """, ExitCode.DoneWithProblems)]
    [InlineData("finished", """ "imported":9,"unknown":1 """, ExitCode.DoneWithProblems)]
    [InlineData("finished", """ "imported":8,"invalid":1,"duplicate":1 """, ExitCode.Done)]
    [InlineData("cancelled", """ "imported":4,"cancelled":6 """, ExitCode.Failed)]
    [InlineData("rejected", "", ExitCode.Failed)]
    [InlineData("review", """ "pending":10 """, ExitCode.Done)]
    public async Task Exit_code_tells_how_the_import_came_to_rest(string state, string counts, int exitCode)
    {
        using var run = new CliRun();
        run.Api.On(HttpMethod.Get, "/api/v1/imports/7", () => FakeApi.Json(Running), () =>
            FakeApi.Json(Bodies.Import(state: state, counts: counts)));

        Assert.Equal(exitCode, await run.RunAsync("show", "7", "--watch"));
    }

    [Fact]
    public async Task Plain_lines_tell_state_counts_rate_and_time_left_and_end_with_a_summary()
    {
        using var run = new CliRun();
        run.Api.On(HttpMethod.Get, "/api/v1/imports/7", () => FakeApi.Json(Running),
            () => FakeApi.Json(Bodies.Import(state: "finished", counts: """ "imported":9,"failed":1 """,
                failures: """{"code":"source_not_found","class":"permanent","count":1}""")));

        await run.RunAsync("show", "7", "--watch");

        Assert.Contains("running 2 of 10 records, 20.0 % | imported 2, submitted 2, pending 6 | 2.5/s, 2 min 10 s left", run.Output);
        Assert.Contains("finished 10 of 10 records, 100.0 % | imported 9, failed 1", run.Output);
        Assert.Matches(@"imported\s+9\s+90\.0 %", run.Output);
        Assert.Matches(@"source_not_found\s+Needs a fix\s+1", run.Output);
        Assert.DoesNotContain('\u001b', run.Output);
    }

    [Fact]
    public async Task Plain_lines_come_at_every_change_of_state_and_otherwise_every_ten_seconds()
    {
        using var run = new CliRun();
        var answers = Enumerable.Range(0, 25).Select(i => Bodies.Import(counts: $""" "pending":{30 - i},"imported":{i} """, rows: 30))
            .Append(Bodies.Import(state: "paused", rows: 30, reason: "the disk is full"))
            .Append(Bodies.Import(state: "finished", counts: """ "imported":30 """, rows: 30));
        run.Api.On(HttpMethod.Get, "/api/v1/imports/7", [.. answers.Select(a => (Func<HttpResponseMessage>)(() => FakeApi.Json(a)))]);

        await run.RunAsync("show", "7", "--watch");

        var lines = run.Output.Split('\n').Where(l => l.Contains(" records, ")).ToList();
        Assert.Equal(5, lines.Count);
        Assert.Contains("paused (the disk is full)", lines[3]);
    }

    [Fact]
    public async Task Terminal_sees_a_picture_that_moves()
    {
        using var run = new CliRun { Terminal = true };
        run.Api.On(HttpMethod.Get, "/api/v1/imports/7", () => FakeApi.Json(Running), () =>
            FakeApi.Json(Bodies.Import(state: "finished", counts: """ "imported":10 """)));

        Assert.Equal(ExitCode.Done, await run.RunAsync("show", "7", "--watch"));

        Assert.Contains('\u001b', run.Output);
        Assert.Contains("2 of 10 records, 20.0 %", run.Output);
        Assert.Contains("Ctrl-C stops watching, not the import.", run.Output);
    }

    [Fact]
    public async Task Json_prints_a_line_for_each_answer_that_differs()
    {
        using var run = new CliRun();
        var done = Bodies.Import(state: "finished", counts: """ "imported":10 """);
        run.Api.On(HttpMethod.Get, "/api/v1/imports/7", () => FakeApi.Json(Running), () => FakeApi.Json(Running), () => FakeApi.Json(done));

        Assert.Equal(ExitCode.Done, await run.RunAsync("show", "7", "--watch", "--json"));

        Assert.Equal([Running, done], run.Output.Split(Environment.NewLine, StringSplitOptions.RemoveEmptyEntries));
    }

    [Fact]
    public async Task Server_that_restarts_is_waited_for()
    {
        using var run = new CliRun();
        run.Api.On(HttpMethod.Get, "/api/v1/imports/7", () => FakeApi.Json(Running), FakeApi.Refuse, () =>
            new HttpResponseMessage(HttpStatusCode.ServiceUnavailable),
            () => FakeApi.Json(Running), () => FakeApi.Json(Bodies.Import(state: "finished", counts: """ "imported":10 """)));

        Assert.Equal(ExitCode.Done, await run.RunAsync("show", "7", "--watch"));

        Assert.Single(run.Error.Split('\n'), l => l.Contains("Trying again"));
        Assert.Contains("answers again", run.Error);
    }

    [Fact]
    public async Task Server_that_stays_away_is_given_up_after_five_minutes_with_the_way_back()
    {
        using var run = new CliRun();
        run.Api.On(HttpMethod.Get, "/api/v1/imports/7", () => FakeApi.Json(Running), FakeApi.Refuse);
        var start = run.Clock.GetUtcNow();

        Assert.Equal(ExitCode.Failed, await run.RunAsync("show", "7", "--watch"));

        Assert.InRange(run.Clock.GetUtcNow() - start, TimeSpan.FromMinutes(5), TimeSpan.FromMinutes(5.1));
        Assert.Contains("BulkImporter show 7 --watch", run.Error);
    }

    [Fact]
    public async Task Refusal_in_the_middle_ends_watching_at_once()
    {
        using var run = new CliRun();
        run.Api.On(HttpMethod.Get, "/api/v1/imports/7", () => FakeApi.Json(Running), () =>
            new HttpResponseMessage(HttpStatusCode.Unauthorized));

        Assert.Equal(ExitCode.Failed, await run.RunAsync("show", "7", "--watch"));

        Assert.Equal(2, run.Api.Calls.Count);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Interrupt_stops_watching_and_says_how_to_come_back(bool terminal)
    {
        using var run = new CliRun { Terminal = terminal };
        run.Api.On(HttpMethod.Get, "/api/v1/imports/7", () => FakeApi.Json(Running), () =>
        {
            run.Interrupt.Cancel();
            return FakeApi.Json(Running);
        });

        Assert.Equal(ExitCode.Interrupted, await run.RunAsync("show", "7", "--watch"));

        Assert.Contains("BulkImporter show 7 --watch", run.Error);
        Assert.All(run.Api.Calls, call => Assert.Equal(HttpMethod.Get, call.Method));
    }

    [Fact]
    public async Task Cancelled_import_is_watched_until_what_was_accepted_has_ended()
    {
        using var run = new CliRun();
        run.Api.On(HttpMethod.Get, "/api/v1/imports/7", () =>
            FakeApi.Json(Bodies.Import(state: "cancelled", counts: """ "submitted":2,"cancelled":8 """)),
            () => FakeApi.Json(Bodies.Import(state: "cancelled", counts: """ "imported":2,"cancelled":8 """)));

        Assert.Equal(ExitCode.Failed, await run.RunAsync("show", "7", "--watch"));

        Assert.Equal(2, run.Api.Calls.Count);
    }
}
