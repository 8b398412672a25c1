using System.Net;
using BulkImporter.Accounts;
using BulkImporter.Data;
using BulkImporter.Hosting;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.TestHost;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace BulkImporter.Tests.Hosting;

public sealed class HealthTests(ImporterDatabase database) : IClassFixture<ImporterDatabase>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(true, true)]
    public async Task A_process_without_its_database_lives_and_is_not_ready_until_it_is_back(bool web, bool work)
    {
        await using var cut = new CutDatabase(database.ConnectionString);
        await using var app = await StartAsync(cut.ConnectionString, web, work);
        using var client = app.GetTestClient();
        Assert.Equal((200, 200), (await AskAsync(client, "live"), await AskAsync(client, "ready")));

        await cut.CutAsync(Token);
        Assert.Equal((200, 503), (await AskAsync(client, "live"), await AskAsync(client, "ready")));

        await cut.MendAsync(Token);
        Assert.Equal((200, 200), (await AskAsync(client, "live"), await AskAsync(client, "ready")));
    }

    [Fact]
    public async Task A_probe_that_the_database_lets_wait_says_no_within_seconds()
    {
        await using var app = await StartAsync(database.ConnectionString, web: false, work: false);
        await using var connection = await database.Source.OpenConnectionAsync(Token);
        await using var transaction = await connection.BeginTransactionAsync(Token);
        // A function that is being replaced cannot be looked up: the question waits, as it does when the database's machine hangs.
        await connection.ExecuteAsync("LOCK TABLE pg_catalog.pg_proc IN ACCESS EXCLUSIVE MODE", Token);
        using var client = app.GetTestClient();
        Assert.Equal((200, 503), (await AskAsync(client, "live"), await AskAsync(client, "ready")));
        await transaction.RollbackAsync(Token);
        Assert.Equal(200, await AskAsync(client, "ready"));
    }

    private static async Task<int> AskAsync(HttpClient client, string probe) =>
        (int)(await client.GetAsync($"/health/{probe}", Token)).StatusCode;

    internal static async Task<WebApplication> StartAsync(string connectionString, bool web, bool work)
    {
        var builder = WebApplication.CreateBuilder();
        builder.WebHost.UseTestServer();
        builder.Logging.ClearProviders();
        builder.Services.AddImporter(connectionString).AddTelemetry(builder.Configuration);
        if (work) builder.Services.AddWorker();
        if (web) builder.Services.AddWeb();
        var app = builder.Build();
        if (web) app.MapWeb();
        else app.MapWorkerProbes();
        await app.StartAsync(Token);
        return app;
    }
}

