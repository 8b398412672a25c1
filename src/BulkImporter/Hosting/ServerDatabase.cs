namespace BulkImporter.Hosting;

/// <summary>The database that this process works on: the one that the configuration names, or an embedded one of its own.</summary>
internal sealed class ServerDatabase : IAsyncDisposable
{
    public const string DataDirectoryKey = "BulkImporter:DataDirectory";

    private readonly EmbeddedPostgres? embedded;
    private readonly ILoggerFactory? loggers;

    private ServerDatabase(string connectionString, EmbeddedPostgres? embedded, ILoggerFactory? loggers) =>
        (ConnectionString, this.embedded, this.loggers) = (connectionString, embedded, loggers);

    /// <summary>Holds a password: not for a log.</summary>
    public string ConnectionString { get; }

    public bool IsEmbedded => embedded is not null;

    public static async Task<ServerDatabase> OpenAsync(IConfiguration configuration, bool mayEmbed, CancellationToken cancellationToken)
    {
        if (configuration.GetConnectionString(ServerHost.ConnectionName) is { Length: > 0 } named) return new(Secrets.WithPassword(named, configuration), null, null);
        if (!mayEmbed)
            throw new StartupException("ConnectionStrings__BulkImporter is not set. `web` and `work` share a PostgreSQL that outlives them: name it. `serve` alone brings its own.");

        var loggers = LoggerFactory.Create(logging => logging.AddSimpleConsole(c => c.SingleLine = true).SetMinimumLevel(LogLevel.Warning));
        var options = new EmbeddedPostgresOptions
        {
            DataDirectory = Path.GetFullPath(configuration[DataDirectoryKey] is { Length: > 0 } directory ? directory : "data"),
            BinariesDirectory = configuration["BulkImporter:PostgresBinaries"],
            Settings = configuration.GetSection("BulkImporter:PostgresSettings").Get<Dictionary<string, string>>() ?? [],
        };
        var postgres = await EmbeddedPostgres.StartAsync(options, loggers.CreateLogger<EmbeddedPostgres>(), TimeProvider.System, cancellationToken);
        return new(postgres.ConnectionString, postgres, loggers);
    }

    public async ValueTask DisposeAsync()
    {
        if (embedded is not null) await embedded.DisposeAsync();
        loggers?.Dispose();
    }
}
