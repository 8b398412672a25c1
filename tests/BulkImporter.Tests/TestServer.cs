using System.Globalization;
using System.Net.Sockets;
using BulkImporter.Hosting;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Testcontainers.PostgreSql;

[assembly: AssemblyFixture(typeof(BulkImporter.Tests.TestServer))]

namespace BulkImporter.Tests;

/// <summary>
/// The one PostgreSQL of a test run, made when the first test asks for it: the server named by <c>BULKIMPORTER_TEST_DATABASE</c>
/// (a connection string whose user may create databases), otherwise a container where a Docker engine answers, otherwise a private
/// server in a temporary folder. Holds the template that every test database is a copy of.
/// </summary>
public sealed class TestServer : IAsyncLifetime
{
    private const string FolderPrefix = "bulkimporter-tests-";

    private readonly SemaphoreSlim gate = new(1, 1);
    private readonly string template = $"importer_template_{Guid.NewGuid():N}";
    private readonly Stack<Func<ValueTask>> cleanUp = [];
    private NpgsqlDataSource? server;
    private int databases;

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        while (cleanUp.TryPop(out var step))
            await step();
        gate.Dispose();
    }

    /// <summary>Copies the template into a new database. The copy takes a fraction of what migrating would.</summary>
    /// <returns>The connection string of the copy.</returns>
    public async Task<string> CreateDatabaseAsync(CancellationToken cancellationToken)
    {
        // A template can be copied by one session at a time. Copying files takes half as long as copying through the log.
        await gate.WaitAsync(cancellationToken);
        try
        {
            server ??= await StartAsync(cancellationToken);
            var name = $"{template}_{++databases}";
            await ExecuteAsync($"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy", cancellationToken);
            return Named(server.ConnectionString, name);
        }
        finally
        {
            gate.Release();
        }
    }

    /// <summary>Drops the database even while something is still connected to it.</summary>
    public async Task DropDatabaseAsync(string connectionString)
    {
        await using (var pool = new NpgsqlConnection(connectionString))
            NpgsqlConnection.ClearPool(pool);
        await ExecuteAsync($"DROP DATABASE {new NpgsqlConnectionStringBuilder(connectionString).Database} WITH (FORCE)",
            CancellationToken.None);
    }

    private async Task<NpgsqlDataSource> StartAsync(CancellationToken cancellationToken)
    {
        var address = Environment.GetEnvironmentVariable("BULKIMPORTER_TEST_DATABASE")
            ?? (await DockerAnswersAsync(cancellationToken)
                ? await StartContainerAsync(cancellationToken) : await StartPrivateServerAsync(cancellationToken));

        // The password is asked for when databases are addressed by name later, so the data source must give it back.
        var administration = NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(address)
        { Pooling = false, PersistSecurityInfo = true });
        cleanUp.Push(administration.DisposeAsync);
        server = administration;

        await ExecuteAsync($"CREATE DATABASE {template}", cancellationToken);
        cleanUp.Push(async () => await ExecuteAsync($"DROP DATABASE {template} WITH (FORCE)", CancellationToken.None));
        await TestDatabase.PrepareTemplateAsync(Named(administration.ConnectionString, template), cancellationToken);
        return administration;
    }

    private async Task<string> StartContainerAsync(CancellationToken cancellationToken)
    {
        var container = new PostgreSqlBuilder("postgres:17").Build();
        cleanUp.Push(container.DisposeAsync);
        await container.StartAsync(cancellationToken);
        return container.GetConnectionString();
    }

    private async Task<string> StartPrivateServerAsync(CancellationToken cancellationToken)
    {
        await SweepAsync(cancellationToken);
        var folder = Path.Combine(Path.GetTempPath(), $"{FolderPrefix}{Environment.ProcessId}");

        var postgres = await EmbeddedPostgres.StartAsync(PrivateServer(folder), NullLogger.Instance, TimeProvider.System,
            cancellationToken);
        cleanUp.Push(async () =>
        {
            await postgres.DisposeAsync();
            Directory.Delete(folder, recursive: true);
        });
        return postgres.AdministratorConnectionString;
    }

    /// <summary>Test data need not survive the machine, and without waiting for its disk the suite is several times as fast.</summary>
    private static DatabaseOptions PrivateServer(string folder) => new()
    {
        DataDirectory = folder,
        PostgresSettings = new Dictionary<string, string>
        {
            ["fsync"] = "off",
            ["synchronous_commit"] = "off",
            ["full_page_writes"] = "off",
            ["max_connections"] = "300",
        },
    };

    /// <summary>A test run that was killed could not stop its server: the next run does, by taking it over.</summary>
    private static async Task SweepAsync(CancellationToken cancellationToken)
    {
        foreach (var folder in Directory.EnumerateDirectories(Path.GetTempPath(), FolderPrefix + "*"))
        {
            if (!int.TryParse(Path.GetFileName(folder)[FolderPrefix.Length..], CultureInfo.InvariantCulture, out var owner)
                || IsRunning(owner))
                continue;

            try
            {
                await using (await EmbeddedPostgres.StartAsync(PrivateServer(folder), NullLogger.Instance, TimeProvider.System,
                    cancellationToken))
                {
                }

                Directory.Delete(folder, recursive: true);
            }
            catch (Exception refused) when (refused is StartupException or IOException or UnauthorizedAccessException)
            {
                // Another user's folder, or another test run sweeps it at this moment. Nothing of ours depends on it.
                TestContext.Current.SendDiagnosticMessage("{0} was left by a killed test run and could not be removed: {1}", folder,
                    refused.Message);
            }
        }
    }

    private static bool IsRunning(int processId)
    {
        try
        {
            using var process = System.Diagnostics.Process.GetProcessById(processId);
            return true;
        }
        catch (ArgumentException)
        {
            return false;
        }
    }

    private static async Task<bool> DockerAnswersAsync(CancellationToken cancellationToken)
    {
        var host = new Uri(Environment.GetEnvironmentVariable("DOCKER_HOST") is { Length: > 0 } set ? set : "unix:///var/run/docker.sock");
        using var client = new HttpClient(new SocketsHttpHandler
        {
            ConnectCallback = async (context, token) =>
            {
                var socket = host.Scheme == "unix" ? new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified)
                    : new Socket(SocketType.Stream, ProtocolType.Tcp);
                await (host.Scheme == "unix" ? socket.ConnectAsync(new UnixDomainSocketEndPoint(host.AbsolutePath), token)
                    : socket.ConnectAsync(host.Host, host.Port, token));
                return new NetworkStream(socket, ownsSocket: true);
            },
        })
        { Timeout = TimeSpan.FromSeconds(3) };

        try
        {
            using var answer = await client.GetAsync(new Uri("http://docker/_ping"), cancellationToken);
            return answer.IsSuccessStatusCode;
        }
        catch (Exception silent)
            when (silent is HttpRequestException or TaskCanceledException && !cancellationToken.IsCancellationRequested)
        {
            return false;
        }
    }

    private static string Named(string connectionString, string database) =>
        new NpgsqlConnectionStringBuilder(connectionString) { Database = database, Pooling = true }.ConnectionString;

    private async Task ExecuteAsync(string sql, CancellationToken cancellationToken)
    {
        await using var command = server!.CreateCommand(sql);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }
}
