using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using BulkImporter.Access;
using BulkImporter.Cli;
using BulkImporter.Data;
using BulkImporter.Hosting;
using BulkImporter.Imports;
using BulkImporter.Manifests;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Npgsql;

namespace BulkImporter.Benchmarks;

/// <summary>
/// What every benchmark stands on: a PostgreSQL of its own with all durability on, the simulator as a process, and the product's
/// processes as an operator would start them. Everything lives in one temporary folder and ends with this object.
/// </summary>
internal sealed class Bench : IAsyncDisposable
{
    public const string ApiKey = "bench-0123456789abcdef0123456789abcdef";
    public const string Token = "1000001ibenchmark";

    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(60);

    private readonly string folder;
    private readonly EmbeddedPostgres postgres;
    private readonly ChildProcess simulator;
    private readonly MemoryLimit? limit;

    private Bench(BenchOptions options, string folder, EmbeddedPostgres postgres, ChildProcess simulator, Uri simulatorAddress)
    {
        (Options, this.folder, this.postgres, this.simulator, SimulatorAddress) = (options, folder, postgres, simulator, simulatorAddress);
        Database = DataSetup.CreateDataSource(postgres.AdministratorConnectionString);
        Http = new HttpClient { Timeout = TimeSpan.FromMinutes(30), DefaultRequestHeaders = { Authorization = new("Bearer", ApiKey) } };
        limit = options.Memory is { } megabytes ? MemoryLimit.Set(megabytes) : null;
    }

    public BenchOptions Options { get; }
    /// <summary>As the server's administrator, for extensions and checkpoints.</summary>
    public NpgsqlDataSource Database { get; }
    public string AdministratorConnectionString => postgres.AdministratorConnectionString;

    /// <summary>As the product works.</summary>
    public string ConnectionString => postgres.ConnectionString;
    public Uri SimulatorAddress { get; }
    public HttpClient Http { get; }
    public string Folder => folder;
    public MemoryLimit? Limit => limit;

    public static async Task<Bench> StartAsync(BenchOptions options)
    {
        var folder = Path.Combine(Path.GetTempPath(), $"bulkimporter-bench-{Environment.ProcessId}");
        Directory.CreateDirectory(folder);
        var postgres = await EmbeddedPostgres.StartAsync(
            new DatabaseOptions
            {
                DataDirectory = folder,
                PostgresSettings = new Dictionary<string, string>
                { ["shared_preload_libraries"] = "pg_stat_statements", ["max_connections"] = "200" },
            },
            NullLogger.Instance, TimeProvider.System, CancellationToken.None);
        await MigrateDatabase.RunAsync(postgres.ConnectionString, CancellationToken.None);

        var port = FreePort();
        var simulator = ChildProcess.Start("simulator", Program("Cincopa.Simulator"), ["--urls", $"http://127.0.0.1:{port}"],
            new Dictionary<string, string?>(), Path.Combine(folder, "simulator.log"), TimeSpan.FromSeconds(5));
        var bench = new Bench(options, folder, postgres, simulator, new Uri($"http://127.0.0.1:{port}/"));
        await bench.UntilAnswersAsync(new Uri(bench.SimulatorAddress, "_sim/outcomes"));
        await bench.Database.ExecuteAsync("CREATE EXTENSION pg_stat_statements", CancellationToken.None);
        await using (var web = await bench.StartServerAsync("web"))
        {
            // Started once for the account and the key that it makes.
        }
        await bench.Database.ExecuteAsync("""
            UPDATE importer.account SET submit_rate = 0, status_rate = 0, max_in_flight = 0, backlog_limit = 0, updated_at = now()
            """, CancellationToken.None);
        return bench;
    }

