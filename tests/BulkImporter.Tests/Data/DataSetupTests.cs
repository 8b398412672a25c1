using BulkImporter.Data;
using Npgsql;

namespace BulkImporter.Tests.Data;

/// <summary>What the server is told about our sessions.</summary>
public sealed class DataSetupTests(EngineDatabase database) : IClassFixture<EngineDatabase>
{
    [Theory]
    [InlineData(null, "idle_in_transaction_session_timeout", "30s")]
    [InlineData("-c idle_in_transaction_session_timeout=5min", "idle_in_transaction_session_timeout", "5min")]
    [InlineData(null, "jit", "off")]
    [InlineData("-c jit=on", "jit", "on")]
    public async Task A_session_that_vanished_in_a_transaction_ends_and_nothing_is_compiled_unless_the_operator_says_otherwise(
        string? options, string setting, string expected)
    {
        await using var source = DataSetup.CreateDataSource(new NpgsqlConnectionStringBuilder(database.ConnectionString)
        { Options = options }.ConnectionString);
        Assert.Equal([expected], await source.QueryAsync($"SHOW {setting}", r => r.GetString(0), TestContext.Current.CancellationToken));
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
}
