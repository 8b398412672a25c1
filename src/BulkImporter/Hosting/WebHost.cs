using BulkImporter.Access;
using BulkImporter.Api;
using BulkImporter.Export;
using BulkImporter.Rerun;

namespace BulkImporter.Hosting;

/// <summary>The doors that speak HTTP, and the operations behind them.</summary>
public static class WebHost
{
    /// <summary>Needs what every process has: <see cref="ImporterSetup.AddImporter"/>.</summary>
    public static IServiceCollection AddWeb(this IServiceCollection services)
    {
        return services
            .AddRerun()
            .AddExport()
            .AddAccess()
            .AddApi();
    }

    /// <summary>The pipeline in its order, and every endpoint that is not a page of the dashboard.</summary>
    public static WebApplication MapWeb(this WebApplication app)
    {
        app.UseExceptionHandler();
        app.UseWhen(context => context.Request.Path.StartsWithSegments("/api"), api => api.UseStatusCodePages());
        app.UseRouting();
        app.UseRateLimiter();
        app.UseAuthentication();
        app.UseAuthorization();
        app.UseAntiforgery();
        app.MapSignIn();
        app.MapApi();
        return app;
    }
}