    /// <summary>A process of the product, ready to serve. Its address is the first line of its URL setting.</summary>
    public async Task<ServerProcess> StartServerAsync(string role, params (string Name, string Value)[] settings)
    {
        var address = new Uri($"http://127.0.0.1:{FreePort()}/");
        var environment = new Dictionary<string, string?>
        {
            ["ConnectionStrings__BulkImporter"] = ConnectionString,
            ["CINCOPA_API_TOKEN"] = Token,
            ["Cincopa__BaseUrl"] = new Uri(SimulatorAddress, "v2/").ToString(),
            ["BULKIMPORTER_API_KEY"] = ApiKey,
            ["DOTNET_ENVIRONMENT"] = "Production",
            // As the image and the units set it.
            ["MALLOC_ARENA_MAX"] = "2",
        };
        foreach (var (name, value) in settings) environment[name] = value;
        var log = Path.Combine(folder, $"{role}-{address.Port}.log");
        var program = Options.Program is { } given ? ProgramFile.At(Path.GetFullPath(given)) : Program("BulkImporter");
        var process = ChildProcess.Start(role, limit?.Around(program)
            ?? program, [role, "--urls", address.ToString()], environment, log, Grace);
        var server = new ServerProcess(process, address);
        await UntilAnswersAsync(new Uri(address, "health/ready"));
        return server;
    }

    /// <summary>Uploads a manifest and makes an import of it that waits for its start.</summary>
    public async Task<int> CreateImportAsync(Stream manifest, string name)
    {
        var upload = new UploadManifest(Database, Options(new ManifestOptions()));
        var uploaded = await upload.RunAsync(manifest, name, CancellationToken.None);
        return (await new CreateImport(new Contexts(Database, [new KeepAudit(TimeProvider.System)]), TimeProvider.System)
            .RunAsync(new NewImport(uploaded.Id, "bench"), CancellationToken.None)).Id;

        static IOptions<T> Options<T>(T value) where T : class => Microsoft.Extensions.Options.Options.Create(value);
    }

    /// <summary>Uploads a sample manifest and waits until it is parsed. Its import waits for its start.</summary>
    public async Task<int> ParsedImportAsync(int rows, string label)
    {
        var file = Path.Combine(Folder, $"{label}.csv");
        SampleManifest.Write(file, rows, label);
        await using var manifest = File.OpenRead(file);
        var import = await CreateImportAsync(manifest, $"{label}.csv");
        await UntilAsync(import, ImportState.Review);
        return import;
    }

    /// <summary>Starts the import and waits until every record is submitted. Returns records a second.</summary>
    public async Task<double> DispatchToTheEndAsync(int import, int rows)
    {
        await ExecuteAsync(
            $"UPDATE importer.import SET state = 'running', started_at = now(), start_when_parsed = true WHERE id = {import}");
        var deadline = Deadline();
        while (await OneAsync<long>("SELECT sum(submitted_count) FROM importer.import_chunk WHERE import_id = $1 /* bench */",
            import) < rows)
            await deadline($"import {import} was not dispatched");
        var seconds = await OneAsync<double>("""
            SELECT extract(epoch FROM (SELECT max(submitted_at) FROM importer.import_record WHERE import_id = $1)
                - (SELECT min(submitted_at) FROM importer.import_record WHERE import_id = $1))::float8 /* bench */
            """, import);
        return rows / seconds;
    }

    public async Task UntilAsync(int importId, ImportState state)
    {
        var deadline = Deadline();
        while (await OneAsync<string>("SELECT state FROM importer.import WHERE id = $1 /* bench */",
            importId) != EnumText<ImportState>.Of(state))
            await deadline($"import {importId} did not become {state}");
    }

    /// <summary>A wait between two looks, which fails when the looking has taken too long.</summary>
    public Func<string, Task> Deadline()
    {
        var started = Stopwatch.GetTimestamp();
        return async complaint =>
        {
            if (Stopwatch.GetElapsedTime(started) > TimeSpan.FromSeconds(60 + Options.Million / 500))
                throw new TimeoutException($"{complaint}; load {ProcFile.LoadAverage()}");
            await Task.Delay(100);
        };
    }

    public async Task<T> OneAsync<T>(string sql, params object?[] parameters)
    {
        await using var connection = await Database.OpenConnectionAsync();
        await using var command = connection.Command(sql, parameters);
        command.CommandTimeout = 0;
        await using var reader = await command.ExecuteReaderAsync();
        await reader.ReadAsync();
        return await reader.GetFieldValueAsync<T>(0);
    }

    public async Task ExecuteAsync(string sql)
    {
        await using var command = Database.CreateCommand(sql);
        command.CommandTimeout = 0;
        await command.ExecuteNonQueryAsync();
    }

