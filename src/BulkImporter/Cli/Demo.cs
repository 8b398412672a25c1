using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using BulkImporter.Accounts;
using BulkImporter.Api;
using BulkImporter.Export;
using BulkImporter.Imports;
using BulkImporter.Reconcile;
using BulkImporter.Records;

namespace BulkImporter.Cli;

internal sealed record DemoOptions
{
    /// <summary>End after the import; otherwise stay up until interrupted.</summary>
    public bool Once { get; init; }

    /// <summary>The manifest; null = the sample inside this program.</summary>
    public InputFile? Manifest { get; init; }

    /// <summary>
    /// Where everything goes; null = a fresh temporary folder with <see cref="Once"/>, else <c>.bulkimporter/demo</c> here.
    /// </summary>
    public string? Directory { get; init; }

    public string? Urls { get; init; }
}

/// <summary>
/// Starts the simulator and a server as two child processes, as a person would, imports the manifest through the API like any client,
/// and stops both again, whatever happens.
/// </summary>
internal sealed class Demo(Surroundings surroundings, ProgramFile server, ProgramFile simulator)
{
    /// <summary>A server that starts for the first time makes a PostgreSQL cluster and its schema.</summary>
    private static readonly TimeSpan StartLimit = TimeSpan.FromMinutes(3);

    private static readonly TimeSpan SimulatorGrace = TimeSpan.FromSeconds(10);

    /// <summary>Longer than the server's own graceful stop: calls in flight get 30 s, then PostgreSQL is stopped.</summary>
    private static readonly TimeSpan ServerGrace = TimeSpan.FromSeconds(60);

    /// <summary>Cincopa's form of a token (OWN), for a simulator that takes any: no secret.</summary>
    private const string Token = "1000001idemo0nothing0secret";

    /// <summary>Any id will do: nothing of the demo plays at Cincopa.</summary>
    private const string PlayerTemplate = "A4BcDeFgHiJk";

    /// <summary>For the look for assets of records in doubt, which a worker begins every 10 s.</summary>
    private static readonly TimeSpan LookLimit = TimeSpan.FromMinutes(1);

    private const int TailLines = 20;

    public async Task<int> RunAsync(DemoOptions options, CancellationToken cancellationToken)
    {
        var directory = Prepare(options);
        var simulatorUrl = $"http://127.0.0.1:{Kept(directory, "simulator-port", () => $"{FreePort()}")}";
        var serverUrl = options.Urls
            ?? (options.Once ? $"http://127.0.0.1:{FreePort()}" : ClientVerb.DefaultServer);
        RequireFree(simulatorUrl, $"Stop the program there, or remove {directory}, where the port is kept.");
        RequireFree(serverUrl, "Stop the program there, or choose another address with --urls.");
        var apiKey = Kept(directory, "api-key", () => Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(32)));
        surroundings.Output.WriteLine($"Demo in {directory}: a simulator of Cincopa at {simulatorUrl}, the server at {serverUrl}.");

        await using var simulatorProcess = ChildProcess.Start("simulator", simulator, ["--urls", simulatorUrl],
            new Dictionary<string, string?>(), Path.Combine(directory, "simulator.log"), SimulatorGrace);
        using var simulatorApi = new ImporterApi(surroundings.HttpHandler(), new Uri(simulatorUrl), apiKey: null);
        await UntilReadyAsync(simulatorApi, "_sim/outcomes", simulatorProcess, cancellationToken);

        await using var serverProcess = ChildProcess.Start("server", server, ["serve", "--urls", serverUrl],
            ServerEnvironment(directory, simulatorUrl, apiKey), Path.Combine(directory, "server.log"), ServerGrace);
        using var api = new ImporterApi(surroundings.HttpHandler(), new Uri(serverUrl), apiKey);
        await UntilReadyAsync(api, "health/ready", serverProcess, cancellationToken);

