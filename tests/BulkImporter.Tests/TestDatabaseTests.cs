using Npgsql;

namespace BulkImporter.Tests;

public sealed class TestDatabaseTests(TestDatabase database, TestServer server) : IClassFixture<TestDatabase>
{
    [Fact]
    public async Task The_database_of_the_class_takes_connections()
    {
        Assert.StartsWith("importer_template_", (string?)await ScalarAsync(database.ConnectionString, "SELECT current_database()"),
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_one_database_holds_no_other_sees()
    {
        await ScalarAsync(database.ConnectionString, "CREATE TABLE only_here (value int)");

        var other = await server.CreateDatabaseAsync(TestContext.Current.CancellationToken);

        Assert.Equal(DBNull.Value, await ScalarAsync(other, "SELECT to_regclass('public.only_here')::text"));
        Assert.Equal("only_here", await ScalarAsync(database.ConnectionString, "SELECT to_regclass('public.only_here')::text"));
        await server.DropDatabaseAsync(other);
    }

    [Fact]
    public async Task A_dropped_database_is_gone_even_when_a_test_left_a_connection_open()
    {
        var passing = await server.CreateDatabaseAsync(TestContext.Current.CancellationToken);
        var name = new NpgsqlConnectionStringBuilder(passing).Database!;
        await using var forgotten = new NpgsqlConnection(passing);
        await forgotten.OpenAsync(TestContext.Current.CancellationToken);

        await server.DropDatabaseAsync(passing);

        Assert.Equal(0L, await ScalarAsync(database.ConnectionString, $"SELECT count(*) FROM pg_database WHERE datname = '{name}'"));
    }

    [Fact]
    public async Task Databases_can_be_asked_for_at_the_same_time()
    {
        var made = await Task.WhenAll(Enumerable.Range(0, 4)
            .Select(_ => server.CreateDatabaseAsync(TestContext.Current.CancellationToken)));

        Assert.Equal(4, made.Distinct().Count());
        foreach (var one in made)
            await server.DropDatabaseAsync(one);
    }

    private static async Task<object?> ScalarAsync(string connectionString, string sql)
    {
        await using var connection = new NpgsqlConnection(connectionString);
        await connection.OpenAsync(TestContext.Current.CancellationToken);
        await using var command = new NpgsqlCommand(sql, connection);
        return await command.ExecuteScalarAsync(TestContext.Current.CancellationToken);
    }
}