    /// <summary>The statements that took most of the database's time since the last reset.</summary>
    public Task<string> ProfileAsync() => OneAsync<string>("""
        SELECT string_agg(format('%s ms in %s calls, %s ms each, %s rows: %s', round(total_exec_time), calls,
            round(mean_exec_time::numeric, 3), rows,
            left(regexp_replace(query, '\s+', ' ', 'g'), 90)), E'\n' ORDER BY total_exec_time DESC)
        FROM (SELECT * FROM pg_stat_statements WHERE query NOT LIKE '%bench%' ORDER BY total_exec_time DESC LIMIT 14) top
        """);

    /// <summary>Bytes of WAL so far.</summary>
    public Task<long> WalPositionAsync() => OneAsync<long>("SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::bigint");

    /// <summary>The simulator answers at once, imports at once, and forgets what it was told before.</summary>
    public async Task ResetSimulatorAsync(int latencyMs)
    {
        using var faults = await Http.PostAsync(new Uri(SimulatorAddress, "_sim/faults"),
            new StringContent($"{{\"latencyMs\": {latencyMs}, \"importMs\": 0}}"));
        faults.EnsureSuccessStatusCode();
        using var reset = await Http.PostAsync(new Uri(SimulatorAddress, "_sim/reset"), null);
        reset.EnsureSuccessStatusCode();
    }

    /// <summary>No status is asked until further notice: what is measured is dispatch alone.</summary>
    public Task HoldStatusAsync() =>
        ExecuteAsync(
            "UPDATE importer.call_budget SET blocked_until = now() + interval '1 day', blocked_reason = 'benchmark' WHERE kind = 'status'");

    /// <summary>Processor time so far, in seconds, of the server process, the simulator and all of PostgreSQL.</summary>
    public CpuTimes Cpu(params ServerProcess[] servers) => new(
        servers.Sum(s => ProcFile.CpuSeconds(s.Id)), ProcFile.CpuSeconds(simulator.Id), ProcFile.CpuSecondsOfChildren(PostmasterId()));

    public async ValueTask DisposeAsync()
    {
        await simulator.DisposeAsync();
        await Database.DisposeAsync();
        Http.Dispose();
        await postgres.DisposeAsync();
        limit?.Dispose();
        Directory.Delete(folder, recursive: true);
    }

    private int PostmasterId() => int.Parse(
        File.ReadLines(Path.Combine(folder, "postgres", "cluster", "postmaster.pid")).First(), CultureInfo.InvariantCulture);

    private async Task UntilAnswersAsync(Uri address)
    {
        var started = Stopwatch.GetTimestamp();
        while (true)
        {
            try
            {
                using var answer = await Http.GetAsync(address);
                if (answer.IsSuccessStatusCode) return;
            }
            catch (HttpRequestException) when (Stopwatch.GetElapsedTime(started) < TimeSpan.FromMinutes(1))
            {
                // Not listening yet.
            }
            if (Stopwatch.GetElapsedTime(started) > TimeSpan.FromMinutes(1))
                throw new TimeoutException($"{address} does not answer; logs are in {folder}.");
            await Task.Delay(100);
        }
    }

    /// <summary>Built beside this program, in the same configuration.</summary>
    private static ProgramFile Program(string project) =>
        ProgramFile.At(
            Path.GetFullPath(Path.Combine(AppContext.BaseDirectory, "..", "..", project,
                Path.GetFileName(Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory)), project)));

    private static int FreePort()
    {
        using var probe = new TcpListener(IPAddress.Loopback, 0);
        probe.Start();
        return ((IPEndPoint)probe.LocalEndpoint).Port;
    }
}

/// <summary>A running process of the product.</summary>
internal sealed class ServerProcess(ChildProcess process, Uri address) : IAsyncDisposable
{
    public Uri Address { get; } = address;

    public int Id => process.Id;

    public ValueTask DisposeAsync() => process.DisposeAsync();
}

