using System.Net;
using BulkImporter.Cli;

namespace BulkImporter.Tests.Cli;

/// <summary>start, pause, resume, cancel and rerun.</summary>
public sealed class ActVerbTests
{
    [Theory]
    [InlineData("start")]
    [InlineData("pause")]
    [InlineData("resume")]
    [InlineData("cancel")]
    public async Task Action_is_posted_once_and_the_new_state_told(string verb)
    {
        using var run = new CliRun();
        run.Api.On(HttpMethod.Post, $"/api/v1/imports/7/{verb}", Bodies.Import(state: "running"));

        Assert.Equal(ExitCode.Done, await run.RunAsync(verb, "7"));

        Assert.Single(run.Api.Calls);
        Assert.Contains("Import 7, Spring catalogue, account museum: running", run.Output);
    }

    [Fact]
    public async Task Action_in_the_wrong_state_exits_5()
    {
        using var run = new CliRun();
        run.Api.On(HttpMethod.Post, "/api/v1/imports/7/start", () => FakeApi.Problem(HttpStatusCode.Conflict, "Refused", "Import 7 is finished."));

        Assert.Equal(ExitCode.Refused, await run.RunAsync("start", "7"));
    }

    [Theory]
    [InlineData("rerun 7", """{"state":"failed"}""")]
    [InlineData("rerun 7 --state unknown", """{"state":"unknown"}""")]
    [InlineData("rerun 7 --code source_timeout", """{"code":"source_timeout"}""")]
    [InlineData("rerun 7 --record 3 --record 5", """{"recordIds":[3,5]}""")]
    public async Task Rerun_sends_exactly_the_selection(string line, string body)
    {
        using var run = new CliRun();
        run.Api.On(HttpMethod.Post, "/api/v1/imports/7/rerun", """{"rerun":2,"refused":0,"refusals":[]}""");

        Assert.Equal(ExitCode.Done, await run.RunAsync(line.Split(' ')));

        Assert.Equal(body, run.Api.Calls.Single().Body);
        Assert.Contains("2 records are pending again", run.Output);
    }

    [Fact]
    public async Task Rerun_tells_what_was_left_and_why()
    {
        using var run = new CliRun();
        run.Api.On(HttpMethod.Post, "/api/v1/imports/7/rerun", """{"rerun":1,"refused":2,"refusals":[{"state":"imported","count":2,"reason":"It is imported."}]}""");

        Assert.Equal(ExitCode.Done, await run.RunAsync("rerun", "7", "--record", "1"));

        Assert.Contains("1 records are pending again, 2 are left as they were.", run.Output);
        Assert.Contains("2 imported: It is imported.", run.Output);
    }

    [Fact]
    public async Task Rerun_of_which_everything_was_refused_exits_5()
    {
        using var run = new CliRun();
        run.Api.On(HttpMethod.Post, "/api/v1/imports/7/rerun", """{"rerun":0,"refused":1,"refusals":[{"state":"imported","count":1,"reason":"It is imported."}]}""");

        Assert.Equal(ExitCode.Refused, await run.RunAsync("rerun", "7", "--record", "1"));
    }
}
