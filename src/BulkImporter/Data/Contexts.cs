using System.Data.Common;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Storage;

namespace BulkImporter.Data;

/// <summary>Makes a context for one operation, on a connection of the pool that everything of ours shares.</summary>
public sealed class Contexts(NpgsqlDataSource database, IEnumerable<IInterceptor> interceptors) : IDbContextFactory<ImporterDb>
{
    private static readonly DbContextOptions<ImporterDb> ForReading = Options([]);

    // To make a context anew costs as much as a small query.
    private readonly PooledDbContextFactory<ImporterDb> pool = new(Options(interceptors));

    public ImporterDb CreateDbContext() => On(pool.CreateDbContext(), database.CreateConnection(), isOwned: true);

    /// <summary>A context to read with in what is done on a connection: it sees the transaction that was begun there.</summary>
    internal static ImporterDb On(NpgsqlConnection connection) => On(new ImporterDb(ForReading), connection, isOwned: false);

    private static DbContextOptions<ImporterDb> Options(IEnumerable<IInterceptor> interceptors) => new DbContextOptionsBuilder<ImporterDb>()
        .UseNpgsql(npgsql => npgsql
            .MigrationsHistoryTable("migration", ImporterDb.Schema)
            // What repeats is a whole operation (Sql.ChangeAsync), and what fails is thrown as Npgsql says it.
            .ExecutionStrategy(dependencies => new NonRetryingExecutionStrategy(dependencies)))
        .UseSnakeCaseNamingConvention()
        .AddInterceptors([.. interceptors, new CancelledStatements()])
        .Options;

    /// <summary>See <see cref="Sql.ForgetStatements"/>. In a transaction it is done when that is over.</summary>
    private sealed class CancelledStatements : DbCommandInterceptor
    {
        public override Task CommandCanceledAsync(
            DbCommand command, CommandEndEventData eventData, CancellationToken cancellationToken = default)
        {
            if (command is { Transaction: null, Connection: NpgsqlConnection connection }) connection.ForgetStatements();
            return Task.CompletedTask;
        }
    }

    private static ImporterDb On(ImporterDb db, NpgsqlConnection connection, bool isOwned)
    {
        // Not an option: EF Core would build the model anew for each connection string.
        db.Database.SetDbConnection(connection, isOwned);
        return db;
    }
}
