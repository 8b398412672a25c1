using Npgsql;

namespace BulkImporter.EndToEndTests;

/// <summary>A real PgBouncer in front of a server, which gives each transaction whatever session is free.</summary>
internal static class PgBouncer
{
    private static readonly string Program = new[] { "/usr/sbin/pgbouncer", "/usr/bin/pgbouncer", "/usr/local/bin/pgbouncer",
        "/opt/homebrew/bin/pgbouncer" }.FirstOrDefault(File.Exists)
        ?? throw new InvalidOperationException("PgBouncer was not found. Type: sudo apt-get install pgbouncer");

    /// <summary>Starts it; answers with its port.</summary>
    public static async Task<int> StartAsync(Stage stage, PrivateCluster postgres, int sessions)
    {
        var port = FreePort.Take();
        var settings = Path.Combine(stage.Folder, "pgbouncer.ini");
        // Nothing that a stock installation has not but the mode, and few enough sessions that everybody meets the others'.
        await File.WriteAllTextAsync(settings, $"""
            [databases]
            * = host=127.0.0.1 port={postgres.Port} user=importer
            [pgbouncer]
            listen_addr = 127.0.0.1
            listen_port = {port}
            unix_socket_dir =
            auth_type = any
            pool_mode = transaction
            default_pool_size = {sessions}
            max_client_conn = 300
            """);
        // It refuses to run as root.
        string[] line = Environment.IsPrivilegedProcess
            ? ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", "--", Program, settings] : [Program, settings];
        var program = stage.Start("pgbouncer", "/usr/bin/env", line);
        await Wait.UntilAsync(TimeSpan.FromMinutes(1), "pgbouncer answers", async () =>
        {
            Assert.False(program.HasExited, program.Tail(20));
            try
            {
                await using var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(postgres.ThroughPort(port))
                { Pooling = false }.ConnectionString);
                await connection.OpenAsync();
                return true;
            }
            catch (NpgsqlException)
            {
                return false;
            }
        });
        return port;
    }
}
