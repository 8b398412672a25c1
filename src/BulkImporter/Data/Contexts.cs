using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.EntityFrameworkCore.Storage;
using Npgsql;

namespace BulkImporter.Data;

/// <summary>Makes a context for one operation, on a connection of the pool that everything of ours shares.</summary>
public sealed class Contexts(NpgsqlDataSource database, IEnumerable<IInterceptor> interceptors) : IDbContextFactory<ImporterDb>
{
    private readonly DbContextOptions<ImporterDb> options = new DbContextOptionsBuilder<ImporterDb>()
        .UseNpgsql(npgsql => npgsql
            .MigrationsHistoryTable("migration", ImporterDb.Schema)
            // What repeats is a whole operation (Sql.ChangeAsync), and what fails is thrown as Npgsql says it.
            .ExecutionStrategy(dependencies => new NonRetryingExecutionStrategy(dependencies)))
        .UseSnakeCaseNamingConvention()
        .AddInterceptors(interceptors)
        .Options;

    public ImporterDb CreateDbContext()
    {
        var db = new ImporterDb(options);
        // Not an option: EF Core would build the model anew for each connection string.
        db.Database.SetDbConnection(database.CreateConnection(), contextOwnsConnection: true);
        return db;
    }
}
