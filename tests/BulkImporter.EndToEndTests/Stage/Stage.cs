using System.Collections;
using System.Collections.Concurrent;
using System.Globalization;

// One more than CI has cores: most of a test's time is waiting for a lease to run out or for a call to be answered.
[assembly: Xunit.v3.Parallelization(MaxThreads = 3)]

namespace BulkImporter.EndToEndTests;

/// <summary>
/// What one test plays on: a folder, the programs it started, and the end of all of them, PostgreSQL servers included. When the test
/// failed, the folder is kept and the ends of the logs are shown. A field of the test class, which disposes of it, or of its fixture.
/// </summary>
internal sealed class Stage : IAsyncDisposable
{
    public const string Token = "1000001iend0to0end";

    private static readonly TimeSpan StartLimit = TimeSpan.FromMinutes(3);
    private static readonly string[] ProductPrefixes =
        ["BULKIMPORTER", "CONNECTIONSTRINGS__", "CINCOPA", "ASPNETCORE_", "DOTNET_ENVIRONMENT"];

    private static readonly ConcurrentDictionary<string, bool> Open = new();

    private readonly List<RunningProgram> programs = [];
    private readonly List<IDisposable> clients = [];
    private bool failed;

    static Stage() =>
        // A test run that is told to end (Ctrl-C, the time limit of ./run) leaves no PostgreSQL behind.
        AppDomain.CurrentDomain.ProcessExit += (_, _) => Task.WhenAll(Open.Keys.Select(StopPostgresAsync)).GetAwaiter().GetResult();

    public Stage() => Open[Folder] = true;

    /// <summary>Not a private one: PostgreSQL, which does not run as root, must get into it.</summary>
    public string Folder { get; } =
        Directory.CreateDirectory(Path.Combine(Path.GetTempPath(), $"bulkimporter-e2e-{Path.GetRandomFileName()}")).FullName;

    /// <summary>The first admin key of every server of this stage.</summary>
    public string ApiKey { get; } = Guid.NewGuid().ToString("N");

    public string DataDirectory => Path.Combine(Folder, "data");

    /// <summary>Where <c>serve</c> keeps the PostgreSQL that it brought.</summary>
    public string EmbeddedCluster => Path.Combine(DataDirectory, "postgres", "cluster");

    public async Task<SimulatedCincopa> StartSimulatorAsync(string host = "127.0.0.1")
    {
        var address = $"http://{host}:{FreePort.Take()}";
        var program = Start("simulator", BuiltPrograms.Simulator, ["--urls", address]);
        var simulator = Kept(new SimulatedCincopa(address));
        await UntilAsync(program, simulator.IsUpAsync);
        return simulator;
    }

    /// <summary>
    /// Starts <c>serve</c> on its own embedded database and waits until it is ready. A second time it is a restart: same address, same
    /// data.
    /// </summary>
    /// <param name="cincopa">Whom it calls.</param>
    /// <param name="settings">More of its environment.</param>
    /// <param name="address">That of the first time.</param>
    /// <param name="below">The path of another site that everything is below.</param>
    public async Task<(RunningProgram Server, ImporterApi Api)> ServeAsync(SimulatedCincopa cincopa, Settings settings,
        string? address = null, string below = "")
    {
        address ??= $"http://127.0.0.1:{FreePort.Take()}";
        var server = Start("serve", BuiltPrograms.Importer, ["serve", "--urls", address],
            settings.With(ServerEnvironment(cincopa.ApiAddress)).With(new Settings
            {
                ["BulkImporter__DataDirectory"] = DataDirectory,
                ["BulkImporter__Web__PageBaseUrl"] = below.Length > 0 ? address + below : "",
                // A process that dies loses nothing that the kernel holds, and this is not a test of disks.
                ["BulkImporter__PostgresSettings__fsync"] = "off",
            }));
        return (server, await ReadyAsync(server, address + below));
    }

    /// <summary>Starts <c>web</c> on a database that was migrated.</summary>
    public async Task<(RunningProgram Server, ImporterApi Api)> WebAsync(string cincopaAddress, string connectionString)
    {
        var address = $"http://127.0.0.1:{FreePort.Take()}";
        var server = Start("web", BuiltPrograms.Importer, ["web", "--urls", address], ServerEnvironment(cincopaAddress)
            .With(Database(connectionString)));
        return (server, await ReadyAsync(server, address));
    }

    /// <summary>Starts a <c>work</c> process; it is up when its probe answers.</summary>
    /// <param name="connectionString">Its database.</param>
    /// <param name="settings">Its environment.</param>
    /// <param name="host">The address of its probe.</param>
    /// <param name="within">The command that becomes the program that is named behind it.</param>
    public async Task<RunningProgram> WorkAsync(
        string connectionString, Settings settings, string host = "127.0.0.1", params string[] within)
    {
        var address = $"http://{host}:{FreePort.Take()}";
        string[] line = [.. within, BuiltPrograms.Importer, "work", "--urls", address];
        var worker = Start("work", line[0], line[1..], settings.With(Database(connectionString)));
        worker.Address = address;
        await ReadyAsync(worker, address);
        return worker;
    }

