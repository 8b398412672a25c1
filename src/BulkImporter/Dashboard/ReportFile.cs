using System.Net;
using BulkImporter.Access;
using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Components.Web;

namespace BulkImporter.Dashboard;

/// <summary>The report of an import as one file that needs nothing else: it is sent to people who have no access here.</summary>
internal static class ReportFile
{
    private static readonly string Style = Read();

    public static void MapReports(this IEndpointRouteBuilder endpoints) =>
        endpoints.MapGet("/imports/{id:int}/report.html", WriteAsync).RequireAuthorization(Policy.Viewer).ExcludeFromDescription();

    private static string Read()
    {
        using var text = new StreamReader(typeof(ReportFile).Assembly.GetManifestResourceStream("report.css")!);
        return text.ReadToEnd();
    }

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
        return Results.File(Encoding.UTF8.GetBytes(page), "text/html; charset=utf-8", $"import-{id}-report.html");
    }
}