        try
        {
            var import = await ImportAsync(api, options.Manifest, directory, cancellationToken);
            if (options.Once)
                return Watch.ExitCodeOf(import);
            await StayAsync(api, serverUrl, [serverProcess, simulatorProcess], cancellationToken);
            return ExitCode.Done;
        }
        catch (VerbFailure failure) when (failure.ServerIsAway && serverProcess.HasExited)
        {
            throw await EndedAsync(serverProcess);
        }
        finally
        {
            surroundings.Error.WriteLine("Stopping the server and the simulator.");
        }
    }

    /// <summary>This program, however it was started.</summary>
    public static ProgramFile ThisProgram()
    {
        var running = Environment.ProcessPath ?? throw new VerbFailure(ExitCode.Failed, "The demo cannot find its own program file.");
        return Path.GetFileNameWithoutExtension(running).Equals("dotnet", StringComparison.OrdinalIgnoreCase)
            ? new ProgramFile(running, [typeof(Demo).Assembly.Location])
            : new ProgramFile(running, []);
    }

    /// <summary>The simulator beside this program: in the build's folders, or where an image puts it.</summary>
    public static ProgramFile FindSimulator(string? path)
    {
        if (path is not null)
            return ProgramFile.At(path);
        var here = Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory);
        var places = new[]
        {
            here,
            Path.Combine(here, "simulator"),
            // artifacts/bin/BulkImporter/debug and artifacts/publish/BulkImporter/release
            Path.GetFullPath(Path.Combine(here, "..", "..", "Cincopa.Simulator", Path.GetFileName(here))),
        };
        var names = OperatingSystem.IsWindows() ? new[] { "Cincopa.Simulator.exe", "Cincopa.Simulator.dll" }
            : ["Cincopa.Simulator", "Cincopa.Simulator.dll"];
        var found = places.SelectMany(place => names.Select(name => Path.Combine(place, name))).FirstOrDefault(File.Exists)
            ?? throw new VerbFailure(ExitCode.Failed, $"The simulator was not found; looked in {string.Join(", ", places)}.",
                "Build it with: dotnet build src/Cincopa.Simulator    Or name it with --simulator.");
        return ProgramFile.At(found);
    }

    private static Dictionary<string, string?> ServerEnvironment(string directory, string simulatorUrl, string apiKey) => new()
    {
        ["CINCOPA_API_TOKEN"] = Token,
        ["Cincopa__BaseUrl"] = $"{simulatorUrl}/v2/",
        ["BULKIMPORTER_API_KEY"] = apiKey,
        ["BulkImporter__DataDirectory"] = Path.Combine(directory, "data"),
        // The simulator imports in seconds, and who watches a demo does not wait ten minutes to see what became of a lost reply.
        ["BulkImporter__Work__LookAfter"] = "00:00:05",
        // The simulator draws the thumbnails that it lists.
        ["BulkImporter__Web__PictureHosts"] = $"https://*.cincopa.com,{simulatorUrl}",
        // A demo never touches a database that the environment names for real work.
        ["ConnectionStrings__BulkImporter"] = null,
    };

    private string Prepare(DemoOptions options)
    {
        var directory = options.Directory
            ?? (options.Once
                ? Path.Combine(Path.GetTempPath(), "bulkimporter-demo-" + Path.GetRandomFileName())
                : Path.GetFullPath(Path.Combine(".bulkimporter", "demo")));
        if (Directory.Exists(Path.Combine(directory, "data")))
            surroundings.Error.WriteLine(
                $"An earlier demo is in {directory}: its import is shown again. Remove the folder to start afresh.");
        Directory.CreateDirectory(directory);
        return directory;
    }

    /// <summary>
    /// Chosen once for each folder, and for our eyes only: the server takes a first key only while its database is empty, and its account
    /// remembers where the simulator was.
    /// </summary>
    private static string Kept(string directory, string name, Func<string> choose)
    {
        var file = Path.Combine(directory, name);
        if (File.Exists(file))
            return File.ReadAllText(file);
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        var chosen = choose();
        using var writer = new StreamWriter(file, options);
        writer.Write(chosen);
        return chosen;
    }

    private async Task UntilReadyAsync(ImporterApi api, string probe, ChildProcess child, CancellationToken cancellationToken)
    {
        var since = surroundings.Clock.GetTimestamp();
        while (!await api.IsReadyAsync(probe, cancellationToken))
        {
            if (child.HasExited)
                throw await EndedAsync(child);
            if (surroundings.Clock.GetElapsedTime(since) > StartLimit)
                throw new VerbFailure(ExitCode.Failed,
                    $"The {child.Name} was not ready after {Wording.Duration(StartLimit.TotalSeconds)}.", LogOf(child));
            await Task.Delay(TimeSpan.FromMilliseconds(200), surroundings.Clock, cancellationToken);
        }
    }

    private async Task<ImportView> ImportAsync(ImporterApi api, InputFile? manifest, string directory, CancellationToken cancellationToken)
    {
        await using var bytes = manifest is null
            ? typeof(Demo).Assembly.GetManifestResourceStream("demo.csv")!
            : await manifest.OpenWholeAsync(surroundings, cancellationToken);
        var fileName = manifest is null ? "demo.csv" : manifest.FileName ?? "manifest.csv";
        // The same manifest in the same folder is the same import: a second demo goes on where the first one ended.
        var key = "demo-" + Convert.ToHexStringLower(await SHA256.HashDataAsync(bytes, cancellationToken));
        bytes.Position = 0;
        await ChoosePlayerAsync(api, cancellationToken);
        var query = Query.Of(("name", $"Demo: {fileName}"), ("fileName", fileName), ("start", "true"));
        var import = await SubmitVerb.UploadAsync(api, bytes, fileName, query, key, surroundings, cancellationToken);

        var watch = new Watch(api, surroundings);
        var last = await watch.ShowAsync(import, cancellationToken);
        if (last.Counts.Unknown > 0)
            last = await UntilLookedForAsync(api, last, cancellationToken);
        watch.Report(last);
        var results = Path.Combine(directory, "results.csv");
        await DownloadAsync(api, $"imports/{last.Id}/results?format=csv", results, cancellationToken);
        surroundings.Output.WriteLine($"Results: {results}");
        await MapAsync(api, last, Path.Combine(directory, "old-addresses.conf"), cancellationToken);
        if (last.Arrival.Compared > 0)
            surroundings.Output.WriteLine(ImportPicture.Arrival(last));
        return last;
    }

    private Task DownloadAsync(ImporterApi api, string path, string file, CancellationToken cancellationToken) => OutputFile.At(file)
        .WriteAsync(written => api.DownloadAsync(path, written, cancellationToken), surroundings, cancellationToken);

    /// <summary>An embed needs a template or a gallery, and the sample has no gallery.</summary>
    private static async Task ChoosePlayerAsync(ImporterApi api, CancellationToken cancellationToken)
    {
        foreach (var account in (await api.GetAsync<Page<AccountView>>("accounts", cancellationToken)).Value.Items)
        {
            await api.SendAsync<AccountView>(HttpMethod.Patch, $"accounts/{Uri.EscapeDataString(account.Name)}",
                new AccountChange(PlayerTemplate: PlayerTemplate), cancellationToken);
        }
    }

    private async Task MapAsync(ImporterApi api, ImportView import, string file, CancellationToken cancellationToken)
    {
        var query = $"?import={import.Id}&format=nginx";
        try
        {
            var report = (await api.GetAsync<MapReport>("map/check" + query, cancellationToken)).Value;
            await DownloadAsync(api, "map" + query, file, cancellationToken);
            surroundings.Output.WriteLine($"Map of old addresses for nginx: {file}");
            surroundings.Output.WriteLine(MapVerb.Sentence(report));
        }
        catch (VerbFailure refused) when (refused.ExitCode == ExitCode.Refused)
        {
            // A manifest of somebody's own, of which nothing was imported, for example.
            surroundings.Output.WriteLine(refused.Message);
        }
    }

    /// <summary>Until the assets of all records in doubt were looked for: those that were found are imported then.</summary>
    private async Task<ImportView> UntilLookedForAsync(ImporterApi api, ImportView import, CancellationToken cancellationToken)
    {
        surroundings.Output.WriteLine($"Looking for the assets of {Wording.Number(import.Counts.Unknown)} unknown records.");
        var since = surroundings.Clock.GetTimestamp();
        while (surroundings.Clock.GetElapsedTime(since) < LookLimit)
        {
            var records = $"imports/{import.Id}/records";
            var areLookedFor = true;
            foreach (var record in (await api.GetAsync<Page<RecordView>>($"{records}?state=unknown", cancellationToken)).Value.Items)
                areLookedFor &= (await api.GetAsync<CandidatesView>($"{records}/{record.RowNumber}/candidates", cancellationToken))
                    .Value.LookedAt is not null;
            if (areLookedFor) break;
            await Task.Delay(Watch.Interval, surroundings.Clock, cancellationToken);
        }

        return (await api.GetAsync<ImportView>($"imports/{import.Id}", cancellationToken)).Value;
    }

    /// <summary>Until a person stops it, or a child ends by itself.</summary>
    private async Task StayAsync(
        ImporterApi api, string serverUrl, IReadOnlyList<ChildProcess> children, CancellationToken cancellationToken)
    {
        var link = await api.SendAsync<SignInLinkBody>(HttpMethod.Post, "sign-in-links", null, cancellationToken);
        surroundings.Output.WriteLine($"Dashboard: {serverUrl}");
        surroundings.Output.WriteLine($"Sign in with (works once): {link.Value.Url}");
        surroundings.Output.WriteLine("Ctrl-C stops the demo.");
        try
        {
            await await Task.WhenAny(children.Select(c => c.WaitForExitAsync(cancellationToken)));
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            return;
        }

        throw await EndedAsync(children.First(c => c.HasExited));
    }

    private static async Task<VerbFailure> EndedAsync(ChildProcess child)
    {
        await child.WaitForExitAsync(CancellationToken.None);
        return new VerbFailure(ExitCode.Failed, $"The {child.Name} ended unexpectedly.", LogOf(child));
    }

    private static string LogOf(ChildProcess child) => $"The end of {child.LogFile}:{Environment.NewLine}{child.Tail(TailLines)}";

    /// <summary>Another program on that port would answer in the child's place.</summary>
    private static void RequireFree(string url, string advice)
    {
        if (!Uri.TryCreate(url, UriKind.Absolute, out var uri) || uri.Scheme is not ("http" or "https"))
            throw new VerbFailure(ExitCode.Usage, $"{url} is not an http or https address.");
        try
        {
            using var listener = new TcpListener(IPAddress.Loopback, uri.Port);
            listener.Start();
        }
        catch (SocketException e)
        {
            throw new VerbFailure(ExitCode.Failed, $"The demo cannot listen at {url}: {e.Message}.", advice);
        }
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
