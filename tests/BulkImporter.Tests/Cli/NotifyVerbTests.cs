using BulkImporter.Cli;

namespace BulkImporter.Tests.Cli;

public sealed class NotifyVerbTests
{
    [Fact]
    public async Task Add_prints_the_secret_alone_on_standard_output()
    {
        using var run = new CliRun();
        run.Api.On(HttpMethod.Post, "/api/v1/notifications/targets",
            """{"name":"ops","url":"https://ops.example/x","secret":"whsec_abc"}""");

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

    [Fact]
    public async Task Header_for_sources_is_kept_from_standard_input_listed_and_forgotten()
    {
        using var run = new CliRun { Input = "Bearer s3cret\n" };
        run.Api.On(HttpMethod.Put, "/api/v1/accounts/museum/source-headers$", "");
        Assert.Equal(ExitCode.Done, await run.RunAsync("account", "source-header", "museum", "--host", "media.example.com", "--header",
            "Authorization", "--value-stdin"));
        Assert.Equal("""{"host":"media.example.com","name":"Authorization","value":"Bearer s3cret"}""", run.Api.Calls.Single().Body);
        Assert.DoesNotContain("s3cret", run.Output, StringComparison.Ordinal);

        run.Api.On(HttpMethod.Get, "/api/v1/accounts/museum/source-headers$",
            """{"items":[{"host":"media.example.com","name":"authorization","updatedAt":"2026-11-25T00:00:00Z"}],"next":null}""");
        Assert.Equal(ExitCode.Done, await run.RunAsync("account", "source-header", "museum"));
        Assert.Contains("authorization for media.example.com", run.Output, StringComparison.Ordinal);

        run.Api.On(HttpMethod.Delete, "/api/v1/accounts/museum/source-headers.*", "");
        Assert.Equal(ExitCode.Done, await run.RunAsync("account", "source-header", "museum", "--host", "media.example.com", "--header",
            "Authorization", "--remove"));
        Assert.Contains("host=media.example.com&header=Authorization", run.Api.Calls[^1].ToString(), StringComparison.Ordinal);
        Assert.Equal(ExitCode.Usage, await run.RunAsync("account", "source-header", "museum", "--host", "media.example.com"));
    }
}
