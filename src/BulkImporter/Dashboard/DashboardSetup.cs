using BulkImporter.Access;
using BulkImporter.Dashboard.HangfirePages;
using Microsoft.AspNetCore.Components.Authorization;
using Microsoft.AspNetCore.Mvc;
using MudBlazor.Services;

namespace BulkImporter.Dashboard;

public static class DashboardSetup
{
    private const int LargestMessage = 1024 * 1024;

    // Named, because the default looks for that of the program that was started, which is another one in a test.
    private const string StaticAssets = "BulkImporter.staticwebassets.endpoints.json";

    /// <summary>Needs the operations (imports, records, rerun, manifests, accounts), the access and Hangfire's storage.</summary>
    public static IServiceCollection AddDashboard(this IServiceCollection services)
    {
        // What a page hands from its first drawing to the live page comes back in one message. A page of records or imports is larger than
        // the default of 32 KB, and then the page would never come alive, without a word.
        services.AddRazorComponents().AddInteractiveServerComponents().AddHubOptions(hub =>
        {
            hub.MaximumReceiveMessageSize = LargestMessage;
            // Far less than reconnect.js waits for a sign of life.
            hub.KeepAliveInterval = TimeSpan.FromSeconds(3);
        });
        services.AddCascadingAuthenticationState();
        services.AddScoped<SessionRevalidation>().AddScoped<AuthenticationStateProvider>(p => p.GetRequiredService<SessionRevalidation>());
        services.AddMudServices(mud =>
        {
            // What was told stays until it is closed, or the page is left.
            mud.SnackbarConfiguration.RequireInteraction = true;
            mud.SnackbarConfiguration.ClearAfterNavigation = true;
            mud.SnackbarConfiguration.MaxDisplayedSnackbars = 3;
            mud.SnackbarConfiguration.NewestOnTop = true;
        });
        services.AddScoped<RecordOrders>().AddSingleton<ReadReport>();
        return services.AddHangfirePages();
    }

    /// <summary>The pages, what they load, and Hangfire's own pages behind the same sign-in.</summary>
    /// <param name="root">The path of the site below which everything of ours is found.</param>
    public static IEndpointRouteBuilder MapDashboard(this IEndpointRouteBuilder endpoints, PathString root)
    {
        // Style and scripts hold nothing secret, and the sign-in page needs them before anybody is signed in.
        endpoints.MapStaticAssets(StaticAssets).AllowAnonymous();
        endpoints.MapRazorComponents<App>()
            // The policy for frames is one of the headers of every answer.
            .AddInteractiveServerRenderMode(o => o.ContentSecurityFrameAncestorsPolicy = null)
            .RequireAuthorization(Policy.Viewer)
            // Where there is no WebSocket, a message comes as the body of a request.
            .Add(endpoint =>
            {
                if (endpoint is RouteEndpointBuilder { RoutePattern.RawText: "/_blazor" or "_blazor" })
                    endpoint.Metadata.Add(new RequestSizeLimitAttribute(2 * LargestMessage));
            });
        endpoints.MapReports();
        endpoints.MapHangfirePages(root);
        return endpoints;
    }
}
