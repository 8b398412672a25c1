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

        services.AddPeriodic<QueueParsing>("parse feeder", TimeSpan.FromSeconds(1), o => o.RunAsync, IfAny);
        services.AddPeriodic<QueueProbes>("probe feeder", TimeSpan.FromSeconds(2), o => o.RunAsync, IfAny);
        services.AddPeriodic<ChunkFeeder>("chunk feeder", TimeSpan.FromSeconds(1), o => o.RunAsync, Never,
            wake: p => p.GetRequiredService<ChunkGivenBack>().WaitHandle);
        services.AddPeriodic<RescueLeases>("lease rescue", TimeSpan.FromSeconds(2), o => o.RunAsync, IfAny);
        services.AddPeriodic<StatusPoller>(StatusPoller.Loop, TimeSpan.FromMilliseconds(250), o => o.RunAsync, IfAny);
        services.AddPeriodic<FinishRecords>(FinishRecords.Loop, TimeSpan.FromMilliseconds(500), o => o.RunAsync, IfAny);
        services.AddPeriodic<DeleteAssets>(DeleteAssets.Loop, TimeSpan.FromSeconds(1), o => o.RunAsync, IfAny);
        services.AddPeriodic<AbortRemote>(AbortRemote.Loop, TimeSpan.FromSeconds(1), o => o.RunAsync, IfAny);
        services.AddPeriodic<FollowImports>("import follower", TimeSpan.FromSeconds(1), o => async stop =>
            { await o.RunAsync(stop); return 0; }, Never);
        services.AddPeriodic<ReconcileUnknown>(ReconcileUnknown.Loop, TimeSpan.FromSeconds(10), o => o.RunAsync, IfAny);
        services.AddPeriodic<ResubmitUnknown>("unknown resubmitter", TimeSpan.FromSeconds(10), o => o.RunAsync, Never);
        services.AddPeriodic<SendNotifications>("notification sender", TimeSpan.FromSeconds(2), o => o.RunAsync, IfAny);
        services.AddPeriodic<CompareCounters>("counter comparison", TimeSpan.FromMinutes(10), o => o.RunAsync, Never);
        services.AddPeriodic<RebuildKeys>("key rebuild", TimeSpan.FromMinutes(1), o => o.RunAsync, IfAny);
        services.AddPeriodic<SweepManifests>("manifest sweep", TimeSpan.FromHours(1), o => o.RunAsync, IfAny);
        services.AddPeriodic<RemoveDeleted>("deletion", TimeSpan.FromSeconds(5), o => o.RunAsync, IfAny);
        services.AddPeriodic<SweepEnded>("retention", TimeSpan.FromHours(1), o => o.RunAsync, IfAny);

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

    private static void AddPeriodic<T>(
        this IServiceCollection services, string name, TimeSpan pause, Func<T, Func<CancellationToken, Task<int>>> round,
        Func<int, bool> moreAtOnce, Func<IServiceProvider, WaitHandle>? wake = null) where T : notnull =>
        services.AddSingleton<IBackgroundProcess>(provider => new PeriodicProcess(
            name, pause, wake?.Invoke(provider), async stop => moreAtOnce(await round(provider.GetRequiredService<T>())(stop)),
            provider.GetRequiredService<LoopHealth>(), provider.GetRequiredService<Func<double>>()));
}
