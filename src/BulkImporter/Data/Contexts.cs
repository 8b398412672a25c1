using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.EntityFrameworkCore.Storage;
using Npgsql;

namespace BulkImporter.Data;

/// <summary>Makes a context for one operation, on a connection of the pool that everything of ours shares.</summary>
public sealed class Contexts(NpgsqlDataSource database, IEnumerable<IInterceptor> interceptors) : IDbContextFactory<ImporterDb>
{
    private static readonly DbContextOptions<ImporterDb> ForReading = Options([]);

    private readonly DbContextOptions<ImporterDb> options = Options(interceptors);

    public ImporterDb CreateDbContext() => On(options, database.CreateConnection(), isOwned: true);

    /// <summary>A context to read with in what is done on a connection: it sees the transaction that was begun there.</summary>
    internal static ImporterDb On(NpgsqlConnection connection) => On(ForReading, connection, isOwned: false);

    private static DbContextOptions<ImporterDb> Options(IEnumerable<IInterceptor> interceptors) => new DbContextOptionsBuilder<ImporterDb>()
        .UseNpgsql(npgsql => npgsql
            .MigrationsHistoryTable("migration", ImporterDb.Schema)
            // What repeats is a whole operation (Sql.ChangeAsync), and what fails is thrown as Npgsql says it.
            .ExecutionStrategy(dependencies => new NonRetryingExecutionStrategy(dependencies)))
        .UseSnakeCaseNamingConvention()
        .AddInterceptors(interceptors)
        .Options;

    private static ImporterDb On(DbContextOptions<ImporterDb> options, NpgsqlConnection connection, bool isOwned)
    {
        var db = new ImporterDb(options);
        // Not an option: EF Core would build the model anew for each connection string.
        db.Database.SetDbConnection(connection, isOwned);
        return db;
    }
}
