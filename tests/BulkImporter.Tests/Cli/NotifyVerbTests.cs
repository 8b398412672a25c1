using BulkImporter.Cli;

namespace BulkImporter.Tests.Cli;

public sealed class NotifyVerbTests
{
    [Fact]
    public async Task Add_prints_the_secret_alone_on_standard_output()
    {
        using var run = new CliRun();
        run.Api.On(HttpMethod.Post, "/api/v1/notifications/targets", """{"name":"ops","url":"https://ops.example/x","secret":"whsec_abc"}""");

        Assert.Equal(ExitCode.Done, await run.RunAsync("notify", "add", "ops", "https://ops.example/x"));

        Assert.Equal("whsec_abc", run.Output.Trim());
        Assert.Equal("""{"name":"ops","url":"https://ops.example/x"}""", run.Api.Calls.Single().Body);
    }

    [Fact]
    public async Task Log_shows_what_became_of_each_delivery_and_how_to_go_on()
    {
        using var run = new CliRun();
        run.Api.On(HttpMethod.Get, @"/api/v1/notifications\?limit=2$", """
            {"items":[{"id":12,"kind":"import_finished","at":"2026-01-01T00:00:00Z","importId":7,"deliveries":[{"target":"ops","state":"waiting","tries":3,"problem":"It answered with HTTP 500."}]},
                      {"id":11,"kind":"account_suspended","at":"2026-01-01T00:00:00Z","deliveries":[]}],"next":"11"}
            """);

        Assert.Equal(ExitCode.Done, await run.RunAsync("notify", "log", "--limit", "2"));

        Assert.Contains("import_finished", run.Output);
        Assert.Contains("HTTP 500", run.Output);
        Assert.Contains("account_suspended", run.Output);
        Assert.Contains("--after 11", run.Error);
    }

    [Fact]
    public async Task Replay_and_remove_name_what_they_mean()
    {
        using var run = new CliRun();
        run.Api.On(HttpMethod.Post, "/api/v1/notifications/12/replay$", """{"targets":2}""");
        Assert.Equal(ExitCode.Done, await run.RunAsync("notify", "replay", "12"));
        Assert.Contains("Notification 12 goes to 2 targets.", run.Output);

        run.Api.On(HttpMethod.Delete, "/api/v1/notifications/targets/ops$", "");
        Assert.Equal(ExitCode.Done, await run.RunAsync("notify", "remove", "ops"));
    }

    [Theory]
    [InlineData("account webhook museum", "PUT")]
    [InlineData("account webhook museum --remove", "DELETE")]
    public async Task Webhook_of_an_account_is_set_and_removed(string line, string method)
    {
        using var run = new CliRun();
        run.Api.On(new HttpMethod(method), "/api/v1/accounts/museum/webhook$", "");
        Assert.Equal(ExitCode.Done, await run.RunAsync(line.Split(' ')));
        Assert.Equal(method, run.Api.Calls.Single().Method.ToString());
    }
}
