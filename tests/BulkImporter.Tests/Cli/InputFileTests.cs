using System.Net;
using System.Runtime.Versioning;
using BulkImporter.Cli;

namespace BulkImporter.Tests.Cli;

/// <summary>Every file that a verb reads may come through a pipe or standard input.</summary>
[UnsupportedOSPlatform("windows")]
public sealed class InputFileTests : IDisposable
{
    private const string Manifest = "url\nhttps://media.example.org/a.mp4\n";

    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData("submit")]
    [InlineData("validate")]
    [InlineData("rerun 7 --file")]
    public async Task Manifest_is_read_from_a_pipe_and_from_standard_input(string verb)
    {
        var pipe = folder.File("pipe");
        OutputFileTests.Run("mkfifo", pipe);
        var writing = Task.Run(() => File.WriteAllText(pipe, Manifest));
        await ReadAsync(verb, pipe, "");
        await writing.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);

        await ReadAsync(verb, "-", Manifest);
    }

    [Fact]
    public async Task Pipe_gives_the_import_no_name()
    {
        using var run = Answered(Manifest);
        await run.RunAsync("submit", "-");
        Assert.Equal("/api/v1/imports", run.Api.Calls.Single().PathAndQuery);
    }

    [Fact]
    public async Task Archive_is_verified_from_a_pipe()
    {
        using var run = new CliRun { Input = "no archive" };
        Assert.Equal(ExitCode.Failed, await run.RunAsync("verify", "-"));
        Assert.StartsWith("Standard input is not what was archived.", run.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("submit")]
    [InlineData("validate")]
    [InlineData("verify")]
    [InlineData("rerun 7 --file")]
    public async Task Folder_and_what_is_not_there_exit_2(string verb)
    {
        foreach (var path in new[] { folder.Path, folder.File("gone.csv") })
        {
            using var run = new CliRun();
            Assert.Equal(ExitCode.Usage, await run.RunAsync([.. verb.Split(' '), path]));
            Assert.Contains(path, run.Error, StringComparison.Ordinal);
        }
    }

    private static async Task ReadAsync(string verb, string path, string input)
    {
        using var run = Answered(input);
        Assert.True(await run.RunAsync([.. verb.Split(' '), path]) == ExitCode.Done, run.Error);
        if (verb == "validate") Assert.Contains("1 row: 1 valid", run.Output, StringComparison.Ordinal);
        else Assert.Equal(Manifest, run.Api.Calls.Single().Body);
    }

    private static CliRun Answered(string input)
    {
        var run = new CliRun { Input = input };
        run.Api.On(HttpMethod.Post, "/api/v1/imports(\\?.*)?", () => FakeApi.Json(Bodies.Import(state: "parsing"), HttpStatusCode.Created));
        run.Api.On(HttpMethod.Post, "/api/v1/imports/7/corrections", """{"corrected":1,"refused":0,"rows":[]}""");
        return run;
    }
}
