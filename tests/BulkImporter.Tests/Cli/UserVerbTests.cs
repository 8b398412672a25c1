using System.Net;
using BulkImporter.Cli;

namespace BulkImporter.Tests.Cli;

public sealed class UserVerbTests
{
    private const string Anna =
        """{"id":1,"name":"anna","role":"operator","state":"active","lockedOutUntil":null,"createdAt":"2026-11-23T10:00:00Z","signedInAt":"2026-11-23T11:00:00Z"}""";

    [Fact]
    public async Task Add_prints_the_link_alone_so_that_it_can_be_piped()
    {
        using var run = new CliRun();
        run.Api.On(HttpMethod.Post, "/api/v1/users",
            $$"""{"link":{"url":"http://127.0.0.1:5080/choose-password?code=abc","expiresAt":"2026-11-30T10:00:00Z"},"user":{{Anna}}} """);

        Assert.Equal(ExitCode.Done, await run.RunAsync("user", "add", "anna", "--role", "operator"));

        Assert.Equal("""{"name":"anna","role":"operator"}""", run.Api.Calls.Single().Body);
        Assert.Equal("http://127.0.0.1:5080/choose-password?code=abc", run.Output.Trim());
        Assert.Contains("2026-11-30 10:00:00", run.Error);
    }

    [Fact]
    public async Task List_shows_who_may_do_what()
    {
        using var run = new CliRun();
        run.Api.On(HttpMethod.Get, "/api/v1/users", $$"""{"items":[{{Anna}}],"next":null}""");

        Assert.Equal(ExitCode.Done, await run.RunAsync("user", "list"));

        Assert.Matches(@"anna\s+operator\s+active\s+2026-11-23 11:00:00", run.Output);
    }

    [Theory]
    [InlineData("role anna admin", """{"role":"admin"}""")]
    [InlineData("lock anna", """{"locked":true}""")]
    [InlineData("unlock anna", """{"locked":false}""")]
    public async Task Only_what_is_named_is_changed(string verb, string body)
    {
        using var run = new CliRun();
        run.Api.On(HttpMethod.Patch, "/api/v1/users/anna", Anna);

        Assert.Equal(ExitCode.Done, await run.RunAsync(["user", .. verb.Split(' ')]));

        Assert.Equal(body, run.Api.Calls.Single().Body);
    }

    [Fact]
    public async Task Link_prints_a_new_one()
    {
        using var run = new CliRun();
        run.Api.On(HttpMethod.Post, "/api/v1/users/anna/password-link",
            """{"url":"http://127.0.0.1:5080/choose-password?code=abc","expiresAt":"2026-11-30T10:00:00Z"}""");

        Assert.Equal(ExitCode.Done, await run.RunAsync("user", "link", "anna"));

        Assert.Equal("http://127.0.0.1:5080/choose-password?code=abc", run.Output.Trim());
    }

    [Fact]
    public async Task Remove_is_done_by_an_empty_answer_and_refused_for_the_last_admin()
    {
        using var run = new CliRun();
        run.Api.On(HttpMethod.Delete, "/api/v1/users/anna", () => new HttpResponseMessage(HttpStatusCode.NoContent))
            .On(HttpMethod.Delete, "/api/v1/users/root", () =>
                FakeApi.Problem(HttpStatusCode.Conflict, "Last admin", "Make another one first."));

        Assert.Equal(ExitCode.Done, await run.RunAsync("user", "remove", "anna"));
        Assert.Equal(ExitCode.Refused, await run.RunAsync("user", "remove", "root"));

        Assert.Contains("Make another one first.", run.Error);
    }
}
