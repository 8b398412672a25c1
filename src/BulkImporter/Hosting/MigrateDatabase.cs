using Hangfire.PostgreSql;

namespace BulkImporter.Hosting;

/// <summary>Brings a database to the schema of this program: ours by EF Core's migrations, Hangfire's by its own installer.</summary>
public static class MigrateDatabase
{
    // Several processes may start at once: one migrates, the others wait for it and find nothing to do. A lock of a transaction, because a
    // pooler may give the next statement outside of one to another session.
    private const string LockMigration = "SELECT pg_advisory_xact_lock(hashtext('bulkimporter.migrate'))";

    /// <summary>Returns the names of the migrations that were applied. Pools nothing on <paramref name="connectionString"/>.</summary>
    /// <exception cref="StartupException">The database is one from before the first release.</exception>
    public static async Task<IReadOnlyList<string>> RunAsync(string connectionString, CancellationToken cancellationToken)
    {
        var unpooled = new NpgsqlConnectionStringBuilder(connectionString) { Pooling = false }.ConnectionString;
        await using var guard = new NpgsqlConnection(unpooled);
        await guard.OpenAsync(cancellationToken);
        await using var turn = await guard.BeginTransactionAsync(cancellationToken);
        await using (var wait = guard.Command(LockMigration)) await wait.ExecuteNonQueryAsync(cancellationToken);

        await using var database = DataSetup.CreateDataSource(unpooled);
        await using var context = new Contexts(database, []).CreateDbContext();
        var pending = await PendingAsync(context, cancellationToken);
        await context.Database.MigrateAsync(cancellationToken);
        await using (var connection = await database.OpenConnectionAsync(cancellationToken))
            PostgreSqlObjectsInstaller.Install(connection, HangfireSetup.Schema);
        return pending;
    }

    /// <summary>The migrations that this program has and the database has not.</summary>
    /// <exception cref="StartupException">The database is one from before the first release.</exception>
    public static async Task<IReadOnlyList<string>> MissingAsync(NpgsqlDataSource database, CancellationToken cancellationToken)
    {
        await using var context = new Contexts(database, []).CreateDbContext();
        return await PendingAsync(context, cancellationToken);
    }

    private static async Task<List<string>> PendingAsync(ImporterDb context, CancellationToken cancellationToken)
    {
        List<string> known = [.. context.Database.GetMigrations()];
        List<string> applied = [.. await context.Database.GetAppliedMigrationsAsync(cancellationToken)];
        // Migrations that are unknown beside the initial one are a newer program's (SchemaGeneration). Without it they are those of the
        // development, which were squashed: its tables stand already, and none of ours can be applied.
        if (applied.Count > 0 && !applied.Contains(known[0]))
        {
            throw new StartupException(
                "The database was made by a BulkImporter from before the first release, which this one cannot use: "
                + "export the results of its imports with the program that made it, then start with an empty database.");
        }
        return [.. known.Except(applied)];
    }
}
