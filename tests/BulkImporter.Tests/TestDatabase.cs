using BulkImporter.Hosting;

namespace BulkImporter.Tests;

/// <summary>
/// A database of its own for one test class, made from the migrated template and dropped at the end:
/// <c>public sealed class FooTests(TestDatabase database) : IClassFixture&lt;TestDatabase&gt;</c>.
/// </summary>
public sealed class TestDatabase(TestServer server) : IAsyncLifetime
{
    /// <summary>Npgsql form. Valid from the first test of the class to its last.</summary>
    public string ConnectionString { get; private set; } = "";

    /// <summary>
    /// Brings the empty template to the schema of the product: called once per test run, with the template's connection string.
    /// </summary>
    internal static Func<string, CancellationToken, Task> PrepareTemplateAsync { get; } = MigrateDatabase.RunAsync;

    public async ValueTask InitializeAsync() => ConnectionString = await server.CreateDatabaseAsync(TestContext.Current.CancellationToken);

    public async ValueTask DisposeAsync()
    {
        if (ConnectionString.Length > 0)
            await server.DropDatabaseAsync(ConnectionString);
    }
}
