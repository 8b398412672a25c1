using BulkImporter.Data;
using Npgsql;

namespace BulkImporter.Tests.Data;

/// <summary>What the server is told about our sessions.</summary>
public sealed class DataSetupTests(EngineDatabase database) : IClassFixture<EngineDatabase>
{
    [Theory]
    [InlineData(null, "30s")]
    [InlineData("-c idle_in_transaction_session_timeout=5min", "5min")]
    public async Task The_server_ends_a_session_that_vanished_in_a_transaction_unless_the_operator_says_otherwise(string? options, string expected)
    {
        await using var source = DataSetup.CreateDataSource(new NpgsqlConnectionStringBuilder(database.ConnectionString) { Options = options }.ConnectionString);
        Assert.Equal([expected], await source.QueryAsync("SHOW idle_in_transaction_session_timeout", r => r.GetString(0), TestContext.Current.CancellationToken));
    }
}
