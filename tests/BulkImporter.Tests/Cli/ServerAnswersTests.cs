using System.Net;
using BulkImporter.Cli;

namespace BulkImporter.Tests.Cli;

/// <summary>What the client verbs make of answers that are no success.</summary>
public sealed class ServerAnswersTests
{
    [Theory]
    [InlineData(HttpStatusCode.NotFound, ExitCode.NotFound)]
    [InlineData(HttpStatusCode.Conflict, ExitCode.Refused)]
    [InlineData(HttpStatusCode.BadRequest, ExitCode.Failed)]
    [InlineData(HttpStatusCode.Forbidden, ExitCode.Failed)]
    [InlineData(HttpStatusCode.InternalServerError, ExitCode.Failed)]
    [InlineData(HttpStatusCode.ServiceUnavailable, ExitCode.Failed)]
    public async Task Problem_is_told_in_the_servers_words_with_its_exit_code(HttpStatusCode status, int exitCode)
    {
        using var run = new CliRun();
        run.Api.On(HttpMethod.Post, "/api/v1/imports/7/pause", () => FakeApi.Problem(status, "Not now", "Import 7 is finished."));

        Assert.Equal(exitCode, await run.RunAsync("pause", "7"));

        Assert.StartsWith("Not now. Import 7 is finished.", run.Error);
        Assert.Empty(run.Output);
    }

    [Theory]
    [InlineData(HttpStatusCode.RequestEntityTooLarge, "A proxy in front of", "client_max_body_size")]
    [InlineData(HttpStatusCode.BadGateway, "is not ready (HTTP 502)", "Try again shortly")]
    [InlineData(HttpStatusCode.ServiceUnavailable, "is not ready (HTTP 503)", "Try again shortly")]
    [InlineData(HttpStatusCode.GatewayTimeout, "got no answer from BulkImporter in time (HTTP 504)", "may have been done")]
    public async Task Page_of_a_proxy_is_told_in_plain_words(HttpStatusCode status, string what, string cure)
    {
        using var run = new CliRun { Input = "url\n" };
        run.Api.On(HttpMethod.Post, "/api/v1/imports.*", () => new HttpResponseMessage(status)
        {
            RequestMessage = new HttpRequestMessage(HttpMethod.Post, "/"),
            Content = new StringContent("<html><head><title>nginx</title></head></html>", System.Text.Encoding.UTF8, "text/html"),
        });

        Assert.Equal(ExitCode.Failed, await run.RunAsync("submit", "-"));

        Assert.Contains(what, run.Error);
        Assert.Contains(cure, run.Error);
        Assert.DoesNotContain("<html", run.Error);
    }

    [Fact]
    public async Task Upload_that_a_proxy_breaks_off_is_not_called_unreachable()
    {
        using var run = new CliRun { Input = "url\n" };
        run.Api.On(HttpMethod.Post, "/api/v1/imports.*", () =>
            throw new HttpRequestException("Error while copying content to a stream.", new IOException("Broken pipe")));

        Assert.Equal(ExitCode.Failed, await run.RunAsync("submit", "-"));

        Assert.Contains("was lost: Broken pipe.", run.Error);
        Assert.Contains("client_max_body_size", run.Error);
    }

    [Fact]
    public async Task Complaints_about_fields_are_told_too()
    {
        using var run = new CliRun();
        run.Api.On(HttpMethod.Get, "/api/v1/imports.*", () =>
            FakeApi.Json("""{"title":"Invalid","errors":{"limit":["must be at most 500","must be even"]}}""", HttpStatusCode.BadRequest));

        Assert.Equal(ExitCode.Failed, await run.RunAsync("list"));

        Assert.Contains("limit: must be at most 500", run.Error);
        Assert.Contains("limit: must be even", run.Error);
    }

    [Fact]
    public async Task Refused_key_says_where_a_key_comes_from_and_does_not_show_it()
    {
        using var run = new CliRun();
        run.Api.On(HttpMethod.Get, "/api/v1/imports.*", () => new HttpResponseMessage(HttpStatusCode.Unauthorized));

        Assert.Equal(ExitCode.Failed, await run.RunAsync("list"));

        Assert.Contains("does not accept the API key", run.Error);
        Assert.Contains("BULKIMPORTER_API_KEY", run.Error);
        Assert.DoesNotContain("key-0123456789", run.Error);
    }

    [Fact]
    public async Task Missing_key_is_told_apart_from_a_refused_one()
    {
        using var run = new CliRun();
        run.Environment.Clear();
        run.Api.On(HttpMethod.Get, "/api/v1/imports.*", () => new HttpResponseMessage(HttpStatusCode.Unauthorized));

        Assert.Equal(ExitCode.Failed, await run.RunAsync("list"));

        Assert.Contains("none was given", run.Error);
        Assert.Null(run.Api.Calls.Single().Authorization);
    }

    [Fact]
    public async Task Key_travels_in_the_header_only()
    {
        using var run = new CliRun();
        run.Api.On(HttpMethod.Get, "/api/v1/imports.*", """{"items":[],"next":null}""");

        Assert.Equal(ExitCode.Done, await run.RunAsync("list", "--api-key", "key-of-option"));

        var call = run.Api.Calls.Single();
        Assert.Equal("Bearer key-of-option", call.Authorization);
        Assert.DoesNotContain("key-of-option", call.PathAndQuery);
    }

    [Fact]
    public async Task Unreachable_server_says_how_to_start_one()
    {
        using var run = new CliRun();
        run.Environment["BULKIMPORTER_SERVER"] = "http://127.0.0.1:7";
        run.Api.On(HttpMethod.Get, "/api/v1/imports.*", FakeApi.Refuse);

        Assert.Equal(ExitCode.Failed, await run.RunAsync("list"));

        Assert.Contains("http://127.0.0.1:7 cannot be reached: Connection refused.", run.Error);
        Assert.Contains("BulkImporter serve", run.Error);
    }

    [Theory]
    [InlineData(HttpStatusCode.OK)]
    [InlineData(HttpStatusCode.NotFound)]
    [InlineData(HttpStatusCode.Redirect)]
    public async Task Somebody_elses_server_is_recognised(HttpStatusCode status)
    {
        using var run = new CliRun();
        run.Api.On(HttpMethod.Get, "/api/v1/imports/7", () =>
            new HttpResponseMessage(status) { Content = new StringContent("<html>Welcome</html>") });

        Assert.Equal(ExitCode.Failed, await run.RunAsync("show", "7"));

        Assert.Contains("does not seem to be a BulkImporter server", run.Error);
    }

    [Fact]
    public async Task Control_characters_of_an_answer_do_not_reach_the_terminal()
    {
        using var run = new CliRun();
        run.Api.On(HttpMethod.Get, "/api/v1/imports/7", () => FakeApi.Problem(HttpStatusCode.NotFound, "Gone", @"\u001b[2J\u0007nothing"));

        await run.RunAsync("show", "7");

        Assert.Contains("[2J nothing", run.Error);
        Assert.DoesNotContain('\u001b', run.Error);
    }
}
