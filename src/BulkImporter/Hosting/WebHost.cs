using BulkImporter.Access;
using BulkImporter.Api;
using BulkImporter.Dashboard;
using BulkImporter.Dashboard.HangfirePages;
using BulkImporter.Export;
using BulkImporter.Finish;
using BulkImporter.Notify;
using BulkImporter.Reconcile;
using BulkImporter.Rerun;
using BulkImporter.Undo;

namespace BulkImporter.Hosting;

/// <summary>The doors that speak HTTP, and the operations behind them.</summary>
public static class WebHost
{
    /// <summary>Needs what every process has: <see cref="ImporterSetup.AddImporter"/>.</summary>
    public static IServiceCollection AddWeb(this IServiceCollection services) => services
        .AddRerun()
        .AddExport()
        .AddAdoption()
        .AddFinishOrders()
        .AddUndoOrders()
        .AddNotifyDoors()
        .AddAccess()
        .AddApi()
        .AddDashboard();

    /// <summary>The pipeline in its order, and every endpoint.</summary>
    public static WebApplication MapWeb(this WebApplication app)
    {
        app.UseTrustedProxies();
        app.UsePathBaseOfSite();
        app.UseSecurityHeaders();
        app.UseHostCookies();
        app.UseExceptionHandler();
        app.UseWhen(context => context.Request.Path.StartsWithSegments("/api"), api => api.UseStatusCodePages());
        app.UseWhen(context => IsPage(context) && Uri.CheckHostName(context.Request.Host.Host) == UriHostNameType.Unknown, RefuseNameless);
        app.UseWhen(IsPage, pages => pages.UseStatusCodePagesWithReExecute("/problem/{0}", createScopeForStatusCodePages: true));
        app.UseRouting();
        app.UseOwnOrigin();
        app.UseRateLimiter();
        app.UseAuthentication();
        app.UseAuthorization();
        app.UseEnteredText();
        app.UseAntiforgery();
        app.UseHangfirePages();
        app.MapSignIn();
        app.MapApi();
        app.MapMetrics();
        app.MapDashboard(BehindProxy.PathBase(app.Configuration));
        return app;
    }

    private static bool IsPage(HttpContext context) => HttpMethods.IsGet(context.Request.Method)
        && !context.Request.Path.StartsWithSegments("/api") && !context.Request.Path.StartsWithSegments("/health")
        && !context.Request.Path.StartsWithSegments(TelemetrySetup.MetricsPath);

    /// <summary>A page writes its own address, and cannot when the caller's <c>Host</c> is empty or not a name.</summary>
    private static void RefuseNameless(IApplicationBuilder app) => app.Run(context =>
    {
        context.Response.StatusCode = StatusCodes.Status400BadRequest;
        return context.Response.WriteAsync("The request does not name a host. Open the page by its address.", context.RequestAborted);
    });
}
