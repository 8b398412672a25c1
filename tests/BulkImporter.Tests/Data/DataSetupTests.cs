using BulkImporter.Data;
using Npgsql;

namespace BulkImporter.Tests.Data;

/// <summary>What the server is told about our sessions.</summary>
public sealed class DataSetupTests(EngineDatabase database) : IClassFixture<EngineDatabase>
{
    [Theory]
    [InlineData(null, "30s")]
    [InlineData("-c idle_in_transaction_session_timeout=5min", "5min")]
    public async Task The_server_ends_a_session_that_vanished_in_a_transaction_unless_the_operator_says_otherwise(
        string? options, string expected)
    {
        await using var source = DataSetup.CreateDataSource(new NpgsqlConnectionStringBuilder(database.ConnectionString)
        { Options = options }.ConnectionString);
        Assert.Equal([expected], await source.QueryAsync("SHOW idle_in_transaction_session_timeout", r =>
            r.GetString(0), TestContext.Current.CancellationToken));
    }

    /// <summary>As for a pooler, which gives each transaction another session: none is asked to keep anything.</summary>
    [Theory]
    [InlineData("", 50, 10, true, 40)]
    [InlineData("Max Auto Prepare=0;Keepalive=0", 0, 0, false, 40)]
    [InlineData("Max Auto Prepare=7;MaxPoolSize=90", 7, 10, true, 90)]
    public void What_the_connection_string_says_wins_and_without_prepared_statements_the_session_is_told_nothing(
        string said, int prepared, int keepAlive, bool hasOptions, int most)
    {
        var pool = new NpgsqlConnectionStringBuilder(DataSetup.PoolOf("a pool", $"Host=db;{said}", most: 40));
        Assert.Equal((prepared, keepAlive, hasOptions, true, most),
            (pool.MaxAutoPrepare, pool.KeepAlive, pool.Options is not null, pool.NoResetOnClose, pool.MaxPoolSize));
    }

    /// <summary>
    /// Npgsql takes a statement for prepared that was cancelled while the server planned it, and does not know its columns then: whoever
    /// ran it next on that connection, perhaps somebody else's page, failed.
    /// </summary>
    [Fact]
    public async Task A_statement_that_was_cancelled_while_it_was_planned_runs_again()
    {
        var token = TestContext.Current.CancellationToken;
        await using var source = DataSetup.CreateDataSource(new NpgsqlConnectionStringBuilder(database.ConnectionString)
        { Options = "-c geqo=off -c join_collapse_limit=20", MaxPoolSize = 1 }.ConnectionString);
        // So many joins are planned for a second or more, and read in none.
        var sql = "SELECT oid FROM pg_class t "
            + string.Concat(Enumerable.Range(1, 10).Select(n => $"JOIN pg_class t{n} USING (oid) ")) + "WHERE t.relname = $1 LIMIT 1";
        // The second run prepares it.
        Assert.Single(await ReadAsync(token));
        using var leaves = CancellationTokenSource.CreateLinkedTokenSource(token);
        var second = ReadAsync(leaves.Token);
        // The server is at it.
        await Wait.UntilAsync(async () => await database.OneAsync<long>(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state = 'active' AND query = $1", sql) > 0);
        await leaves.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => second);

        Assert.Single(await ReadAsync(token));

        Task<List<uint>> ReadAsync(CancellationToken cancellationToken) =>
            source.QueryAsync(sql, r => r.GetFieldValue<uint>(0), cancellationToken, "pg_class");
    }
}
