using System.Security.Cryptography;

namespace BulkImporter.Hosting;

/// <summary>The database that this process works on: the one that the configuration names, or an embedded one of its own.</summary>
internal sealed class ServerDatabase : IAsyncDisposable
{
    public const string DataDirectoryKey = $"{DatabaseOptions.Section}:{nameof(DatabaseOptions.DataDirectory)}";

    private readonly EmbeddedPostgres? embedded;
    private readonly ILoggerFactory? loggers;

    private ServerDatabase(string connectionString, EmbeddedPostgres? embedded, ILoggerFactory? loggers) =>
        (ConnectionString, this.embedded, this.loggers) = (connectionString, embedded, loggers);

    /// <summary>Holds a password: not for a log.</summary>
    public string ConnectionString { get; }

    public bool IsEmbedded => embedded is not null;

    public static async Task<ServerDatabase> OpenAsync(IConfiguration configuration, bool mayEmbed, CancellationToken cancellationToken)
    {
        if (ConnectionSetting.Read(configuration) is { } named)
        {
            Secrets.AddPassword(named, configuration);
            await LookAsync(named, cancellationToken);
            return new(named.ConnectionString, null, null);
        }

        if (!mayEmbed)
            throw new StartupException(
                "ConnectionStrings__BulkImporter is not set. `web` and `work` share a PostgreSQL that outlives them: name it. `serve` "
                    + "alone brings its own.");

        var loggers = LoggerFactory.Create(logging => logging.AddSimpleConsole(c => c.SingleLine = true).SetMinimumLevel(LogLevel.Warning));
        var settings = configuration.GetSection(DatabaseOptions.Section).Get<DatabaseOptions>() ?? new();
        var directory = settings.DataDirectory is { Length: > 0 } set ? set : new DatabaseOptions().DataDirectory;
        var postgres = await EmbeddedPostgres.StartAsync(settings with { DataDirectory = Path.GetFullPath(directory) },
            loggers.CreateLogger<EmbeddedPostgres>(), TimeProvider.System, cancellationToken);
        return new(postgres.ConnectionString, postgres, loggers);
    }

    /// <summary>Looks once at the database that an operator named, and takes back what cannot be kept there.</summary>
    /// <exception cref="StartupException">It does not answer, or cannot hold every text.</exception>
    private static async Task LookAsync(NpgsqlConnectionStringBuilder named, CancellationToken cancellationToken)
    {
        try
        {
            await using var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(named.ConnectionString)
            { Pooling = false }.ConnectionString);
            await connection.OpenAsync(cancellationToken);
            var (process, encoding, isolation) = (await connection.QueryAsync<Session>(
                "SELECT pg_backend_pid() AS process, current_setting('server_encoding') AS encoding, "
                    + "current_setting('default_transaction_isolation') AS isolation",
                cancellationToken)).Single();
            if (encoding != "UTF8")
            {
                throw new StartupException(
                    $"The database '{connection.Database}' has the encoding {encoding}, which cannot store every text of a manifest. "
                        + "Create another with CREATE DATABASE bulkimporter ENCODING 'UTF8' TEMPLATE template0 LOCALE 'C', name it in "
                        + "ConnectionStrings__BulkImporter and run 'BulkImporter migrate'.");
            }

            // A pooler (PgBouncer) answers with a process number of its own, and may give each transaction another session.
            if (process != connection.ProcessID) named.MaxAutoPrepare = 0;
            var tellsSession =
                new NpgsqlConnectionStringBuilder(DataSetup.PoolOf("look", named.ConnectionString, most: 1)).Options is not null;
            if (!tellsSession && isolation != "read committed")
            {
                throw new StartupException(
                    $"The database runs the transactions of this role as {isolation}, and behind a pooler a session cannot be told "
                        + "otherwise. Run ALTER ROLE name SET default_transaction_isolation = 'read committed' for the role of the "
                        + "connection string, and start again.");
            }
        }
        catch (Exception e) when (e.IsOfTheDatabase() || e is ArgumentException or CryptographicException or UnauthorizedAccessException)
        {
            throw new StartupException($"The database cannot be used: {e.Message}");
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (embedded is not null) await embedded.DisposeAsync();
        loggers?.Dispose();
    }

    private sealed record Session(int Process, string Encoding, string Isolation);
}