public sealed class SeveralStartsTests(ImporterDatabase database) : IClassFixture<ImporterDatabase>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Processes_that_start_at_once_on_an_empty_database_migrate_it_once_and_share_one_key_ring()
    {
        var empty = await EmptyAsync("several_starts");
        var applied = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(() => MigrateDatabase.RunAsync(empty, Token))));
        Assert.Single(applied, names => names.Count > 0);

        var apps = await Task.WhenAll(Enumerable.Range(0, 3)
            .Select(_ => Task.Run(() => HealthTests.StartAsync(empty, web: true, work: false))));
        try
        {
            var sealedBy = apps.Select(a => a.Services.GetRequiredService<ProtectToken>().Protect("token")).ToList();
            Assert.All(apps, app =>
                Assert.All(sealedBy, text => Assert.Equal("token", app.Services.GetRequiredService<ProtectToken>().Unprotect(text))));
        }
        finally
        {
            foreach (var app in apps) await app.DisposeAsync();
        }
    }

    [Fact]
    public async Task A_program_refuses_a_database_that_only_newer_ones_can_work_on_and_takes_one_that_is_merely_newer()
    {
        await using var app = await HealthTests.StartAsync(database.ConnectionString, web: false, work: false);
        await database.SqlAsync("INSERT INTO importer.migration VALUES ('29990101000000_SomethingNew', '11.0.0')");
        await ServerHost.RefuseOtherSchemaAsync(app.Services, Token);

        await database.SqlAsync(
            "CREATE OR REPLACE FUNCTION importer.oldest_program() RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT "
                + $"{SchemaGeneration.OfThisProgram + 1}'");
        var refused = await Assert.ThrowsAsync<StartupException>(() => ServerHost.RefuseOtherSchemaAsync(app.Services, Token));
        Assert.Contains("Start the newer program here too", refused.Message, StringComparison.Ordinal);
        using var client = app.GetTestClient();
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await client.GetAsync("/health/ready", Token)).StatusCode);
    }

    [Fact]
    public async Task A_program_refuses_a_database_that_lacks_migrations_and_says_what_to_run()
    {
        var empty = await EmptyAsync("not_migrated");
        await using var app = await HealthTests.StartAsync(empty, web: false, work: false);
        var refused = await Assert.ThrowsAsync<StartupException>(() => ServerHost.RefuseOtherSchemaAsync(app.Services, Token));
        Assert.Contains("BulkImporter migrate", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_database_from_before_the_first_release_is_refused_at_start_and_by_migrate_and_left_as_it_is()
    {
        var old = await EmptyAsync("before_release");
        await using var source = Npgsql.NpgsqlDataSource.Create(old);
        await source.ExecuteAsync("""
            CREATE SCHEMA importer;
            CREATE TABLE importer.migration (migration_id text PRIMARY KEY, product_version text NOT NULL);
            INSERT INTO importer.migration VALUES ('20261123171228_InitialSchema', '10.0.15'), ('20261129203636_Sessions', '10.0.15');
            """, Token);

        await using var app = await HealthTests.StartAsync(old, web: false, work: false);
        var atStart = await Assert.ThrowsAsync<StartupException>(() => ServerHost.RefuseOtherSchemaAsync(app.Services, Token));
        var byMigrate = await Assert.ThrowsAsync<StartupException>(() => MigrateDatabase.RunAsync(old, Token));
        Assert.Equal(atStart.Message, byMigrate.Message);
        Assert.Contains("export the results of its imports with the program that made it", atStart.Message, StringComparison.Ordinal);
        Assert.Contains("start with an empty database", atStart.Message, StringComparison.Ordinal);

        var tables = await source.QueryAsync<string>(
            "SELECT schemaname || '.' || tablename FROM pg_tables WHERE schemaname IN ('importer', 'hangfire')", Token);
        Assert.Equal(["importer.migration"], tables);
    }

    [Fact]
    public async Task The_script_for_administrators_makes_what_migrate_makes_and_changes_nothing_the_second_time()
    {
        var migrated = await EmptyAsync("by_migrate");
        await MigrateDatabase.RunAsync(migrated, Token);
        await using var expected = Npgsql.NpgsqlDataSource.Create(migrated);
        await using var source = Npgsql.NpgsqlDataSource.Create(await EmptyAsync("by_script"));
        await using (var context = new Contexts(source, []).CreateDbContext())
        {
            var script = context.GetService<IMigrator>().GenerateScript(options: MigrationsSqlGenerationOptions.Idempotent);
            for (var time = 0; time < 2; time++) await source.ExecuteAsync(script, Token);
        }

        Assert.Empty(await MigrateDatabase.MissingAsync(source, Token));
        // The script indents what it makes.
        const string functions =
            @"SELECT regexp_replace(prosrc, '\s+', ' ', 'g') FROM pg_proc WHERE pronamespace = 'importer'::regnamespace ORDER BY proname";
        Assert.Equal(await expected.QueryAsync<string>(functions, Token), await source.QueryAsync<string>(functions, Token));
    }

    private async Task<string> EmptyAsync(string name)
    {
        name = $"{name}_{Guid.NewGuid():N}";
        await database.SqlAsync($"CREATE DATABASE {name}");
        return new Npgsql.NpgsqlConnectionStringBuilder(database.ConnectionString) { Database = name, Pooling = false }.ConnectionString;
    }
}
