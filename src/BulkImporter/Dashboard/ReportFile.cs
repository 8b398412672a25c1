using System.Net;
using BulkImporter.Access;
using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Components.Web;

namespace BulkImporter.Dashboard;

/// <summary>The report of an import as one file that needs nothing else: it is sent to people who have no access here.</summary>
internal static class ReportFile
{
    /// <summary>On the page and in the file the same: black on white, because it is printed.</summary>
    public const string Style = """
        .report { max-width: 46rem; margin: 0 auto; padding: 2rem 2.4rem; background: #fff; color: #16202e; font: 14px/1.45 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif; border: 1px solid #d5dae3; border-radius: 6px; overflow-wrap: anywhere; }
        .report h1 { font-size: 1.5rem; line-height: 1.25; margin: .1rem 0 .3rem; }
        .report h2 { font-size: 1.05rem; margin: 1.3rem 0 .4rem; }
        .report p, .report dl, .report dd { margin: 0; }
        .report-kind { color: #4c586b; text-transform: uppercase; letter-spacing: .05em; font-size: .75rem; font-weight: 600; }
        .report-facts { display: grid; grid-template-columns: repeat(auto-fit, minmax(16rem, 1fr)); gap: .2rem 2rem; margin-top: 1rem; }
        .report-facts dl { display: grid; grid-template-columns: max-content 1fr; gap: .15rem 1rem; align-content: start; }
        .report dt { color: #4c586b; }
        .report table { width: 100%; border-collapse: collapse; margin-bottom: .6rem; font-size: .93em; }
        .report th { text-align: left; font-weight: 600; color: #4c586b; padding: .2rem .6rem .25rem 0; }
        .report td { border-top: 1px solid #d5dae3; padding: .3rem .6rem .3rem 0; vertical-align: top; }
        .report .number { text-align: right; white-space: nowrap; padding-right: 1.2rem; }
        .report-sum td { font-weight: 650; }
        .report code { font: .85em ui-monospace, Menlo, Consolas, monospace; }
        .report footer { margin-top: 1.3rem; padding-top: .6rem; border-top: 1px solid #d5dae3; color: #4c586b; font-size: .8rem; }
        @media (max-width: 600px) { .report { padding: 1.2rem 1rem; } .report tbody td:nth-child(4), .report thead th:nth-child(4) { display: none; } }
        @media print { @page { margin: 14mm; } .report { border: 0; padding: 0; max-width: none; } }
        """;

    public static void MapReports(this IEndpointRouteBuilder endpoints) =>
        endpoints.MapGet("/imports/{id:int}/report.html", WriteAsync).RequireAuthorization(Policy.Viewer).ExcludeFromDescription();

    private static async Task<IResult> WriteAsync(
        int id, ReadReport reports, ILoggerFactory logs, HttpContext context, CancellationToken cancellationToken)
    {
        if (await reports.FindAsync(id, cancellationToken) is not { } report) return Results.NotFound();
        await using var renderer = new HtmlRenderer(context.RequestServices, logs);
        var sheet = await renderer.Dispatcher.InvokeAsync(async () => (await renderer.RenderComponentAsync<ReportDocument>(
            ParameterView.FromDictionary(new Dictionary<string, object?>
            {
                [nameof(ReportDocument.Report)] = report,
                [nameof(ReportDocument.Look)] = Look.Of(context),
            }))).ToHtmlString());
        var page = $"""
            <!DOCTYPE html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <title>Report of {WebUtility.HtmlEncode(report.Import.Name)}</title>
            <style>
            {Style}
            </style>
            </head>
            <body>
            {sheet}
            </body>
            </html>
            """;
        return Results.File(System.Text.Encoding.UTF8.GetBytes(page), "text/html; charset=utf-8", $"import-{id}-report.html");
    }
}
