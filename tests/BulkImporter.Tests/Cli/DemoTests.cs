using System.Net;
using System.Net.Sockets;
using BulkImporter.Cli;

namespace BulkImporter.Tests.Cli;

/// <summary>
/// The demo with children that only wait, and the API played by the fake: who is started with what, and that nobody is left behind.
/// </summary>
public sealed class DemoTests : IDisposable
{
    private const string Finished = """ "imported":217,"failed":18,"unknown":3,"invalid":9,"duplicate":4 """;
    private const string LookedFor = """ "imported":218,"failed":18,"unknown":2,"invalid":9,"duplicate":4 """;

    private const string Arrival = """
        "arrival":{"verified":194,"sizeDiffers":1,"durationDiffers":0,"md5Differs":0,"unverifiable":23},
        """;

    private readonly TemporaryFolder folder = new();

    [Fact]
    public async Task Once_imports_the_sample_writes_the_results_stops_both_children_and_exits_3()
    {
        using var run = Scripted();

        Assert.Equal(ExitCode.DoneWithProblems, await DemoOf(run)
            .RunAsync(new DemoOptions { Once = true, Directory = folder.Path }, CancellationToken.None));

        var upload = run.Api.Calls.Single(c => c.Method == HttpMethod.Post);
        Assert.Contains("start=true", upload.PathAndQuery);
        Assert.Equal(251, upload.Body.Split("\nHBM-").Length - 1);
        Assert.StartsWith("demo-", upload.IdempotencyKey);
        Assert.Equal("url\n", File.ReadAllText(folder.File("results.csv")));
        Assert.Contains(folder.File("results.csv"), run.Output);
        Assert.Equal("map $host$request_uri", File.ReadAllText(folder.File("old-addresses.conf")));
        Assert.Contains($"Map of old addresses for nginx: {folder.File("old-addresses.conf")}", run.Output);
        Assert.Contains("222 old addresses.", run.Output);
        // The numbers are those after the assets of records in doubt were looked for.
        Assert.Matches(@"imported\s+218\b", run.Output);
        Assert.Matches(@"size_differs\s+1\b", run.Output);
        Assert.Contains("222 old addresses.\nArrival: 194 verified, 1 size_differs, 23 unverifiable.\n", run.Output.ReplaceLineEndings("\n"));
        AssertChildrenAreGone();
    }

