using System.Text.RegularExpressions;
using BulkImporter.Access;
using BulkImporter.Dispatch;
using BulkImporter.Imports;
using BulkImporter.Parse;
using Hangfire;
using Hangfire.Dashboard;

namespace BulkImporter.Dashboard.HangfirePages;

/// <summary>
/// Hangfire's dashboard behind our sign-in, and what is ours in it: a page of imports, numbers of records, and the records of a job.
/// </summary>
internal static class HangfirePagesSetup
{
    public const string Path = "/hangfire";

    private const string ImportsPath = "/imports";

    /// <summary>
    /// Hangfire keeps its pages in statics: what is ours is put there once for all hosts of the process, and asks the request for its
    /// services.
    /// </summary>
    private static readonly Lazy<bool> Extended = new(Extend);

    public static IServiceCollection AddHangfirePages(this IServiceCollection services) => services.AddSingleton<PolledFeed>();

    /// <summary>What Hangfire leaves to do around its pages. It comes last before the endpoints.</summary>
    public static void UseHangfirePages(this WebApplication app) =>
        app.UseWhen(context => context.Request.Path.StartsWithSegments(Path), pages => pages.Use(async (context, next) =>
    {
        // It writes the addresses of metrics as they are. Ours are relative to its first page, which must then be known by one address.
        if (context.Request.Path.Value!.Length == Path.Length + 1)
        {
            context.Response.Redirect(context.Request.PathBase + Path);
            return;
        }
        try
        {
            await next(context);
        }
        catch (RegexMatchTimeoutException) when (!context.Response.HasStarted)
        {
            // It looks its pages up by patterns that have to match within moments, and on a machine that pauses they do not. Nothing was
            // done yet.
            await next(context);
        }
        // Its own orders (requeue, delete, trigger) leave no trace with us; its page asks for numbers in the same way, and what is ours
        // notes itself.
        var path = context.Request.Path.Value[Path.Length..];
        if (HttpMethods.IsPost(context.Request.Method) && context.Response.StatusCode < 300
            && !path.EndsWith("/stats", StringComparison.Ordinal) && !path.EndsWith("/rerun-failed", StringComparison.Ordinal))
            await context.RequestServices.GetRequiredService<NoteDeed>()
                .RunAsync(context.User.Actor(), "job_ordered", null, path[..Math.Min(path.Length, 200)], CancellationToken.None);
    }));

    /// <param name="root">The path of the site below which everything of ours is found.</param>
    public static void MapHangfirePages(this IEndpointRouteBuilder endpoints, PathString root)
    {
        _ = Extended.Value;
        endpoints.MapHangfireDashboardWithAuthorizationPolicy(Policy.Viewer, Path, new DashboardOptions
        {
            DashboardTitle = "BulkImporter jobs",
            AppPath = $"{root}/",
            FaviconPath = $"{root}/favicon.svg",
            // Its totals cost a count over the job tables each time.
            StatsPollingInterval = 10_000,
            DisplayStorageConnectionString = false,
            IgnoreAntiforgeryToken = false,
            IsReadOnlyFunc = context => context.GetHttpContext().User.Role() < Role.Operator,
        });
    }

    private static bool Extend()
    {
        var ours = typeof(HangfirePagesSetup).Assembly;
        DashboardRoutes.AddStylesheet(ours, "hangfire-pages.css");
        DashboardRoutes.AddJavaScript(ours, "hangfire-pages.js");
        DashboardRoutes.Routes.AddRazorPage(ImportsPath, _ => new DrawnPage<ImportsPage>("Imports"));
        DashboardRoutes.Routes.Add($"{ImportsPath}/live", new LiveImportsRoute());
        DashboardRoutes.Routes.Add(RerunFailed.Route, new RerunFailed());
        NavigationMenu.Items.Insert(0, page => new MenuItem("Imports", page.Url.To(ImportsPath))
        {
            Active = page.RequestPath.StartsWith(ImportsPath, StringComparison.OrdinalIgnoreCase),
        });
        GlobalConfiguration.Configuration
            .UseDashboardMetrics(
                Metric("records:pending", "Records pending", c => c.Pending, MetricStyle.Default),
                Metric("records:in-flight", "Records in flight", c => c.Submitting + c.Submitted, MetricStyle.Info),
                Metric("records:failed", "Records failed", c => c.Failed, MetricStyle.Danger),
                Metric("records:unknown", "Records unknown", c => c.Unknown, MetricStyle.Warning))
            .UseJobDetailsRenderer(0, RecordsOf);
        return true;
    }

    /// <summary>Exact, where Hangfire's own are estimates: they come from the chunks' counters, by way of the feed.</summary>
    private static DashboardMetric Metric(string name, string title, Func<StateCounts, int> count, MetricStyle style) =>
        new(name, title, page =>
    {
        var http = page.Context.GetHttpContext();
        var totals = Drawing.Wait(http.RequestServices.GetRequiredService<PolledFeed>().Totals.NowAsync(http.RequestAborted));
        if (totals.Value is null) return new Metric("?") { Title = "The database does not answer." };
        var number = count(totals.Value);
        return new Metric(Words.Number(number)) { IntValue = number, Style = number > 0 ? style : MetricStyle.Default };
    })
        {
            Url = Path[1..] + ImportsPath,
        };

    private static NonEscapedString RecordsOf(JobDetailsRendererDto dto)
    {
        var parameters = dto.JobDetails.Job switch
        {
            { Args: [int importId, int chunkNumber, ..] } job when job.Type == typeof(DispatchChunk) => Of(importId, chunkNumber),
            { Args: [int importId, ..] } job when job.Type == typeof(ParseManifest) => Of(importId, null),
            _ => null,
        };
        return new NonEscapedString(parameters is null ? "" : Drawing.Wait(dto.Page.Context.DrawAsync<RecordsOfJob>(parameters)));

        Dictionary<string, object?> Of(int importId, int? chunkNumber) => new()
        {
            [nameof(RecordsOfJob.ImportId)] = importId,
            [nameof(RecordsOfJob.ChunkNumber)] = chunkNumber,
            [nameof(RecordsOfJob.Root)] = Drawing.Root(dto.Page.Context),
        };
    }

    /// <summary>The part of the page that changes, for the page's script to put in its place.</summary>
    private sealed class LiveImportsRoute : IDashboardDispatcher
    {
        public async Task Dispatch(DashboardContext context)
        {
            context.Response.ContentType = "text/html; charset=utf-8";
            await context.Response.WriteAsync(await context.DrawAsync<LiveImports>(Drawing.Viewer(context)));
        }
    }
}
