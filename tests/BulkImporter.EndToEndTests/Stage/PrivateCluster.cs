using Npgsql;

namespace BulkImporter.EndToEndTests;

/// <summary>A PostgreSQL server of a test: the external one that <c>web</c> and <c>work</c> processes share.</summary>
internal sealed class PrivateCluster
{
    private static readonly string Binaries = FindBinaries();

    private readonly string cluster;
    private readonly string log;
    private readonly int port;

    private PrivateCluster(string cluster, string log, int port)
    {
        this.cluster = cluster;
        this.log = log;
        this.port = port;
    }

    public string ConnectionString => ThroughPort(port);

    public int Port => port;

    /// <summary>The same database by way of a proxy.</summary>
    public string ThroughPort(int other) => new NpgsqlConnectionStringBuilder { Host = "127.0.0.1", Port = other, Username = "importer", Database = "postgres" }.ConnectionString;

    public static async Task<PrivateCluster> StartAsync(string folder)
    {
        Directory.CreateDirectory(folder);
        if (Environment.IsPrivilegedProcess) await RunningProgram.CompleteAsync("chown", "postgres:", folder);
        var postgres = new PrivateCluster(Path.Combine(folder, "cluster"), Path.Combine(folder, "postgres.log"), FreePort.Take());
        await AsServerAsync("initdb", "-D", postgres.cluster, "-U", "importer", "-E", "UTF8", "--locale=C", "--auth=trust", "--no-sync");
        await postgres.StartAsync();
        return postgres;
    }

    /// <summary>Starts it, again if need be. Without fsync: what a process dies of loses nothing that the kernel holds.</summary>
    public Task StartAsync() => AsServerAsync("pg_ctl", "start", "-w", "-t", "120", "-D", cluster, "-l", log,
        "-o", $"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c fsync=off -c max_connections=300");

    public Task StopNowAsync() => Postmaster.StopNowAsync(cluster);

    /// <summary>One answer of the database.</summary>
    public async Task<T> AskAsync<T>(string sql)
    {
        await using var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(ConnectionString) { Pooling = false }.ConnectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        return (T)(await command.ExecuteScalarAsync())!;
    }

    /// <summary>PostgreSQL refuses to run as root. pg_ctl keeps its output open in the server, so the shell throws it away.</summary>
    private static async Task AsServerAsync(string program, params string[] arguments)
    {
        string[] line = ["sh", "-c", """exec "$0" "$@" >/dev/null""", Path.Combine(Binaries, program), .. arguments];
        if (Environment.IsPrivilegedProcess) line = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", "--", .. line];
        await RunningProgram.CompleteAsync("/usr/bin/env", line);
    }

    private static string FindBinaries() =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':')
            .Concat(Directory.Exists("/usr/lib/postgresql") ? Directory.GetDirectories("/usr/lib/postgresql").OrderDescending().Select(version => Path.Combine(version, "bin")) : [])
            .FirstOrDefault(folder => File.Exists(Path.Combine(folder, "initdb")) && File.Exists(Path.Combine(folder, "pg_ctl")))
        ?? throw new InvalidOperationException("PostgreSQL's programs were not found. Type: sudo apt-get install postgresql");
}
