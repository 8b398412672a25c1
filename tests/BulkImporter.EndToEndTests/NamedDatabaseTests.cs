using BulkImporter.EndToEndTests.Durability;
using Npgsql;

namespace BulkImporter.EndToEndTests;

/// <summary>The database that an operator names: how it may be written, what is refused in a sentence, and a pooler before it.</summary>
public sealed class NamedDatabaseTests : IAsyncDisposable
{
    private const string Secret = "s3cr3tword";

    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(3);

    private readonly Stage stage = new();

    public ValueTask DisposeAsync() => stage.DisposeAsync();

    [Fact]
    public async Task It_may_be_written_as_a_url()
    {
        var postgres = await stage.StartPostgresAsync();
        var (code, output) = await RunAsync("migrate", $"postgresql://importer@127.0.0.1:{postgres.Port}/postgres?sslmode=disable");
        Assert.Equal((0, "The database is up to date."), (code, output.Trim()));
    }

    [Theory]
    [InlineData("migrate", $"Host=127.0.0.1;Pasword={Secret}", "'Pasword'")]
    [InlineData("web", $"Host=127.0.0.1;Password={Secret};Databse=x", "'Databse'")]
    [InlineData("work", $"postgres://ann:{Secret}@127.0.0.1:1/x?sslmod=disable", "'sslmod'")]
    [InlineData("migrate", $"Host=127.0.0.1;Port=1;Password={Secret}", "The database cannot be used: ")]
    [InlineData("serve", $"postgres://ann:{Secret}@127.0.0.1:1/x", "The database cannot be used: ")]
    public async Task What_cannot_be_used_is_one_sentence_and_exit_code_1(string verb, string connectionString, string named)
    {
        var (code, output) = await RunAsync(verb, connectionString);
        Assert.Equal(1, code);
        Assert.Contains(named, output, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", output, StringComparison.Ordinal);
        Assert.DoesNotContain(Secret, output, StringComparison.Ordinal);
        Assert.Single(output.Trim().Split('\n'));
    }

    [Theory]
    [InlineData("work", "http://127.0.0.1:0", "MetricsToken", "short", "MetricsToken must have at least 16 characters")]
    [InlineData("web", "http://127.0.0.1:0", "MetricsToken", "short", "MetricsToken must have at least 16 characters")]
    [InlineData("work", "http://127.0.0.1:0", "CallSampleRatio", "0,5", "Write 0.5")]
    [InlineData("web", "nonsense", "CallSampleRatio", "0.5", "Cannot listen at nonsense")]
    [InlineData("work", "http://127.0.0.1:99999", "CallSampleRatio", "0.5", "Cannot listen at http://127.0.0.1:99999")]
    public async Task Setting_that_cannot_be_is_one_sentence_though_the_database_is_there(
        string verb, string urls, string setting, string value, string told)
    {
        var postgres = await stage.StartPostgresAsync();
        await stage.MigrateAsync(postgres.ConnectionString);
        var program = stage.Start(verb, BuiltPrograms.Importer, [verb, "--urls", urls],
            new Settings
            {
                ["ConnectionStrings__BulkImporter"] = postgres.ConnectionString,
                [$"BulkImporter__Telemetry__{setting}"] = value
            });

        Assert.Equal(1, await program.WaitForExitAsync(Limit));
        Assert.Contains(told, program.Log, StringComparison.Ordinal);
        Assert.DoesNotContain("Exception", program.Log, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Database_that_cannot_hold_every_text_is_refused_by_migrate_and_by_every_start()
    {
        var postgres = await stage.StartPostgresAsync();
        foreach (var encoding in new[] { "LATIN1", "SQL_ASCII" })
        {
            await postgres.ExecuteAsync($"CREATE DATABASE {encoding} ENCODING '{encoding}' TEMPLATE template0 LOCALE 'C'");
            foreach (var verb in new[] { "migrate", "web" })
            {
                var (code, output) = await RunAsync(verb, new NpgsqlConnectionStringBuilder(postgres.ConnectionString)
                { Database = encoding.ToLowerInvariant() }.ConnectionString);
                Assert.Equal(1, code);
                Assert.Contains($"has the encoding {encoding}", output, StringComparison.Ordinal);
                Assert.Contains("CREATE DATABASE bulkimporter ENCODING 'UTF8'", output, StringComparison.Ordinal);
                Assert.DoesNotContain("   at ", output, StringComparison.Ordinal);
            }
        }
    }

    /// <summary>
    /// Migrated, filled and emptied through a pooler that gives each transaction another session, and counted by the simulator's ledger.
    /// </summary>
    [Fact]
    public async Task Pooler_in_transaction_mode_serves_migrate_web_and_work()
    {
        const int Rows = 400;
        var door = 0;
        var company = await Company.FoundAsync(stage, Company.Brisk, door: async postgres =>
        {
            door = await PgBouncer.StartAsync(stage, postgres, sessions: 8);
            await postgres.ExecuteAsync("CREATE DATABASE fresh");
            return door;
        });
        foreach (var _ in Enumerable.Range(0, 2))
            await stage.MigrateAsync(new NpgsqlConnectionStringBuilder(company.Postgres.ThroughPort(door))
            { Database = "fresh" }.ConnectionString);
        Assert.Equal(0, await company.Postgres.AskAsync<long>("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"));

        var workers = await company.HireAsync(2);
        var id = await company.ImportAsync(Rows);
        await company.Api.FinishedAsync(id, Company.RunLimit);
        Assert.Empty(await company.AuditAsync(id, Rows));
        Assert.True(await company.Postgres.AskAsync<bool>(
            "SELECT count(*) <= 16 FROM pg_stat_activity WHERE backend_type = 'client backend' AND application_name <> 'test'"));
        // A round that is under way holds one until its transaction ends; one of a session would stay.
        await Wait.UntilAsync(TimeSpan.FromSeconds(20), "no advisory lock stays", async () =>
            await company.Postgres.AskAsync<long>("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'") == 0);
        foreach (var program in workers.Append(company.Web))
        {
            // Prepared statements that are another session's, or that this one has already; parameters and options that a pooler does not
            // know.
            foreach (var code in new[] { "42P05", "26000", "08P01" }) Assert.DoesNotContain(code, program.Log, StringComparison.Ordinal);
        }
    }

    private async Task<(int Code, string Output)> RunAsync(string verb, string connectionString)
    {
        var program = stage.Start(verb, BuiltPrograms.Importer, verb == "migrate"
            ? [verb] : [verb, "--urls", $"http://127.0.0.1:{FreePort.Take()}"],
            new Settings { ["ConnectionStrings__BulkImporter"] = connectionString });
        return (await program.WaitForExitAsync(Limit), program.Log);
    }
}
