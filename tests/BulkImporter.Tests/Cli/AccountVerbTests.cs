using BulkImporter.Cli;

namespace BulkImporter.Tests.Cli;

public sealed class AccountVerbTests
{
    private const string Museum =
        """{"name":"museum","baseUrl":"https://api.cincopa.com/v2/","state":"active","reason":null,"rate":10,"statusRate":0,"maxInFlight":5,"backlog":0}""";

    [Fact]
    public async Task Token_comes_from_standard_input_and_is_never_printed()
    {
        using var run = new CliRun { Input = "1234567itoken\n" };
        run.Api.On(HttpMethod.Post, "/api/v1/accounts", Museum);

        Assert.Equal(ExitCode.Done,
            await run.RunAsync("account", "add", "museum", "--token-stdin", "--base-url", "https://api.example.com/v2/"));

        Assert.Equal("""{"name":"museum","token":"1234567itoken","baseUrl":"https://api.example.com/v2/"}""", run.Api.Calls.Single().Body);
        Assert.DoesNotContain("1234567itoken", run.Output + run.Error + run.Api.Calls.Single().PathAndQuery);
        Assert.Contains("Limits: submit calls per second 10, status calls per second none, calls at the same time 5, calls at the same time per "
            + "source host none, sent and not finished none.",
            run.Output);
    }

    [Fact]
    public async Task A_replaced_token_is_all_that_is_changed_and_is_never_printed()
    {
        using var run = new CliRun { Input = "1234567inew\n" };
        run.Api.On(HttpMethod.Patch, "/api/v1/accounts/museum", Museum);

        Assert.Equal(ExitCode.Done, await run.RunAsync("account", "token", "museum", "--token-stdin"));

        Assert.Equal("""{"token":"1234567inew"}""", run.Api.Calls.Single().Body);
        Assert.DoesNotContain("1234567inew", run.Output + run.Error + run.Api.Calls.Single().PathAndQuery);
    }

    [Theory]
    [InlineData("")]
    [InlineData(" \n")]
    [InlineData("two words")]
    public async Task Input_that_is_no_token_exits_2(string input)
    {
        using var run = new CliRun { Input = input };

        Assert.Equal(ExitCode.Usage, await run.RunAsync("account", "add", "museum", "--token-stdin"));

        Assert.Empty(run.Api.Calls);
    }

    [Fact]
    public async Task Where_assets_play_is_shown_and_changed()
    {
        using var run = new CliRun();
        var museum = Museum[..^1] + ""","playerTemplate":null,"hlsAddress":"https://h.test/{rid}","embedAddress":"https://e.test/{rid}"}""";
        run.Api.On(HttpMethod.Get, "/api/v1/accounts/museum", museum);
        run.Api.On(HttpMethod.Patch, "/api/v1/accounts/museum", museum.Replace("null,\"hls", "\"T1\",\"hls", StringComparison.Ordinal));

        Assert.Equal(ExitCode.Done, await run.RunAsync("account", "player", "museum"));
        Assert.Contains("Embeds play with the gallery of each asset, at https://e.test/{rid}. Playlists are at https://h.test/{rid}.", run.Output);

        Assert.Equal(ExitCode.Done, await run.RunAsync("account", "player", "museum", "--player-template", "T1", "--hls-address", ""));
        Assert.Equal("""{"playerTemplate":"T1","hlsAddress":""}""", run.Api.Calls[^1].Body);
        Assert.Contains("Embeds play with T1", run.Output);
    }

    [Fact]
    public async Task Limits_are_shown_when_none_is_given()
    {
        using var run = new CliRun();
        run.Api.On(HttpMethod.Get, "/api/v1/accounts/museum", Museum);

        Assert.Equal(ExitCode.Done, await run.RunAsync("account", "limits", "museum"));

        Assert.Contains("sent and not finished none", run.Output);
    }

    [Fact]
    public async Task Only_the_limits_that_are_given_are_changed()
    {
        using var run = new CliRun();
        run.Api.On(HttpMethod.Patch, "/api/v1/accounts/north%20%2F%20south", Museum);

        Assert.Equal(ExitCode.Done, await run.RunAsync("account", "limits", "north / south", "--rate", "2.5", "--backlog", "0"));

        Assert.Equal("""{"rate":2.5,"backlog":0}""", run.Api.Calls.Single().Body);
    }

    [Fact]
    public async Task List_shows_why_an_account_is_suspended()
    {
        using var run = new CliRun();
        run.Api.On(HttpMethod.Get, "/api/v1/accounts",
            $$"""{"items":[{{Museum.Replace("\"active\",\"reason\":null", "\"suspended\",\"reason\":\"token rejected\"")}}],"next":null}""");

        Assert.Equal(ExitCode.Done, await run.RunAsync("account", "list"));

        Assert.Matches(@"museum\s+suspended\s+10\s+none\s+5\s+none.*token rejected", run.Output);
    }

    [Theory]
    [InlineData("""{"ok":true,"accountId":"A1","permissions":["asset.*"],"missing":[]}""", ExitCode.Done, "asset.*")]
    [InlineData(
        """{"ok":true,"accountId":"A1","permissions":["asset.read"],"missing":["asset.upload"],"message":"Cincopa does not list asset.upload"}""", ExitCode.Done, "Warning: Cincopa does not list asset.upload")]
    [InlineData("""{"ok":false,"message":"invalid api_token"}""", ExitCode.Failed, "invalid api_token")]
    public async Task Check_fails_when_the_token_does_not_work_and_warns_of_what_it_may_lack(string answer, int exitCode, string told)
    {
        using var run = new CliRun();
        run.Api.On(HttpMethod.Post, "/api/v1/accounts/museum/check", answer);

        Assert.Equal(exitCode, await run.RunAsync("account", "check", "museum"));

        Assert.Contains(told, run.Output);
    }

    [Fact]
    public async Task Verb_is_sent_and_the_one_in_use_and_the_warning_are_shown()
    {
        using var run = new CliRun();
        run.Api.On(HttpMethod.Patch, "/api/v1/accounts/museum", Museum.Replace("\"backlog\":0", """
            "backlog":0,"verb":"auto","verbInUse":"post","warning":"Cincopa does not list asset.upload."
            """, StringComparison.Ordinal));

        Assert.Equal(ExitCode.Done, await run.RunAsync("account", "limits", "museum", "--verb", "auto"));

        Assert.Equal("""{"verb":"auto"}""", run.Api.Calls.Single().Body);
        Assert.Contains("Verb: auto (now POST)", run.Output);
        Assert.Contains("Warning: Cincopa does not list asset.upload.", run.Output);
    }

    [Fact]
    public async Task A_verb_that_is_not_known_exits_2()
    {
        using var run = new CliRun();
        Assert.Equal(ExitCode.Usage, await run.RunAsync("account", "limits", "museum", "--verb", "put"));
        Assert.Empty(run.Api.Calls);
    }

    [Fact]
    public async Task Resume_is_posted()
    {
        using var run = new CliRun();
        run.Api.On(HttpMethod.Post, "/api/v1/accounts/museum/resume", Museum);

        Assert.Equal(ExitCode.Done, await run.RunAsync("account", "resume", "museum"));

        Assert.Contains("active", run.Output);
    }
}
