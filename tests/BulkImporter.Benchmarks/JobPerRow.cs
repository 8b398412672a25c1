using System.Diagnostics;
using System.Text.Json;
using BulkImporter.Data;
using Hangfire;
using Hangfire.PostgreSql;
using Hangfire.PostgreSql.Factories;
using Npgsql;

namespace BulkImporter.Benchmarks;

/// <summary>
/// The baseline that most people build: each row is a Hangfire job, which calls the API and writes the ticket with one UPDATE. Hangfire
/// has the same settings as in the product, and twenty workers, so that calls are not what it waits for.
/// </summary>
internal sealed class JobPerRow(Bench bench)
{
    private const int Workers = 20;

    public async Task<(double EnqueueRate, double ProcessRate)> RunAsync(int rows)
    {
        await bench.ExecuteAsync("""
            CREATE SCHEMA bench;
            CREATE TABLE bench.job_row (id int PRIMARY KEY, url text NOT NULL, status_id text) WITH (fillfactor = 75);
            """);
        await bench.Database.ExecuteAsync(
            "INSERT INTO bench.job_row SELECT n, 'https://media.example.com/job/interview-' || n || '.mp4' FROM generate_series(1, $1) n",
            CancellationToken.None, rows);

        var settings = new PostgreSqlStorageOptions
        {
            SchemaName = "bench_hangfire",
            QueuePollInterval = TimeSpan.FromSeconds(1),
            UseSlidingInvisibilityTimeout = true,
            InvisibilityTimeout = TimeSpan.FromSeconds(60),
            EnableLongPolling = false,
        };
        var pool = new NpgsqlConnectionStringBuilder(bench.ConnectionString)
        { NoResetOnClose = true, MaxAutoPrepare = 50, ApplicationName = "bench hangfire" };
        var storage = new PostgreSqlStorage(new NpgsqlConnectionFactory(pool.ConnectionString, settings), settings);
        using var http = new HttpClient { BaseAddress = new Uri(bench.SimulatorAddress, "v2/") };

        var client = new BackgroundJobClient(storage);
        var started = Stopwatch.GetTimestamp();
        for (var row = 1; row <= rows; row++)
        {
            var id = row;
            client.Enqueue<RowJob>(job => job.RunAsync(id));
        }
        var enqueueRate = rows / Stopwatch.GetElapsedTime(started).TotalSeconds;

        started = Stopwatch.GetTimestamp();
        using (new BackgroundJobServer(new BackgroundJobServerOptions
        { WorkerCount = Workers, Activator = new RowJobs(bench.Database, http) }, storage))
        {
            while (await bench.OneAsync<long>("SELECT count(*) FROM bench.job_row WHERE status_id IS NULL") > 0) await Task.Delay(100);
            return (enqueueRate, rows / Stopwatch.GetElapsedTime(started).TotalSeconds);
        }
    }

    private sealed class RowJobs(NpgsqlDataSource database, HttpClient http) : JobActivator
    {
        public override object ActivateJob(Type jobType) => new RowJob(database, http);
    }

    /// <summary>Public because Hangfire finds it by name.</summary>
    public sealed class RowJob(NpgsqlDataSource database, HttpClient http)
    {
        public async Task RunAsync(int row)
        {
            var url = (await database.QueryAsync<string>(
                "SELECT url FROM bench.job_row WHERE id = $1", CancellationToken.None, row))[0];
            using var reply = JsonDocument.Parse(await BareLoop.UploadFromUrlAsync(http, url));
            await database.ExecuteAsync("UPDATE bench.job_row SET status_id = $2 WHERE id = $1", CancellationToken.None, row,
                reply.RootElement.GetProperty("status_id").GetString());
        }
    }
}
