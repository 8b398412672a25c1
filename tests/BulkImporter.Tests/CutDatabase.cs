using BulkImporter.Data;
using Npgsql;

namespace BulkImporter.Tests;

/// <summary>
/// A way of its own to a test's database, which the test can cut and mend: the connections are terminated by the server, and new ones are
/// refused, as they are when the server is gone. Everybody else's connections stay.
/// </summary>
internal sealed class CutDatabase : IAsyncDisposable
{
    private readonly string role = $"cut_{Guid.NewGuid():N}";
    private readonly NpgsqlDataSource administration;

    public CutDatabase(string connectionString)
    {
        administration = NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(connectionString) { Pooling = false });
        using (var command = administration.CreateCommand($"CREATE ROLE {role} SUPERUSER LOGIN PASSWORD 'cut'")) command.ExecuteNonQuery();
        ConnectionString = new NpgsqlConnectionStringBuilder(connectionString) { Username = role, Password = "cut" }.ConnectionString;
        Source = DataSetup.CreateDataSource(ConnectionString);
    }

    /// <summary>The same way, for a host that makes its own pool.</summary>
    public string ConnectionString { get; }

    /// <summary>What the code under test uses.</summary>
    public NpgsqlDataSource Source { get; }

    public async Task CutAsync(CancellationToken cancellationToken)
    {
        await administration.ExecuteAsync($"ALTER ROLE {role} NOLOGIN", cancellationToken);
        await BreakConnectionsAsync(cancellationToken);
    }

    public Task MendAsync(CancellationToken cancellationToken) =>
        administration.ExecuteAsync($"ALTER ROLE {role} LOGIN", cancellationToken);

    /// <summary>Ends the connections that there are, in whatever they are doing; new ones work.</summary>
    public Task<int> BreakConnectionsAsync(CancellationToken cancellationToken) =>
        administration.ExecuteAsync("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = $1", cancellationToken, role);

    public async ValueTask DisposeAsync()
    {
        await Source.DisposeAsync();
        await BreakConnectionsAsync(CancellationToken.None);
        await administration.ExecuteAsync($"DROP ROLE {role}", CancellationToken.None);
        await administration.DisposeAsync();
    }
}
