using BulkImporter.Api;

namespace BulkImporter.Hosting;

/// <summary>The only thing that a process without pages answers: whether it lives, whether it can work, and its measures.</summary>
internal static class WorkerProbes
{
    public static WebApplication MapWorkerProbes(this WebApplication app)
    {
        app.MapHealth();
        app.MapMetrics();
        return app;
    }
}
