using Hangfire.Dashboard;
using Hangfire.Dashboard.Pages;
using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Components.Web;

namespace BulkImporter.Dashboard.HangfirePages;

/// <summary>A Razor component of ours as a page in Hangfire's layout.</summary>
internal sealed class DrawnPage<TComponent>(string title) : RazorPage where TComponent : IComponent
{
    public override void Execute()
    {
        Layout = new LayoutPage(title);
        WriteLiteral(Drawing.Wait(Context.DrawAsync<TComponent>(Drawing.Viewer(Context))));
    }
}

/// <summary>Draws Razor components into Hangfire's pages, with the services of the request.</summary>
internal static class Drawing
{
    public static async Task<string> DrawAsync<TComponent>(
        this DashboardContext context, Dictionary<string, object?> parameters) where TComponent : IComponent
    {
        var services = context.GetHttpContext().RequestServices;
        await using var renderer = new HtmlRenderer(services, services.GetRequiredService<ILoggerFactory>());
        return await renderer.Dispatcher.InvokeAsync(async () =>
            (await renderer.RenderComponentAsync<TComponent>(ParameterView.FromDictionary(parameters))).ToHtmlString());
    }

    /// <summary>The parameters of a component that shows imports: whether the person may act, and the clock on his wall.</summary>
    public static Dictionary<string, object?> Viewer(DashboardContext context) => new()
    {
        [nameof(LiveImports.MayAct)] = !context.IsReadOnly,
        [nameof(LiveImports.Look)] = Look.Of(context.GetHttpContext()),
        [nameof(LiveImports.Root)] = Root(context),
    };

    /// <summary>
    /// The path that all pages of ours are below; empty for the root of the host. Hangfire's pages have no base that addresses could be
    /// relative to.
    /// </summary>
    public static string Root(DashboardContext context) =>
        context.GetHttpContext().Request.PathBase.Value![..^HangfirePagesSetup.Path.Length];

    /// <summary>
    /// Hangfire draws its pages and metrics synchronously, on the thread of the request; there is no other way to wait there.
    /// </summary>
    public static T Wait<T>(Task<T> task) => task.GetAwaiter().GetResult();
}
