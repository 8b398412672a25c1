using Npgsql;

namespace BulkImporter.EndToEndTests;

/// <summary>A PostgreSQL server of a test: the external one that <c>web</c> and <c>work</c> processes share.</summary>
internal sealed class PrivateCluster
{
    private static readonly string Binaries = FindBinaries();

    // Migrating takes a process of ours several seconds, copying the files of a cluster that was migrated takes none.
    private static readonly Lazy<Task<string>> Migrated = new(MigrateOnceAsync);

    private readonly string cluster;
    private readonly string log;
    private readonly int port;
    private readonly string settings;

    private PrivateCluster(string folder, string settings = "")
    {
        cluster = Path.Combine(folder, "cluster");
        log = Path.Combine(folder, "postgres.log");
        port = FreePort.Take();
        this.settings = settings;
    }

    public string ConnectionString => ThroughPort(port);

    public int Port => port;

    /// <summary>The same database by way of a proxy, or of another address of this machine.</summary>
    public string ThroughPort(int other, string host = "127.0.0.1") =>
        new NpgsqlConnectionStringBuilder { Host = host, Port = other, Username = "importer", Database = "postgres" }.ConnectionString;

    /// <summary>Starts a server whose database has the schema of the product.</summary>
    /// <param name="folder">Where its files lie.</param>
    /// <param name="settings">More of the server's command line, as in <c>-c name=value</c>.</param>
    public static async Task<PrivateCluster> StartMigratedAsync(string folder, string settings = "")
    {
        var migrated = await Migrated.Value;
        await MakeFolderAsync(folder);
        var postgres = new PrivateCluster(folder, settings);
        await AsServerAsync("cp", "-Rp", migrated, postgres.cluster);
        await postgres.StartAsync();
        return postgres;
    }

    /// <summary>Starts it, again if need be. Without fsync: what a process dies of loses nothing that the kernel holds.</summary>
    public Task StartAsync() => AsServerAsync(Program("pg_ctl"), "start", "-w", "-t", "120", "-D", cluster, "-l", log,
        "-o", $"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c fsync=off -c max_connections=300 {settings}");

    /// <summary>As an administrator does: sessions are ended, and everything is written down.</summary>
    public Task StopAsync() => AsServerAsync(Program("pg_ctl"), "stop", "-w", "-t", "120", "-D", cluster, "-m", "fast");

    public Task StopNowAsync() => Postmaster.StopNowAsync(cluster);

    /// <summary>A connection of the test's own, open and in no pool.</summary>
    public async Task<NpgsqlConnection> ConnectAsync()
    {
        var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(ConnectionString)
        { Pooling = false, ApplicationName = "test" }.ConnectionString);
        await connection.OpenAsync();
        return connection;
    }

    /// <summary>One answer of the database.</summary>
    public async Task<T> AskAsync<T>(string sql) => (await ReadAsync(sql, reader => reader.GetFieldValue<T>(0))).Single();

    /// <summary>All rows that the database answers with.</summary>
    public async Task<List<T>> ReadAsync<T>(string sql, Func<NpgsqlDataReader, T> read)
    {
        await using var connection = await ConnectAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        await using var reader = await command.ExecuteReaderAsync();
        var rows = new List<T>();
        while (await reader.ReadAsync()) rows.Add(read(reader));
        return rows;
    }

    public async Task ExecuteAsync(string sql)
    {
        await using var connection = await ConnectAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }

    private static async Task<string> MigrateOnceAsync()
    {
        // A stage of its own, which ends with the test run.
        var stage = new Stage();
        AppDomain.CurrentDomain.ProcessExit += (_, _) => Directory.Delete(stage.Folder, recursive: true);
        var folder = Path.Combine(stage.Folder, "template");
        await MakeFolderAsync(folder);
        var postgres = new PrivateCluster(folder);
        await AsServerAsync(Program("initdb"), "-D", postgres.cluster, "-U", "importer", "-E", "UTF8", "--locale=C",
            "--auth=trust", "--no-sync");
        await postgres.StartAsync();
        await stage.MigrateAsync(postgres.ConnectionString);
        await postgres.StopAsync();
        return postgres.cluster;
    }

    private static async Task MakeFolderAsync(string folder)
    {
        Directory.CreateDirectory(folder);
        if (Environment.IsPrivilegedProcess) await RunningProgram.CompleteAsync("chown", "postgres:", folder);
    }

    private static string Program(string name) => Path.Combine(Binaries, name);

    /// <summary>PostgreSQL refuses to run as root. pg_ctl keeps its output open in the server, so the shell throws it away.</summary>
    private static async Task AsServerAsync(string program, params string[] arguments)
    {
        string[] line = ["sh", "-c", """exec "$0" "$@" >/dev/null""", program, .. arguments];
        if (Environment.IsPrivilegedProcess) line = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", "--", .. line];
        await RunningProgram.CompleteAsync("/usr/bin/env", line);
    }

    private static string FindBinaries() =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':')
            .Concat(Directory.Exists("/usr/lib/postgresql") ? Directory.GetDirectories("/usr/lib/postgresql").OrderDescending()
                .Select(version => Path.Combine(version, "bin")) : [])
            .FirstOrDefault(folder => File.Exists(Path.Combine(folder, "initdb")) && File.Exists(Path.Combine(folder, "pg_ctl")))
        ?? throw new InvalidOperationException("PostgreSQL's programs were not found. Type: sudo apt-get install postgresql");
}
