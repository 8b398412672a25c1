using BulkImporter.Cli;

namespace BulkImporter.Tests.Cli;

public sealed class CommandLineTests
{
    [Theory]
    [InlineData("shwo")]
    [InlineData("show")]
    [InlineData("show", "seven")]
    [InlineData("show", "7", "--nonsense")]
    [InlineData("records", "7", "--state", "finished")]
    [InlineData("records", "7", "--limit", "0")]
    [InlineData("rerun", "7", "--state", "failed", "--code", "source_not_found")]
    [InlineData("rerun", "7", "--code", "source_not_found", "--record", "1")]
    [InlineData("rerun", "7", "--push", "--file", "README.md")]
    [InlineData("export", "7", "--format", "xlsx")]
    [InlineData("submit", "/no/such/manifest.csv")]
    [InlineData("account")]
    [InlineData("account", "add", "museum")]
    [InlineData("account", "token", "museum")]
    [InlineData("account", "limits", "museum", "--rate", "-1")]
    [InlineData("account", "limits", "museum", "--rate", "NaN")]
    [InlineData("account", "limits", "museum", "--max-in-flight", "many")]
    [InlineData("user", "add", "anna")]
    [InlineData("user", "add", "anna", "--role", "owner")]
    [InlineData("user", "role", "anna", "owner")]
    [InlineData("key", "add", "nightly", "--role", "viewer", "--days", "0")]
    [InlineData("key", "revoke", "nightly")]
    [InlineData("--urls", "http://127.0.0.1:1", "list")]
    public async Task Wrong_command_line_exits_2_and_points_to_help_without_asking_the_server(params string[] args)
    {
        using var run = new CliRun();

        Assert.Equal(ExitCode.Usage, await run.RunAsync(args));

        Assert.Contains("--help", run.Error);
        Assert.Empty(run.Output);
        Assert.Empty(run.Api.Calls);
    }

    [Theory]
    [InlineData("example.com:5080")]
    [InlineData("ftp://example.com")]
    [InlineData("https://key-in-user@example.com")]
    [InlineData("https://example.com/?api_key=key-in-query")]
    public async Task Server_address_that_is_none_or_holds_a_key_exits_2_and_is_not_repeated(string address)
    {
        using var run = new CliRun();

        Assert.Equal(ExitCode.Usage, await run.RunAsync("list", "--server", address));

        Assert.DoesNotContain("key-in", run.Error);
        Assert.Empty(run.Api.Calls);
    }

    [Fact]
    public async Task No_verb_means_serve_at_the_default_address()
    {
        ServeOptions? seen = null;
        using var run = new CliRun { Server = CliRun.NoServer with { Serve = (options, _) => Answer(options, ref seen, 42) } };

        Assert.Equal(42, await run.RunAsync());

        Assert.Equal(new ServeOptions("http://127.0.0.1:5080", null), seen);
    }

    [Fact]
    public async Task No_verb_but_options_means_serve_with_them()
    {
        ServeOptions? seen = null;
        using var run = new CliRun { Server = CliRun.NoServer with { Serve = (options, _) => Answer(options, ref seen, 0) } };

        Assert.Equal(0, await run.RunAsync("--urls", "http://127.0.0.1:8080", "--data", "/var/lib/bulkimporter"));

        Assert.Equal(new ServeOptions("http://127.0.0.1:8080", "/var/lib/bulkimporter"), seen);
    }

    [Fact]
    public async Task Each_server_verb_calls_its_own_role()
    {
        var seen = new List<string>();
        Func<ServeOptions, CancellationToken, Task<int>> Role(string name) => (options, _) =>
        {
            seen.Add($"{name} {options.Urls}");
            return Task.FromResult(0);
        };
        using var run = new CliRun { Server = new ServerVerbs(Role("serve"), Role("web"), Role("work"), Role("migrate")) };
        run.Environment["ASPNETCORE_URLS"] = "http://127.0.0.1:9";

        foreach (var verb in new[] { "serve", "web", "work", "migrate" })
            Assert.Equal(0, await run.RunAsync(verb));
        await run.RunAsync("work", "--urls", "http://127.0.0.1:8");

        Assert.Equal(["serve http://127.0.0.1:9", "web http://127.0.0.1:9", "work ", "migrate ", "work http://127.0.0.1:8"], seen);
    }

    [Fact]
    public async Task Server_verb_is_given_the_token_that_signals_cancel()
    {
        using var run = new CliRun
        {
            Server = CliRun.NoServer with
            {
                Serve = async (_, token) =>
                {
                    await Task.Delay(Timeout.Infinite, token).ContinueWith(_ => { }, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
                    return 17;
                },
            },
        };
        var serving = run.RunAsync("serve");
        Assert.False(serving.IsCompleted);

        await run.Interrupt.CancelAsync();

        Assert.Equal(17, await serving);
    }

    [Fact]
    public async Task Every_verb_has_a_help_with_an_example()
    {
        using var probe = new CliRun();
        foreach (var verb in DoorsTests.Verbs(CommandLine.Root(CliRun.NoServer, probe.Surroundings), withGroups: true))
        {
            using var run = new CliRun();
            Assert.Equal(ExitCode.Done, await run.RunAsync([.. verb.Split(' '), "--help"]));
            Assert.Contains("BulkImporter " + verb, run.Output[run.Output.IndexOf("Examples:", StringComparison.Ordinal)..]);
        }
    }

    [Fact]
    public async Task Help_without_a_verb_lists_verbs_and_exit_codes()
    {
        using var run = new CliRun();

        Assert.Equal(ExitCode.Done, await run.RunAsync("--help"));

        Assert.Contains("submit <FILE>", run.Output);
        Assert.Contains("3 done with failed or unknown records", run.Output);
    }

    [Fact]
    public async Task Interrupted_verb_exits_130()
    {
        using var run = new CliRun();
        await run.Interrupt.CancelAsync();

        Assert.Equal(ExitCode.Interrupted, await run.RunAsync("list"));
    }

    private static Task<int> Answer(ServeOptions options, ref ServeOptions? seen, int answer)
    {
        seen = options;
        return Task.FromResult(answer);
    }
}
