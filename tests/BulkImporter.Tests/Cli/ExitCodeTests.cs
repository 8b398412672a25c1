using System.Net;
using BulkImporter.Cli;

namespace BulkImporter.Tests.Cli;

/// <summary>How each answer of a server, and each mistake, ends a verb.</summary>
public sealed class ExitCodeTests
{
    [Theory]
    [InlineData(200, ExitCode.Done)]
    [InlineData(400, ExitCode.Failed)]
    [InlineData(401, ExitCode.Failed)]
    [InlineData(403, ExitCode.Failed)]
    [InlineData(404, ExitCode.NotFound)]
    [InlineData(409, ExitCode.Refused)]
    [InlineData(413, ExitCode.Failed)]
    [InlineData(415, ExitCode.Failed)]
    [InlineData(422, ExitCode.Failed)]
    [InlineData(424, ExitCode.Failed)]
    [InlineData(429, ExitCode.Failed)]
    [InlineData(500, ExitCode.Failed)]
    [InlineData(503, ExitCode.Failed)]
    public async Task Answer_of_the_server_decides(int status, int exitCode)
    {
        using var run = new CliRun();
        run.Api.On(HttpMethod.Post, "/api/v1/imports/7/start", status == 200 ? () => FakeApi.Json(Import("running", failed: 0)) : () =>
            FakeApi.Problem((HttpStatusCode)status, "Something", "A sentence"));

        Assert.Equal(exitCode, await run.RunAsync("start", "7", "--quiet"));

        // Quiet or not, a failure is told.
        Assert.Equal(status == 200, run.Error.Length == 0);
    }

    [Theory]
    [InlineData("finished", 0, ExitCode.Done)]
    [InlineData("finished", 1, ExitCode.DoneWithProblems)]
    [InlineData("cancelled", 0, ExitCode.Failed)]
    [InlineData("rejected", 0, ExitCode.Failed)]
    public async Task End_of_a_watched_import_decides(string state, int failed, int exitCode)
    {
        using var run = new CliRun();
        run.Api.On(HttpMethod.Get, "/api/v1/imports/7", Import(state, failed));

        Assert.Equal(exitCode, await run.RunAsync("show", "7", "--watch"));
    }

    [Theory]
    [InlineData("finished", 0, ExitCode.Done)]
    [InlineData("finished", 2, ExitCode.DoneWithProblems)]
    [InlineData("stopped", 0, ExitCode.Refused)]
    public async Task End_of_a_probe_decides(string state, int problems, int exitCode)
    {
        using var run = new CliRun();
        run.Api.On(HttpMethod.Post, "/api/v1/imports/7/probe\\?sample=200", """{"state":"running","total":9,"probed":0,"problems":0}""");
        run.Api.On(HttpMethod.Get, "/api/v1/imports/7/probe", $$"""{"state":"{{state}}","total":9,"probed":9,"problems":{{problems}}}""");

        Assert.Equal(exitCode, await run.RunAsync("probe", "7"));
    }

    [Fact]
    public async Task Quiet_submit_prints_the_number_alone()
    {
        using var run = new CliRun();
        run.Api.On(HttpMethod.Post, "/api/v1/imports.*", () => FakeApi.Json(Import("review", 0), HttpStatusCode.Created));
        var file = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName() + ".csv");
        await File.WriteAllTextAsync(file, "url\nhttps://media.example/1.mp4\n", TestContext.Current.CancellationToken);
        try
        {
            Assert.Equal(ExitCode.Done, await run.RunAsync("submit", file, "-q"));
        }
        finally
        {
            File.Delete(file);
        }

        Assert.Equal(("7", ""), (run.Output.Trim(), run.Error));
    }

    [Theory]
    [InlineData("bash")]
    [InlineData("zsh")]
    [InlineData("fish")]
    public async Task Completion_prints_a_script_that_asks_this_program(string shell)
    {
        using var run = new CliRun();

        Assert.Equal(ExitCode.Done, await run.RunAsync("completion", shell));

        Assert.Contains("[suggest:", run.Output, StringComparison.Ordinal);
        Assert.Contains("bulkimporter", run.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("bulkimporter sho", "show")]
    [InlineData("bulkimporter account che", "check")]
    [InlineData("bulkimporter records 7 --sta", "--state")]
    [InlineData("bulkimporter records 7 --state fai", "failed")]
    [InlineData("bulkimporter completion z", "zsh")]
    public async Task Shell_is_told_what_may_come_next(string line, string word)
    {
        using var run = new CliRun();

        Assert.Equal(ExitCode.Done, await run.RunAsync($"[suggest:{line.Length}]", line));

        Assert.Contains(word, run.Output.Split('\n').Select(l => l.Trim()));
    }

    private static string Import(string state, int failed) =>
        $$"""{"id":7,"name":"Spring","account":"default","state":"{{state}}","rows":2,"counts":{"imported":{{2 - failed}},"failed":{{failed}}},"failures":[],"createdAt":"2026-01-01T00:00:00Z","finishedAt":"2026-01-01T00:00:00Z"}""";
}