/// <summary>
/// A control group that the kernel gives no more memory: what a container with a limit is. It counts each page once, the pages of program
/// files and written files too, where a working set counts a page as often as the process has it mapped. Over it, the kernel first takes
/// back what it can read again, and then kills.
/// </summary>
internal sealed class MemoryLimit : IDisposable
{
    private readonly string folder = $"/sys/fs/cgroup/memory/bulkimporter-bench-{Environment.ProcessId}";

    public static MemoryLimit Set(int megabytes)
    {
        var limit = new MemoryLimit();
        Directory.CreateDirectory(limit.folder);
        File.WriteAllText(Path.Combine(limit.folder, "memory.limit_in_bytes"), $"{megabytes}M");
        // The pages of a file count for who read it first, so nobody may have read the program yet.
        using var forget = Process.Start("/bin/sh", ["-c", "sync && echo 3 > /proc/sys/vm/drop_caches"]);
        forget.WaitForExit();
        return limit;
    }

    /// <summary>The program, started within the limit.</summary>
    public ProgramFile Around(ProgramFile program) =>
        new("/bin/sh", ["-c", $"echo $$ > {folder}/cgroup.procs && exec \"$@\"", "sh", program.FileName, .. program.Arguments]);

    /// <summary>The most that was used, in MB of 1,000,000 bytes.</summary>
    public double PeakMegabytes() =>
        long.Parse(File.ReadAllText(Path.Combine(folder, "memory.max_usage_in_bytes")), CultureInfo.InvariantCulture) / 1e6;

    /// <summary>Its processes must have ended.</summary>
    public void Dispose() => Directory.Delete(folder);
}

/// <summary>Seconds of processor time.</summary>
internal readonly record struct CpuTimes(double Product, double Simulator, double Postgres)
{
    public static CpuTimes operator -(CpuTimes later, CpuTimes earlier) =>
        new(later.Product - earlier.Product, later.Simulator - earlier.Simulator, later.Postgres - earlier.Postgres);

    public string PerRecord(int records) => FormattableString.Invariant(
        $"{Product / records * 1e6:N0} µs product, {Simulator / records * 1e6:N0} µs simulator, {Postgres / records * 1e6:N0} µs PostgreSQL");
}

/// <summary>What Linux says of a process.</summary>
internal static class ProcFile
{
    private const double TicksPerSecond = 100;

    public static double CpuSeconds(int processId)
    {
        var fields = Stat(processId);
        return fields.Length < 13
            ? 0 : (long.Parse(fields[11], CultureInfo.InvariantCulture)
                + long.Parse(fields[12], CultureInfo.InvariantCulture)) / TicksPerSecond;
    }

    /// <summary>Those that ended too, as soon as their parent has heard of it.</summary>
    public static double CpuSecondsOfChildren(int parentId) =>
        Stat(parentId)[13..15].Sum(t => long.Parse(t, CultureInfo.InvariantCulture)) / TicksPerSecond
        + Directory.EnumerateDirectories("/proc").Select(Path.GetFileName)
            .Where(name => int.TryParse(name, CultureInfo.InvariantCulture, out var id) && Stat(id) is { Length: > 1 } stat
                && stat[1] == parentId.ToString(CultureInfo.InvariantCulture))
            .Sum(name => CpuSeconds(int.Parse(name!, CultureInfo.InvariantCulture)));

    /// <summary>The largest working set since <see cref="ForgetPeak"/>, in MB of 1,000,000 bytes.</summary>
    public static double PeakMegabytes(int processId) =>
        double.Parse(File.ReadLines($"/proc/{processId}/status").First(l => l.StartsWith("VmHWM", StringComparison.Ordinal))
            .Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) * 1024 / 1e6;

    public static void ForgetPeak(int processId) => File.WriteAllText($"/proc/{processId}/clear_refs", "5");

    public static double LoadAverage() => double.Parse(File.ReadAllText("/proc/loadavg").Split(' ')[0], CultureInfo.InvariantCulture);

    /// <summary>The fields after the program's name, which may hold spaces; empty when the process is gone.</summary>
    private static string[] Stat(int processId)
    {
        try
        {
            var text = File.ReadAllText($"/proc/{processId}/stat");
            return text[(text.LastIndexOf(')') + 2)..].Split(' ');
        }
        catch (IOException)
        {
            return [];
        }
    }
}
