using BulkImporter.Access;
using BulkImporter.Imports;
using BulkImporter.Records;
using BulkImporter.Rerun;
using Hangfire.Dashboard;

namespace BulkImporter.Dashboard.HangfirePages;

/// <summary>
/// Takes the order of the page's button: the failed records of one import are pending again. Returns a sentence for the page.
/// Hangfire has compared the antiforgery token before it comes here.
/// </summary>
internal sealed class RerunFailed : IDashboardDispatcher
{
    public const string Route = "/imports/(?<ImportId>[0-9]{1,9})/rerun-failed";

    public static string PathOf(int importId) => string.Create(CultureInfo.InvariantCulture, $"/imports/{importId}/rerun-failed");

    public async Task Dispatch(DashboardContext context)
    {
        var (status, sentence) = await RunAsync(context);
        context.Response.StatusCode = status;
        context.Response.ContentType = "text/plain; charset=utf-8";
        await context.Response.WriteAsync(sentence);
    }

    private static async Task<(int Status, string Sentence)> RunAsync(DashboardContext context)
    {
        var http = context.GetHttpContext();
        if (!HttpMethods.IsPost(http.Request.Method))
            return (StatusCodes.Status405MethodNotAllowed, "This is an action and has to be a POST.");
        if (context.IsReadOnly) return (StatusCodes.Status403Forbidden, "Your role does not allow this. An operator can do it.");

        var importId = int.Parse(context.UriMatch.Groups["ImportId"].Value, CultureInfo.InvariantCulture);
        var result = await http.RequestServices.GetRequiredService<RerunRecords>()
            .RunAsync(importId, new RecordFilter { State = RecordState.Failed }, push: false, http.User.Actor(), http.RequestAborted);
        http.RequestServices.GetRequiredService<ImportFeed>().Hurry(importId);
        return result switch
        {
            RerunDone done => (StatusCodes.Status200OK, RecordOrders.Sentence(done)),
            ImportChange.Refused refused => (StatusCodes.Status409Conflict, refused.Sentence),
            _ => (StatusCodes.Status404NotFound, $"Import {importId} no longer exists."),
        };
    }
}
