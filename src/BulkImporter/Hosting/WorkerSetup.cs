using BulkImporter.Api;
using BulkImporter.Dispatch;
using BulkImporter.Finish;
using BulkImporter.Imports;
using BulkImporter.Manifests;
using BulkImporter.Notify;
using BulkImporter.Parse;
using BulkImporter.Probes;
using BulkImporter.Reconcile;
using BulkImporter.Retention;
using BulkImporter.Status;
using BulkImporter.Telemetry;
using BulkImporter.Undo;
using Hangfire.Server;

namespace BulkImporter.Hosting;

/// <summary>
/// Everything that a worker process does beside serving pages: the jobs, and the processes that feed, follow, rescue and sweep.
/// </summary>
public static class WorkerSetup
{
    public static IServiceCollection AddWorker(this IServiceCollection services)
    {
        services.AddDispatch().AddStatus().AddReconcile().AddFinish().AddUndo().AddNotify().AddRetention().AddSingleton<FollowImports>()
            .AddSingleton<CompareCounters>().AddHangfireWorker();

        services.AddPeriodic("parse feeder", TimeSpan.FromSeconds(1), p => p.GetRequiredService<QueueParsing>().RunAsync, IfAny);
        services.AddPeriodic("probe feeder", TimeSpan.FromSeconds(2), p => p.GetRequiredService<QueueProbes>().RunAsync, IfAny);
        services.AddPeriodic("chunk feeder", TimeSpan.FromSeconds(1), p => p.GetRequiredService<ChunkFeeder>().RunAsync, Never,
            wake: p => p.GetRequiredService<ChunkGivenBack>().WaitHandle);
        services.AddPeriodic("lease rescue", TimeSpan.FromSeconds(2), p => p.GetRequiredService<RescueLeases>().RunAsync, IfAny);
        services.AddPeriodic(StatusPoller.Loop, TimeSpan.FromMilliseconds(250), p => p.GetRequiredService<StatusPoller>().RunAsync, IfAny);
        services.AddPeriodic(FinishRecords.Loop, TimeSpan.FromMilliseconds(500), p =>
            p.GetRequiredService<FinishRecords>().RunAsync, IfAny);
        services.AddPeriodic(DeleteAssets.Loop, TimeSpan.FromSeconds(1), p => p.GetRequiredService<DeleteAssets>().RunAsync, IfAny);
        services.AddPeriodic(AbortRemote.Loop, TimeSpan.FromSeconds(1), p => p.GetRequiredService<AbortRemote>().RunAsync, IfAny);
        services.AddPeriodic("import follower", TimeSpan.FromSeconds(1), p => async stop =>
            { await p.GetRequiredService<FollowImports>().RunAsync(stop); return 0; }, Never);
        services.AddPeriodic(ReconcileUnknown.Loop, TimeSpan.FromSeconds(10), p =>
            p.GetRequiredService<ReconcileUnknown>().RunAsync, IfAny);
        services.AddPeriodic("unknown resubmitter", TimeSpan.FromSeconds(10), p => p.GetRequiredService<ResubmitUnknown>().RunAsync, Never);
        services.AddPeriodic("notification sender", TimeSpan.FromSeconds(2), p =>
            p.GetRequiredService<SendNotifications>().RunAsync, IfAny);
        services.AddPeriodic("counter comparison", TimeSpan.FromMinutes(10), p => p.GetRequiredService<CompareCounters>().RunAsync, Never);
        services.AddPeriodic("key rebuild", TimeSpan.FromMinutes(1), p => p.GetRequiredService<RebuildKeys>().RunAsync, IfAny);
        services.AddPeriodic("manifest sweep", TimeSpan.FromHours(1), p => p.GetRequiredService<SweepManifests>().RunAsync, IfAny);
        services.AddPeriodic("deletion", TimeSpan.FromSeconds(5), p => p.GetRequiredService<RemoveDeleted>().RunAsync, IfAny);
        services.AddPeriodic("retention", TimeSpan.FromHours(1), p => p.GetRequiredService<SweepEnded>().RunAsync, IfAny);

        return services.Configure<HostOptions>(host => host.ShutdownTimeout = DispatchChunk.GracefulStop + TimeSpan.FromSeconds(5));
    }

    /// <summary>The only thing that a process without pages answers: whether it lives, whether it can work, and its measures.</summary>
    public static void MapWorkerProbes(this WebApplication app)
    {
        app.MapHealth();
        app.MapMetrics();
    }

    private static bool IfAny(int count) => count > 0;

    private static bool Never(int count) => false;

    private static void AddPeriodic(
        this IServiceCollection services, string name, TimeSpan pause,
        Func<IServiceProvider, Func<CancellationToken, Task<int>>> operation, Func<int, bool> moreAtOnce,
        Func<IServiceProvider, WaitHandle>? wake = null) =>
        services.AddSingleton<IBackgroundProcess>(provider => new PeriodicProcess(
            name, pause, wake?.Invoke(provider),
            async stop => moreAtOnce(await operation(provider)(stop)), provider.GetRequiredService<LoopHealth>(),
            provider.GetRequiredService<Func<double>>()));
}
