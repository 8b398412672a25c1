using BulkImporter.Dispatch;
using BulkImporter.Parse;
using BulkImporter.Probes;
using BulkImporter.Records;
using Hangfire;
using Hangfire.Common;
using Hangfire.PostgreSql;
using Hangfire.PostgreSql.Factories;
using Hangfire.Server;
using Hangfire.States;
using Hangfire.Storage;

namespace BulkImporter.Hosting;

/// <summary>
/// Hangfire as the persistent queue that starts our jobs and starts them again when a process dies. Rows are not its business:
/// the jobs are chunks, and what becomes of a record is decided by <c>RecordTransitions</c>.
/// </summary>
public static class HangfireSetup
{
    public const string Schema = "hangfire";

    /// <summary>
    /// What a row of Hangfire's tables may name: our jobs and the types of their arguments. By default it may name any method of any type,
    /// so that whoever can write one row would run what he likes with our rights.
    /// </summary>
    private static readonly Dictionary<string, Type> JobTypes = new[] { typeof(DispatchChunk), typeof(ParseManifest), typeof(ProbeSources) }
        .SelectMany(job => job.GetMethod(nameof(DispatchChunk.RunAsync))!.GetParameters().Select(p => p.ParameterType).Append(job))
        .Distinct()
        .ToDictionary(TypeHelper.SimpleAssemblyTypeSerializer);

    /// <summary>Storage and client: what every process needs that enqueues or shows jobs.</summary>
    public static IServiceCollection AddHangfireStorage(this IServiceCollection services, string connectionString)
    {
        // A failed record is data, not a failed job; and a chunk job that dies is fed again by the feeder. Hangfire retries nothing.
        GlobalJobFilters.Filters.Remove<AutomaticRetryAttribute>();
        // Ours, so that each host has its own: the one that Hangfire adds is whatever storage was set last in this process.
        services.AddSingleton<JobStorage>(_ => Storage(connectionString));
        return services.AddHangfire((provider, hangfire) => hangfire
            .SetDataCompatibilityLevel(CompatibilityLevel.Version_180)
            .UseSimpleAssemblyNameTypeSerializer()
            .UseTypeResolver(name => JobTypes.GetValueOrDefault(name)
                ?? throw new TypeLoadException($"'{name}' is not a type of BulkImporter's jobs."))
            .UseRecommendedSerializerSettings()
            .UseFilter(new ExpireFailedJobs())
            .UseStorage(provider.GetRequiredService<JobStorage>()));
    }

    private static PostgreSqlStorage Storage(string connectionString)
    {
        var options = new PostgreSqlStorageOptions
        {
            SchemaName = Schema,
            // `migrate` installs it, under the same lock as ours.
            PrepareSchemaIfNecessary = false,
            QueuePollInterval = TimeSpan.FromSeconds(1),
            // A job whose process died is started again after this; a living one slides it on. The chunk's own lease is shorter.
            UseSlidingInvisibilityTimeout = true,
            InvisibilityTimeout = TimeSpan.FromSeconds(60),
            // A process that dies while Hangfire writes a job's state leaves that job's lock behind, and whoever fetches the job
            // next waits for the lock's end with one of his threads. It is held for a few statements; the default of ten minutes
            // is for jobs that hold one.
            DistributedLockTimeout = TimeSpan.FromSeconds(30),
            // Long polling holds a connection and a notification per worker, for latency that chunks of 500 records do not feel.
            EnableLongPolling = false,
            JobExpirationCheckInterval = TimeSpan.FromMinutes(10),
            // A worker that cannot reach the database must say so and not pretend to work.
            AllowDegradedModeWithoutStorage = false,
        };
        return new(new NpgsqlConnectionFactory(DataSetup.PoolOf("bulkimporter hangfire", connectionString, most: 30), options), options);
    }

    /// <summary>The threads that run our jobs, and the processes that run beside them on every worker.</summary>
    public static IServiceCollection AddHangfireWorker(this IServiceCollection services) => services
        .AddHangfireServer(provider =>
            Server(provider, "dispatch", DispatchChunk.Queue, provider.GetRequiredService<IOptions<WorkOptions>>().Value.Workers,
                provider.GetServices<IBackgroundProcess>()))
        // A parse of an hour must not hold a place that a chunk could use, nor wait behind a thousand of them.
        .AddHangfireServer(provider => Server(provider, "parse", ParseManifest.Queue, threads: 1, beside: []))
        // One at a time, so that the probes of a process keep its rate together.
        .AddHangfireServer(provider => Server(provider, "probe", ProbeSources.Queue, threads: 1, beside: []));

    private static BackgroundJobServer Server(
        IServiceProvider provider, string name, string queue, int threads, IEnumerable<IBackgroundProcess> beside)
    {
        var options = new BackgroundJobServerOptions
        {
            ServerName = $"{provider.GetRequiredService<WorkerIdentity>().Name}:{name}",
            Queues = [queue],
            WorkerCount = threads,
            // Jobs hear of the host's stopping by themselves; Hangfire waits until their answers are written.
            StopTimeout = DispatchChunk.GracefulStop,
            ShutdownTimeout = DispatchChunk.GracefulStop,
            HeartbeatInterval = TimeSpan.FromSeconds(15),
            ServerTimeout = TimeSpan.FromMinutes(2),
            ServerCheckInterval = TimeSpan.FromMinutes(1),
            Activator = provider.GetRequiredService<JobActivator>(),
        };
        return new BackgroundJobServer(options, provider.GetRequiredService<JobStorage>(), beside);
    }

    /// <summary>
    /// Lets every ended job disappear after a while, failed ones too: a chunk job that failed was fed again long before, and Hangfire would
    /// otherwise keep it for ever.
    /// </summary>
    private sealed class ExpireFailedJobs : IApplyStateFilter
    {
        private static readonly TimeSpan KeepFailed = TimeSpan.FromDays(7);
        private static readonly TimeSpan KeepSucceeded = TimeSpan.FromHours(6);

        public void OnStateApplied(ApplyStateContext context, IWriteOnlyTransaction transaction)
        {
            if (context.NewState is FailedState) transaction.ExpireJob(context.BackgroundJob.Id, KeepFailed);
            else if (context.NewState is SucceededState) context.JobExpirationTimeout = KeepSucceeded;
        }

        public void OnStateUnapplied(ApplyStateContext context, IWriteOnlyTransaction transaction)
        {
            if (context.OldStateName == FailedState.StateName) transaction.PersistJob(context.BackgroundJob.Id);
        }
    }
}
