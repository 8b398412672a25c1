using System.Net;
using BulkImporter.Cli;

namespace BulkImporter.Tests.Cli;

public sealed class KeyVerbTests
{
    private const string Nightly =
        """{"id":3,"name":"nightly","prefix":"bik_abcdefgh","role":"operator","createdAt":"2026-11-23T10:00:00Z","expiresAt":EXPIRES,"revokedAt":null,"lastUsedAt":"2026-11-23T11:30:00Z"}""";

    [Theory]
    [InlineData(null, """{"name":"nightly","role":"operator"}""")]
    [InlineData("30", """{"name":"nightly","role":"operator","expiresAt":"2026-12-23T12:00:00+00:00"}""")]
    public async Task Add_prints_the_secret_alone_so_that_it_can_be_piped(string? days, string body)
    {
        using var run = new CliRun();
        run.Api.On(HttpMethod.Post, "/api/v1/keys", $$"""{"key":{{Nightly.Replace("EXPIRES", "null")}},"secret":"bik_secret"}""");

        Assert.Equal(ExitCode.Done,
            await run.RunAsync(["key", "add", "nightly", "--role", "operator", .. days is null
                ? Array.Empty<string>() : ["--days", days]]));

        Assert.Equal(body, run.Api.Calls.Single().Body);
        Assert.Equal("bik_secret", run.Output.Trim());
    }

    [Theory]
    [InlineData("null", "active")]
    [InlineData("\"2026-11-23T12:00:01Z\"", "active")]
    [InlineData("\"2026-11-23T12:00:00Z\"", "expired")]
    public async Task List_shows_whether_a_key_works_and_when_it_was_used(string expires, string state)
    {
        using var run = new CliRun();
        run.Api.On(HttpMethod.Get, "/api/v1/keys", $$"""{"items":[{{Nightly.Replace("EXPIRES", expires)}}],"next":null}""");

        Assert.Equal(ExitCode.Done, await run.RunAsync("key", "list"));

        Assert.Matches($@"3\s+nightly\s+bik_abcdefgh\s+operator\s+{state}\s+.*2026-11-23 11:30:00", run.Output);
    }

    [Fact]
    public async Task Revoke_is_done_by_an_empty_answer()
    {
        using var run = new CliRun();
        run.Api.On(HttpMethod.Delete, "/api/v1/keys/3", () => new HttpResponseMessage(HttpStatusCode.NoContent));

        Assert.Equal(ExitCode.Done, await run.RunAsync("key", "revoke", "3"));

        Assert.Contains("Key 3 is revoked.", run.Output);
    }
}
