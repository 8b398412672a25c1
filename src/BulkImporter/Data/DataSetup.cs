using Microsoft.EntityFrameworkCore.Design;

namespace BulkImporter.Data;

/// <summary>One pool of connections for everything that is ours (Hangfire has its own), shared by EF Core and by plain SQL.</summary>
public static class DataSetup
{
    public static IServiceCollection AddImporterData(this IServiceCollection services, string connectionString)
    {
        services.AddSingleton(_ => CreateDataSource(connectionString));
        services.AddSingleton<IDbContextFactory<ImporterDb>, Contexts>();
        // Identity and the key ring ask for one of their own.
        services.AddScoped(provider => provider.GetRequiredService<IDbContextFactory<ImporterDb>>().CreateDbContext());
        return services;
    }

    public static NpgsqlDataSource CreateDataSource(string connectionString) =>
        StoredAsRowAttribute.MapAll(new NpgsqlDataSourceBuilder(PoolOf("bulkimporter", connectionString, most: 60))).Build();

    /// <summary>The connection string of a pool of ours.</summary>
    /// <param name="name">What its sessions are called in the database.</param>
    /// <param name="most">
    /// Its connections at most. All pools of a process together stay below the 97 that a PostgreSQL gives as it is shipped: whoever comes
    /// when all are taken waits for one, and is not refused by the server.
    /// </param>
    public static string PoolOf(string name, string connectionString, int most)
    {
        // What the operator set comes after ours and wins.
        var settings = new NpgsqlConnectionStringBuilder(
            $"Maximum Pool Size={most};Max Auto Prepare=50;Auto Prepare Min Usages=2;Keepalive=10;{connectionString}")
        {
            ApplicationName = name,
            // Every statement here sets what it needs itself, so a returned connection needs no DISCARD ALL, and plans stay prepared.
            NoResetOnClose = true,
        };
        // Without prepared statements the session is a pooler's: it keeps nothing for us, and a pooler refuses to start one with options.
        if (settings.MaxAutoPrepare > 0) settings.Options = $"{WithoutJit} {WithoutGhosts(settings.Options)} {ReadCommitted}";
        return settings.ConnectionString;
    }

    /// <summary>
    /// PostgreSQL compiles a statement that it takes for an expensive one, each time anew, and our lists and counts look expensive and are
    /// not: compiling takes longer than running them. What the operator set comes after ours and wins.
    /// </summary>
    private const string WithoutJit = "-c jit=off";

    /// <summary>
    /// Claims, leases and counters are made for it: each statement sees what was committed before it, and waits for a row instead of
    /// failing. A role or a database may have another default, and here ours wins, after the operator's own options too.
    /// </summary>
    private const string ReadCommitted = @"-c default_transaction_isolation=read\ committed";

    /// <summary>
    /// A machine that vanishes tells the database nothing, and what its transactions had locked would stay locked for hours. The server
    /// ends such a session when nothing has come in the middle of a transaction for half a minute, or when a dead peer answers no probe for
    /// one. What the operator set in the connection string comes after ours and wins.
    /// </summary>
    private static string WithoutGhosts(string? options) =>
        $"-c idle_in_transaction_session_timeout=30s -c tcp_keepalives_idle=30 "
            + $"-c tcp_keepalives_interval=10 -c tcp_keepalives_count=3 {options}".TrimEnd();

    /// <summary>What <c>dotnet ef</c> uses to look at the model; it never connects.</summary>
    private sealed class DesignTime : IDesignTimeDbContextFactory<ImporterDb>
    {
        public ImporterDb CreateDbContext(string[] args) =>
            new Contexts(CreateDataSource("Host=localhost;Database=bulkimporter"), []).CreateDbContext();
    }
}