    public async Task MigrateAsync(string connectionString)
    {
        var migrate = Start("migrate", BuiltPrograms.Importer, ["migrate"], Database(connectionString));
        Assert.Equal(0, await migrate.WaitForExitAsync(StartLimit));
    }

    /// <inheritdoc cref="PrivateCluster.StartMigratedAsync"/>
    public Task<PrivateCluster> StartPostgresAsync(
        string settings = "") => PrivateCluster.StartMigratedAsync(Path.Combine(Folder, "external"), settings);

    /// <summary>Starts a client verb as a person types it.</summary>
    public RunningProgram StartVerb(ImporterApi api, params string[] line) =>
        Start($"verb-{line[0]}", BuiltPrograms.Importer, line,
            new Settings { ["BULKIMPORTER_SERVER"] = api.Address, ["BULKIMPORTER_API_KEY"] = api.Key }, errorsApart: true);

    /// <summary>Runs a client verb to its end; answers with its standard output.</summary>
    public async Task<string> VerbAsync(ImporterApi api, int exitCode, TimeSpan limit, params string[] line)
    {
        var verb = StartVerb(api, line);
        var code = await verb.WaitForExitAsync(limit);
        Assert.True(code == exitCode, $"{string.Join(' ', line)} ended with {code}, not {exitCode}:\n{verb.Tail(40)}");
        return verb.Log;
    }

    /// <summary>A program that was started under this name and still runs, or null.</summary>
    public RunningProgram? Alive(string name) => programs.Find(p => p.Name == name && !p.HasExited);

    /// <summary>Disposed of at the end of the stage.</summary>
    public T Kept<T>(T client) where T : IDisposable
    {
        clients.Add(client);
        return client;
    }

    public RunningProgram Start(
        string name, string program, IEnumerable<string> arguments, Settings? settings = null, bool errorsApart = false)
    {
        var log = Path.Combine(Folder, string.Create(CultureInfo.InvariantCulture, $"{programs.Count + 1:00}-{name}"));
        // What the developer's shell sets for the product is not for these processes.
        var environment = new Settings();
        foreach (DictionaryEntry set in Environment.GetEnvironmentVariables())
        {
            var variable = (string)set.Key;
            if (ProductPrefixes.Any(prefix => variable.StartsWith(prefix, StringComparison.OrdinalIgnoreCase)))
                environment[variable] = null;
        }

        var running = RunningProgram.Start(name, program, arguments, (settings ?? []).With(environment), log + ".log", errorsApart
            ? log + ".err" : null);
        programs.Add(running);
        return running;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var client in clients) client.Dispose();
        foreach (var program in programs) program.Dispose();
        await StopPostgresAsync(Folder);
        Open.TryRemove(Folder, out _);

        ShowFailure();
        if (!failed) Directory.Delete(Folder, recursive: true);
    }

    /// <summary>
    /// Shows the ends of the logs when the present test failed. A test that shares its stage with others calls it at its end.
    /// </summary>
    public void ShowFailure()
    {
        if (TestContext.Current.TestState?.Result != TestResult.Failed) return;
        failed = true;
        var output = TestContext.Current.TestOutputHelper;
        output?.WriteLine($"Everything that was written is kept in {Folder}.");
        foreach (var log in Directory.EnumerateFiles(Folder, "*.*").Where(f => Path.GetExtension(f) is ".log" or ".err").Order())
        {
            output?.WriteLine($"---- {Path.GetFileName(log)}, its last lines");
            foreach (var line in File.ReadLines(log).TakeLast(25)) output?.WriteLine(line);
        }
    }

    private static async Task StopPostgresAsync(string folder)
    {
        foreach (var pidFile in Directory.EnumerateFiles(folder, "postmaster.pid", new EnumerationOptions
        { RecurseSubdirectories = true, MaxRecursionDepth = 4 }).ToList())
            await Postmaster.StopNowAsync(Path.GetDirectoryName(pidFile)!);
    }

    private Settings ServerEnvironment(string cincopaAddress) => new()
    {
        ["CINCOPA_API_TOKEN"] = Token,
        ["Cincopa__BaseUrl"] = cincopaAddress,
        ["BULKIMPORTER_API_KEY"] = ApiKey,
    };

    private static Settings Database(string connectionString) => new() { ["ConnectionStrings__BulkImporter"] = connectionString };

    private async Task<ImporterApi> ReadyAsync(RunningProgram program, string address)
    {
        var api = Kept(new ImporterApi(address, ApiKey));
        await UntilAsync(program, api.IsReadyAsync);
        return api;
    }

    private static async Task UntilAsync(RunningProgram program, Func<Task<bool>> isUp) =>
        await Wait.UntilAsync(StartLimit, $"{program.Name} is up", async () =>
        {
            Assert.False(program.HasExited, $"{program.Name} has ended:\n{program.Tail(40)}");
            return await isUp();
        });
}

/// <summary>Environment of a process under test; null removes a variable.</summary>
internal sealed class Settings : Dictionary<string, string?>
{
    /// <summary>Both; what is set here wins.</summary>
    public Settings With(Settings others)
    {
        var both = new Settings();
        foreach (var (name, value) in others.Concat(this)) both[name] = value;
        return both;
    }
}
