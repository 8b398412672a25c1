using BulkImporter.Hosting;
using BulkImporter.Tests.Api;
using Hangfire;
using Hangfire.Storage;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace BulkImporter.Tests.Hosting;

/// <summary>
/// Alone: Hangfire keeps its log for the whole process, the last host's, and a host of another class that ends takes that away.
/// </summary>
[CollectionDefinition(nameof(HangfireSetupTests), DisableParallelization = true)]
[Collection(nameof(HangfireSetupTests))]
public sealed class HangfireSetupTests(ImporterServer server) : IClassFixture<ImporterServer>
{
    [Fact]
    public async Task Row_that_names_a_method_of_another_type_runs_nothing()
    {
        var victim = Path.GetTempFileName();
        await server.Database.SqlAsync("""
            WITH job AS (
                INSERT INTO hangfire.job (statename, invocationdata, arguments, createdat)
                VALUES ('Enqueued', jsonb_build_object('Type', 'System.IO.File, mscorlib', 'Method', 'Delete', 'ParameterTypes',
                    '["System.String, mscorlib"]', 'Arguments', $1),
                    $1::jsonb, now())
                RETURNING id
            )
            INSERT INTO hangfire.jobqueue (jobid, queue) SELECT id, 'foreign' FROM job
            """, $"[{System.Text.Json.JsonSerializer.Serialize(System.Text.Json.JsonSerializer.Serialize(victim))}]");
        var storage = server.Services.GetRequiredService<JobStorage>();
        using (var worker = new BackgroundJobServer(new BackgroundJobServerOptions
        { Queues = ["foreign"], WorkerCount = 1, SchedulePollingInterval = TimeSpan.FromMilliseconds(100) }, storage))
        {
            await Client.Poll.UntilAsync(() => storage.GetMonitoringApi().FailedCount() > 0);
        }

        Assert.True(File.Exists(victim));
        Assert.Contains("is not a type of BulkImporter's jobs",
            string.Join(' ', storage.GetMonitoringApi().FailedJobs(0, 10)
                .Select(j => $"{j.Value.ExceptionMessage} {j.Value.ExceptionDetails}")), StringComparison.Ordinal);
        File.Delete(victim);
    }

    [Fact]
    public async Task Two_hosts_in_one_process_have_a_storage_each()
    {
        await using var one = Host("one");
        await using var other = Host("other");
        one.GetRequiredService<IGlobalConfiguration>();
        other.GetRequiredService<IGlobalConfiguration>();
        Assert.NotSame(one.GetRequiredService<JobStorage>(), other.GetRequiredService<JobStorage>());

        static ServiceProvider Host(string name) => new ServiceCollection().AddSingleton<ILoggerFactory>(NullLoggerFactory.Instance)
            .AddHangfireStorage($"Host={name}").BuildServiceProvider();
    }

    [Fact]
    public async Task Lock_that_a_dead_process_left_holds_nobody_longer_than_half_a_minute()
    {
        await server.Database.SqlAsync("""
            INSERT INTO hangfire.lock (resource, updatecount, acquired)
            VALUES ('hangfire:job:1:state-lock', 0, now() - interval '25 seconds'),
                ('hangfire:job:2:state-lock', 0, now() - interval '31 seconds')
            """);
        using var connection = server.Services.GetRequiredService<JobStorage>().GetConnection();
        Assert.ThrowsAny<DistributedLockTimeoutException>(() => connection.AcquireDistributedLock("job:1:state-lock", TimeSpan.Zero));
        connection.AcquireDistributedLock("job:2:state-lock", TimeSpan.FromSeconds(1)).Dispose();
    }
}
