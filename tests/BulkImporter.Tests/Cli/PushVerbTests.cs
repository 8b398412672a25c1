using System.Net;
using System.Security.Cryptography;
using System.Text;
using BulkImporter.Cli;

namespace BulkImporter.Tests.Cli;

public sealed class PushVerbTests : IDisposable
{
    private static readonly string FirstHash = Hash("first"), SecondHash = Hash("second");

    private readonly TemporaryFolder folder = new();
    private readonly string first;
    private readonly string second;

    public PushVerbTests() => (first, second) = (folder.File("first ä.mp4", "first"), folder.File("second.mp4", "second"));

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task Files_are_sent_unless_they_are_there_and_become_an_import_in_their_order()
    {
        using var run = new CliRun();
        run.Api.On(HttpMethod.Get, $"/api/v1/files/{FirstHash}", () =>
            FakeApi.Problem(HttpStatusCode.NotFound, "Not found", "This server does not keep a file with this hash."))
            .On(HttpMethod.Get, $"/api/v1/files/{SecondHash}", Kept(SecondHash))
            .On(HttpMethod.Post, "/api/v1/files", Kept(FirstHash))
            .On(HttpMethod.Post, "/api/v1/imports/files.*", () => FakeApi.Json(Bodies.Import(state: "parsing"), HttpStatusCode.Created));

        Assert.Equal(ExitCode.Done, await run.RunAsync("push", first, second, "--name", "Spring", "--account", "museum", "--set", "fid=F1",
            "--start", "--idempotency-key", "k1"));

        Assert.Equal("first", Assert.Single(run.Api.Calls, call =>
            call.Method == HttpMethod.Post && call.PathAndQuery == "/api/v1/files").Body);
        var made = run.Api.Calls[^1];
        Assert.Equal(("/api/v1/imports/files?name=Spring&account=museum&start=true&set=fid%3DF1", "k1"),
            (made.PathAndQuery, made.IdempotencyKey));
        Assert.Equal(
            [("first ä.mp4", FirstHash), ("second.mp4", SecondHash)],
            System.Text.Json.JsonDocument.Parse(made.Body).RootElement.GetProperty("files").EnumerateArray()
                .Select(f => (f.GetProperty("name").GetString()!, f.GetProperty("sha256").GetString()!)));
        Assert.Contains("second.mp4 is already on the server", run.Error);
        Assert.Contains("BulkImporter show 7 --watch", run.Output);
    }

    [Fact]
    public async Task What_is_no_file_and_an_empty_one_are_told_before_anything_is_sent()
    {
        using var run = new CliRun();

        Assert.Equal(ExitCode.Usage, await run.RunAsync("push"));
        Assert.Equal(ExitCode.Usage, await run.RunAsync("push", first, folder.File("absent.mp4")));
        Assert.Equal(ExitCode.Failed, await run.RunAsync("push", first, folder.File("empty.mp4", "")));

        Assert.Contains("empty.mp4 is empty", run.Error);
        Assert.Empty(run.Api.Calls);
    }

    [Theory]
    [InlineData("-")]
    [InlineData("/dev/stdin")]
    [InlineData("/dev/null")]
    public async Task What_has_no_name_of_a_file_is_refused_in_a_sentence(string path)
    {
        using var run = new CliRun();

        Assert.Equal(ExitCode.Usage, await run.RunAsync("push", first, path));

        Assert.Contains("is a pipe or a device and has no file name. Cincopa recognises the kind of media by the name", run.Error);
        Assert.Empty(run.Api.Calls);
    }

    [Fact]
    public async Task A_refusal_is_told_in_the_words_of_the_server()
    {
        using var run = new CliRun();
        run.Api.On(HttpMethod.Get, "/api/v1/files/.*", () => FakeApi.Problem(HttpStatusCode.NotFound, "Not found", null))
            .On(HttpMethod.Post, "/api/v1/files", () =>
                FakeApi.Problem(HttpStatusCode.RequestEntityTooLarge, "File too large", "The file is larger than the limit of 4 bytes."));

        Assert.Equal(ExitCode.Failed, await run.RunAsync("push", first));

        Assert.Contains("larger than the limit of 4 bytes", run.Error);
    }

    private static string Kept(string sha256) => $$"""{"sha256":"{{sha256}}","sizeBytes":5}""";

    private static string Hash(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));
}
