using BulkImporter.Data;
using Hangfire.PostgreSql;
using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace BulkImporter.Hosting;

/// <summary>Brings a database to the schema of this program: ours by EF Core's migrations, Hangfire's by its own installer.</summary>
public static class MigrateDatabase
{
    // Several processes may start at once: one migrates, the others wait for it and find nothing to do. A lock of a transaction, because a
    // pooler may give the next statement outside of one to another session.
    private const string LockMigration = "SELECT pg_advisory_xact_lock(hashtext('bulkimporter.migrate'))";

    /// <summary>Answers the names of the migrations that were applied. Pools nothing on <paramref name="connectionString"/>.</summary>
    public static async Task<IReadOnlyList<string>> RunAsync(string connectionString, CancellationToken cancellationToken)
    {
        var unpooled = new NpgsqlConnectionStringBuilder(connectionString) { Pooling = false }.ConnectionString;
        await using var guard = new NpgsqlConnection(unpooled);
        await guard.OpenAsync(cancellationToken);
        await using var turn = await guard.BeginTransactionAsync(cancellationToken);
        await using (var wait = guard.Command(LockMigration)) await wait.ExecuteNonQueryAsync(cancellationToken);

        await using var database = DataSetup.CreateDataSource(unpooled);
        await using var context = DataSetup.CreateContext(database);
        List<string> pending = [.. await context.Database.GetPendingMigrationsAsync(cancellationToken)];
        await context.Database.MigrateAsync(cancellationToken);
        await using (var connection = await database.OpenConnectionAsync(cancellationToken))
            PostgreSqlObjectsInstaller.Install(connection, HangfireSetup.Schema);
        return pending;
    }

    /// <summary>The migrations that this program has and the database has not.</summary>
    public static async Task<IReadOnlyList<string>> MissingAsync(NpgsqlDataSource database, CancellationToken cancellationToken)
    {
        await using var context = DataSetup.CreateContext(database);
        return [.. await context.Database.GetPendingMigrationsAsync(cancellationToken)];
    }
}