    [Fact]
    public async Task Server_gets_the_simulators_address_its_key_and_a_database_of_its_own()
    {
        using var run = Scripted();

        await DemoOf(run).RunAsync(new DemoOptions { Once = true, Directory = folder.Path }, CancellationToken.None);

        var key = File.ReadAllText(folder.File("api-key"));
        var simulator = File.ReadAllLines(folder.File("simulator.log"))[0].Split(' ')[2];
        var server = File.ReadAllLines(folder.File("server.log"));
        Assert.StartsWith("serve --urls http://127.0.0.1:", server[0]);
        Assert.Contains($"base={simulator}/v2/", server);
        Assert.Contains($"key={key}", server);
        Assert.Contains($"data={Path.Combine(folder.Path, "data")}", server);
        Assert.Contains("database=", server);
        Assert.Equal($"Bearer {key}", run.Api.Calls.Single(c => c.Method == HttpMethod.Post).Authorization);
        Assert.DoesNotContain(key, run.Output + run.Error);
        if (!OperatingSystem.IsWindows())
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(folder.File("api-key")));
    }

    [Fact]
    public async Task Without_once_it_stays_with_a_sign_in_link_until_interrupted()
    {
        using var run = Scripted();
        run.Api.On(HttpMethod.Post, "/api/v1/sign-in-links", () =>
        {
            run.Interrupt.CancelAfter(TimeSpan.FromMilliseconds(100));
            return FakeApi.Json("""{"url":"http://127.0.0.1:5080/sign-in/abc"}""");
        });

        Assert.Equal(ExitCode.Done, await DemoOf(run)
            .RunAsync(new DemoOptions { Directory = folder.Path, Urls = $"http://127.0.0.1:{FreePort()}" }, run.Interrupt.Token));

        Assert.Contains("http://127.0.0.1:5080/sign-in/abc", run.Output);
        AssertChildrenAreGone();
    }

    [Fact]
    public async Task Second_demo_in_a_folder_keeps_key_address_and_import()
    {
        using var run = Scripted();
        var options = new DemoOptions { Once = true, Directory = folder.Path };

        await DemoOf(run).RunAsync(options, CancellationToken.None);
        var first = File.ReadAllLines(folder.File("server.log"))[1..4];
        await DemoOf(run).RunAsync(options, CancellationToken.None);

        Assert.Equal(first, File.ReadAllLines(folder.File("server.log"))[1..4]);
        Assert.Single(run.Api.Calls.Where(c => c.Method == HttpMethod.Post).Select(c => c.IdempotencyKey).Distinct());
    }

    [Fact]
    public async Task Sample_has_the_rows_that_its_readme_promises()
    {
        using var run = new CliRun();
        var file = folder.File("demo.csv");
        await using (var sample = typeof(Demo).Assembly.GetManifestResourceStream("demo.csv")!)
        await using (var copy = File.Create(file))
            await sample.CopyToAsync(copy, TestContext.Current.CancellationToken);

        await run.RunAsync("validate", file);

        Assert.Contains("251 rows: 238 valid, 9 invalid, 4 duplicate.", run.Output);
        var text = await File.ReadAllTextAsync(file, TestContext.Current.CancellationToken);
        var failed = new[] { "missing", "forbidden", "notmedia", "timeout", "refused" }.Sum(name => text.Split($"/{name}-").Length - 1);
        Assert.Equal((18, 3), (failed, text.Split("/lost-").Length - 1));
        Assert.DoesNotContain("/stalled-", text);
        Assert.DoesNotContain("/norid-", text);
    }

    [Fact]
    public async Task Port_that_is_taken_is_told_before_anything_starts()
    {
        using var run = Scripted();
        using var other = new TcpListener(IPAddress.Loopback, 0);
        other.Start();

        var failure = await Assert.ThrowsAsync<VerbFailure>(() => DemoOf(run).RunAsync(
            new DemoOptions { Once = true, Directory = folder.Path, Urls = $"http://127.0.0.1:{((IPEndPoint)other.LocalEndpoint).Port}" },
            CancellationToken.None));

        Assert.Contains("--urls", failure.Advice);
        Assert.Empty(Directory.GetFiles(folder.Path, "*.log"));
    }

    [Fact]
    public async Task Server_that_ends_shows_the_end_of_its_log()
    {
        using var run = Scripted(ready: false);
        var demo = new Demo(run.Surroundings, new ProgramFile("/bin/sh", ["-c", "echo the port is taken; exit 1"]), Simulator);

        var failure = await Assert.ThrowsAsync<VerbFailure>(() =>
            demo.RunAsync(new DemoOptions { Once = true, Directory = folder.Path }, CancellationToken.None));

        Assert.Equal(ExitCode.Failed, failure.ExitCode);
        Assert.Contains("the port is taken", failure.Advice);
        AssertChildrenAreGone();
    }

    [Fact]
    public async Task Interrupt_during_the_import_leaves_no_child()
    {
        using var run = Scripted();
        run.Api.First(HttpMethod.Get, "/api/v1/imports/1", () =>
        {
            run.Interrupt.Cancel();
            return FakeApi.Json(Bodies.Import(1));
        });
        run.Api.First(HttpMethod.Post, "/api/v1/imports.*", Bodies.Import(1));

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() =>
            DemoOf(run).RunAsync(new DemoOptions { Once = true, Directory = folder.Path }, run.Interrupt.Token));

        AssertChildrenAreGone();
    }

    [Fact]
    public async Task Failure_in_the_middle_leaves_no_child()
    {
        using var run = Scripted();
        run.Api.First(HttpMethod.Post, "/api/v1/imports.*", () => FakeApi.Problem(HttpStatusCode.InternalServerError, "Broken", null));

        await Assert.ThrowsAsync<VerbFailure>(() =>
            DemoOf(run).RunAsync(new DemoOptions { Once = true, Directory = folder.Path }, CancellationToken.None));

        AssertChildrenAreGone();
    }

    [Fact]
    public void Simulator_that_is_named_is_taken_and_a_dll_is_run_by_dotnet()
    {
        Assert.Equal(["/x/Cincopa.Simulator.dll"], Demo.FindSimulator("/x/Cincopa.Simulator.dll").Arguments);
        Assert.Equal("/x/Cincopa.Simulator", Demo.FindSimulator("/x/Cincopa.Simulator").FileName);
    }

    public void Dispose() => folder.Dispose();

    private static ProgramFile Simulator => Waiting("echo simulator $*");

    private static ProgramFile Server =>
        Waiting(
            "echo $*; echo base=$Cincopa__BaseUrl; echo key=$BULKIMPORTER_API_KEY; echo data=$BulkImporter__DataDirectory; echo "
                + "database=$ConnectionStrings__BulkImporter");

    /// <summary>Tells what it was given and its process id, and waits for SIGTERM.</summary>
    private static ProgramFile Waiting(string tell) =>
        new("/bin/sh", ["-c", $"{tell}; echo pid=$$; trap 'exit 0' TERM; while :; do sleep 0.02; done", "sh"]);

    private static Demo DemoOf(CliRun run) => new(run.Surroundings, Server, Simulator);

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    /// <summary>A server that is ready once its child has told everything.</summary>
    private CliRun Scripted(bool ready = true)
    {
        var run = new CliRun();
        HttpResponseMessage ReadyOnce(bool told)
        {
            if (told) return new(HttpStatusCode.OK);
            // The child is real and lives in real time, which the clock here does not: without this the time to start would be over before
            // it has begun.
            Thread.Sleep(20);
            return new(HttpStatusCode.ServiceUnavailable);
        }
        bool HasTold(string log) => Read(log).Contains("pid=", StringComparison.Ordinal);
        run.Api.On(HttpMethod.Get, "/_sim/outcomes", () => ReadyOnce(HasTold("simulator.log")));
        run.Api.On(HttpMethod.Get, "/health/ready", () => ReadyOnce(ready && HasTold("server.log")));
        run.Api.On(HttpMethod.Post, "/api/v1/imports.*", Bodies.Import(1, "finished", Finished, 251));
        // Not looked for at first; then one is found, and the other two wait for a person.
        run.Api.On(HttpMethod.Get, @"/api/v1/imports/1/records\?state=unknown",
            () => FakeApi.Json("""{"items":[{"rowNumber":17},{"rowNumber":25},{"rowNumber":81}],"next":null}"""),
            () => FakeApi.Json("""{"items":[{"rowNumber":17},{"rowNumber":81}],"next":null}"""));
        run.Api.On(HttpMethod.Get, @"/api/v1/imports/1/records/\d+/candidates",
            () => FakeApi.Json("""{"items":[],"lookedAt":null}"""),
            () => FakeApi.Json("""{"items":[],"lookedAt":null}"""),
            () => FakeApi.Json("""{"items":[],"lookedAt":null}"""),
            () => FakeApi.Json("""{"items":[],"lookedAt":"2026-11-23T11:00:00Z"}"""));
        run.Api.On(HttpMethod.Get, "/api/v1/imports/1", Bodies.Import(1, "finished", LookedFor, 251)
            .Replace("\"failures\"", Arrival + "\"failures\"", StringComparison.Ordinal));
        run.Api.On(HttpMethod.Get, @"/api/v1/imports/1/results\?format=csv", () =>
            new HttpResponseMessage { Content = new StringContent("url\n") });
        run.Api.On(HttpMethod.Get, "/api/v1/accounts", """{"items":[{"name":"default"}],"next":null}""");
        run.Api.On(HttpMethod.Patch, "/api/v1/accounts/default", """{"name":"default"}""");
        run.Api.On(HttpMethod.Get, @"/api/v1/map/check\?import=1&format=nginx",
            """{"addresses":222,"repeated":0,"withoutTarget":0,"withoutAddress":0}""");
        run.Api.On(HttpMethod.Get, @"/api/v1/map\?import=1&format=nginx", () =>
            new HttpResponseMessage { Content = new StringContent("map $host$request_uri") });
        return run;
    }

    private string Read(string log)
    {
        using var reader = new StreamReader(new FileStream(folder.File(log), FileMode.Open, FileAccess.Read, FileShare.ReadWrite));
        return reader.ReadToEnd();
    }

    private void AssertChildrenAreGone()
    {
        foreach (var log in new[] { "simulator.log", "server.log" }.Where(l => File.Exists(folder.File(l))))
        {
            foreach (var pid in File.ReadAllLines(folder.File(log)).Where(l => l.StartsWith("pid=", StringComparison.Ordinal)))
                Assert.False(ChildProcessTests.IsAlive(int.Parse(pid[4..])));
        }
    }
}
