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
    [InlineData("export", "7", "--format", "pdf")]
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
    public async Task Nothing_at_all_prints_help_and_starts_no_server()
    {
        using var run = new CliRun();

        Assert.Equal(ExitCode.Done, await run.RunAsync());

        Assert.Contains("Usage:", run.Output);
        Assert.Contains("BulkImporter serve", run.Output);
    }

    [Fact]
    public async Task Serve_listens_at_the_default_address()
    {
        ServeOptions? seen = null;
        using var run = new CliRun { Server = CliRun.NoServer with { Serve = (options, _) => Answer(options, ref seen, 42) } };

        Assert.Equal(42, await run.RunAsync("serve"));

        Assert.Equal(new ServeOptions("http://127.0.0.1:5080", null), seen);
    }

    [Theory]
    [InlineData("key-of-the-environment\r")]
    [InlineData("\uFEFFkey-of-the-environment\r\n")]
    public async Task Key_is_sent_without_what_an_editor_left_at_its_ends(string key)
    {
        using var run = new CliRun();
        run.Environment["BULKIMPORTER_API_KEY"] = key;
        run.Environment["BULKIMPORTER_SERVER"] = "http://127.0.0.1:9\r";
        run.Api.On(HttpMethod.Get, "/api/v1/imports.*", """{"items":[],"next":null}""");

        Assert.Equal(ExitCode.Done, await run.RunAsync("list"));

        Assert.Equal("Bearer key-of-the-environment", run.Api.Calls.Single().Authorization);
    }

    [Theory]
    [InlineData("a\rb")]
    [InlineData("schlüssel")]
    [InlineData("two words")]
    public async Task Key_that_nobody_could_send_exits_2_and_is_not_repeated(string key)
    {
        using var run = new CliRun();
        run.Environment["BULKIMPORTER_API_KEY"] = key;

        Assert.Equal(ExitCode.Usage, await run.RunAsync("list"));

        Assert.StartsWith("BULKIMPORTER_API_KEY holds a character that cannot be sent: U+", run.Error);
        Assert.DoesNotContain(key, run.Error);
        Assert.Empty(run.Api.Calls);
    }

    [Theory]
    [InlineData("a\nb")]
    [InlineData("")]
    [InlineData("schlüssel")]
    public async Task Idempotency_key_that_no_header_takes_exits_2(string key)
    {
        using var run = new CliRun { Input = "url\n" };

        Assert.Equal(ExitCode.Usage, await run.RunAsync("submit", "-", "--idempotency-key", key));

        Assert.Contains("--idempotency-key takes", run.Error);
        Assert.Empty(run.Api.Calls);
    }

    [Fact]
    public async Task What_nobody_expects_is_one_sentence_and_exit_code_1()
    {
        using var run = new CliRun { Server = CliRun.NoServer with { Serve = (_, _) => throw new KeyNotFoundException("No such thing.") } };

        Assert.Equal(ExitCode.Failed, await run.RunAsync("serve"));

        Assert.StartsWith("BulkImporter has failed unexpectedly (KeyNotFoundException in", run.Error);
        Assert.EndsWith("No such thing.", run.Error.Split(Environment.NewLine)[0]);
        Assert.DoesNotContain("   at ", run.Error);
    }

    [Fact]
    public async Task Output_that_cannot_be_written_is_told_and_exits_1()
    {
        using var run = new CliRun { Server = CliRun.NoServer with { Serve = (_, _) => throw new IOException("No space left on device") } };

        Assert.Equal(ExitCode.Failed, await run.RunAsync("serve"));

        Assert.StartsWith("Standard output cannot be written: No space left on device", run.Error);
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
                    await Task.Delay(Timeout.Infinite, token)
                        .ContinueWith(_ => { }, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
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
