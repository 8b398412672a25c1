using BulkImporter.Api;

namespace BulkImporter.Hosting;

/// <summary>The only thing that a process without pages answers: whether it lives and whether it can work.</summary>
internal static class WorkerProbes
{
    public static WebApplication MapWorkerProbes(this WebApplication app)
    {
        app.MapHealth();
        return app;
    }
}
