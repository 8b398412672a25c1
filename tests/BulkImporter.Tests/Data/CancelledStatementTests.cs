using BulkImporter.Data;
using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace BulkImporter.Tests.Data;

/// <summary>
/// Npgsql takes a statement for prepared that was cancelled while the server planned it, and does not know its columns then: whoever ran it
/// next on that connection, perhaps somebody else's page, failed.
/// </summary>
public sealed class CancelledStatementTests(EngineDatabase database) : IClassFixture<EngineDatabase>
{
    // So many joins are planned for a second or more, and read in none.
    private static readonly string Slow = "SELECT t.oid::bigint AS number FROM pg_class t "
        + string.Concat(Enumerable.Range(1, 10).Select(n => $"JOIN pg_class t{n} USING (oid) ")) + "WHERE t.relname = 'pg_class'";

    [Theory]
    [InlineData("a statement of its own")]
    [InlineData("a statement in a transaction")]
    [InlineData("EF Core")]
    [InlineData("EF Core in a transaction")]
    [InlineData("SQL on a context")]
    [InlineData("a result as it comes")]
    public async Task A_statement_that_was_cancelled_while_it_was_planned_runs_again(string way)
    {
        var token = TestContext.Current.CancellationToken;
        await using var source = DataSetup.CreateDataSource(new NpgsqlConnectionStringBuilder(database.ConnectionString)
        { Options = "-c geqo=off -c join_collapse_limit=20", MaxPoolSize = 1 }.ConnectionString);
        // The second run prepares it.
        Assert.Single(await ReadAsync(way, source, token));
        using var leaves = CancellationTokenSource.CreateLinkedTokenSource(token);
        var second = ReadAsync(way, source, leaves.Token);
        // The server is at it.
        while (!second.IsCompleted && await database.OneAsync<long>(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state = 'active' AND query LIKE 'SELECT t.oid%'") == 0)
            await Task.Delay(10, token);
        await leaves.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => second);

        Assert.Single(await ReadAsync(way, source, token));
    }

    /// <summary>What opens a connection of the pool by itself does not know of this.</summary>
    [Fact]
    public void There_is_one_way_to_a_connection() => Assert.Equal(
        // The migration's is of no pool.
        ["Data/Sql.cs", "Hosting/MigrateDatabase.cs"],
        Directory.EnumerateFiles(Path.Combine(Repository.Root, "src", "BulkImporter"), "*.cs", SearchOption.AllDirectories)
            .Where(file => File.ReadAllText(file).Contains("OpenConnectionAsync(", StringComparison.Ordinal))
            .Select(file => Path.GetRelativePath(Path.Combine(Repository.Root, "src", "BulkImporter"), file).Replace('\\', '/'))
            .Where(file => !file.StartsWith("obj/", StringComparison.Ordinal)).Order());

    private static async Task<List<long>> ReadAsync(string way, NpgsqlDataSource source, CancellationToken cancellationToken)
    {
        var contexts = new Contexts(source, []);
        switch (way)
        {
            case "a statement of its own":
                return await source.QueryAsync<long>(Slow, cancellationToken);
            case "a statement in a transaction":
                return await source.TransactionAsync(c => c.QueryAsync<long>(Slow, cancellationToken), cancellationToken);
            case "EF Core":
                await using (var db = contexts.CreateDbContext())
                    return await db.Database.SqlQueryRaw<long>(Slow).ToListAsync(cancellationToken);
            case "EF Core in a transaction":
                return await contexts.ChangeAsync(db => db.Database.SqlQueryRaw<long>(Slow).ToListAsync(cancellationToken), cancellationToken);
            case "a result as it comes":
                return await source.StreamLongAsync<long>(Slow, cancellationToken).ToListAsync(cancellationToken);
            default:
                await using (var db = contexts.CreateDbContext())
                    return await db.QueryAsync<long>(Slow, cancellationToken);
        }
    }
}
