using System.Net;
using BulkImporter.Cli;

namespace BulkImporter.Tests.Cli;

public sealed class SubmitVerbTests : IDisposable
{
    private readonly TemporaryFolder folder = new();
    private readonly string manifest;

    public SubmitVerbTests() => manifest = folder.File("spring.csv", "url\nhttps://media.example.com/ä.mp4\n");

    [Fact]
    public async Task Manifest_is_sent_as_it_is_with_its_settings_in_the_query()
    {
        using var run = new CliRun();
        run.Api.On(HttpMethod.Post, "/api/v1/imports.*", () => FakeApi.Json(Bodies.Import(state: "parsing"), HttpStatusCode.Created));

        Assert.Equal(ExitCode.Done, await run.RunAsync(
            "submit", manifest, "--account", "museum", "--name", "Spring & summer", "--map", "url=Link", "--set", "maxAttempts=3", "--set",
            "fid=a=b", "--start", "--idempotency-key", "k1"));

        var call = run.Api.Calls.Single();
        Assert.Equal("url\nhttps://media.example.com/ä.mp4\n", call.Body);
        Assert.Equal("text/csv", call.ContentType);
        Assert.Equal("k1", call.IdempotencyKey);
        Assert.Equal(
            "/api/v1/imports?name=Spring%20%26%20summer&fileName=spring.csv&account=museum&start=true&map=url%3DLink&set=maxAttempts%3D3&set=fid%3Da%3Db", call.PathAndQuery);
        Assert.Contains("Import 7", run.Output);
        Assert.Contains("BulkImporter show 7 --watch", run.Output);
    }

    [Fact]
    public async Task Nothing_is_sent_that_was_not_asked_for()
    {
        using var run = new CliRun();
        run.Api.On(HttpMethod.Post, "/api/v1/imports.*", Bodies.Import(state: "parsing"));

        await run.RunAsync("submit", manifest);

        Assert.Equal("/api/v1/imports?fileName=spring.csv", run.Api.Calls.Single().PathAndQuery);
        Assert.Null(run.Api.Calls.Single().IdempotencyKey);
    }

    [Fact]
    public async Task Server_fetches_the_manifest_from_an_address()
    {
        using var run = new CliRun();
        run.Api.On(HttpMethod.Post, "/api/v1/imports/address.*", () => FakeApi.Json(Bodies.Import(state: "parsing"), HttpStatusCode.Created));

        Assert.Equal(ExitCode.Done, await run.RunAsync("submit", "--from", "https://media.example.com/list?sig=a%2Fb", "--file-name",
            "list.csv", "--start", "--idempotency-key", "k1"));

        var call = run.Api.Calls.Single();
        Assert.Equal("""{"from":"https://media.example.com/list?sig=a%2Fb"}""", call.Body);
        Assert.Equal(("/api/v1/imports/address?fileName=list.csv&start=true", "k1"), (call.PathAndQuery, call.IdempotencyKey));
        Assert.Contains("Import 7", run.Output);
    }

    [Theory]
    [InlineData("Name the manifest: a FILE, or --from URL.")]
    [InlineData("Name the manifest: a FILE, or --from URL.", "--from", "https://media.example.com/a.csv", "FILE")]
    public async Task A_manifest_is_a_file_or_an_address(string complaint, params string[] arguments)
    {
        using var run = new CliRun();

        Assert.Equal(ExitCode.Usage, await run.RunAsync(["submit", .. arguments.Select(a => a == "FILE" ? manifest : a)]));

        Assert.Contains(complaint, run.Error, StringComparison.Ordinal);
        Assert.Empty(run.Api.Calls);
    }

    [Fact]
    public async Task Setting_without_a_value_exits_2()
    {
        using var run = new CliRun();

        Assert.Equal(ExitCode.Usage, await run.RunAsync("submit", manifest, "--set", "maxAttempts"));

        Assert.Contains("'maxAttempts'", run.Error);
    }

    [Fact]
    public async Task Json_prints_the_body_as_it_came()
    {
        using var run = new CliRun();
        var body = Bodies.Import(state: "parsing");
        run.Api.On(HttpMethod.Post, "/api/v1/imports.*", body);

        await run.RunAsync("submit", manifest, "--json");

        Assert.Equal(body + Environment.NewLine, run.Output);
    }

    [Fact]
    public async Task Watched_submit_ends_with_the_exit_code_of_the_import()
    {
        using var run = new CliRun();
        run.Api.On(HttpMethod.Post, "/api/v1/imports.*", Bodies.Import(state: "parsing", rows: null, counts: ""));
        run.Api.On(HttpMethod.Get, "/api/v1/imports/7", () => FakeApi.Json(Bodies.Import()), () =>
            FakeApi.Json(Bodies.Import(state: "finished", counts: """ "imported":9,"failed":1 """)));

        Assert.Equal(ExitCode.DoneWithProblems, await run.RunAsync("submit", manifest, "--start", "--watch"));

        Assert.Contains("BulkImporter rerun 7", run.Output);
    }

    [Fact]
    public async Task Upload_that_meets_no_server_exits_1()
    {
        using var run = new CliRun();
        run.Api.On(HttpMethod.Post, "/api/v1/imports.*", FakeApi.Refuse);

        Assert.Equal(ExitCode.Failed, await run.RunAsync("submit", manifest));
    }

    [Fact]
    public async Task Terminal_sees_the_upload_too()
    {
        using var run = new CliRun { Terminal = true };
        run.Api.On(HttpMethod.Post, "/api/v1/imports.*", Bodies.Import(state: "review"));

        Assert.Equal(ExitCode.Done, await run.RunAsync("submit", manifest));

        Assert.Contains("Import 7", run.Output);
    }

    public void Dispose() => folder.Dispose();
}
