using BulkImporter.Access;
using Microsoft.AspNetCore.Http.HttpResults;

namespace BulkImporter.Api;

internal static class AuditApi
{
    private const int UsualLength = 50;
    private const int MostLength = 500;

    public static void MapAudit(this IEndpointRouteBuilder api) =>
        api.MapGet("/audit", ListAsync).WithName("listAudit").RequireAuthorization(Policy.Admin).WithTags("Access")
            .WithSummary("Who did what, the latest first; by actor, import or account").Problems(400);

    private static async Task<Ok<Page<AuditView>>> ListAsync(
        ReadAudit audit, CancellationToken cancellationToken, string? actor = null, int? import = null, string? account = null,
        int? limit = null, string? after = null)
    {
        var length = ApiArguments.Limit(limit, UsualLength, MostLength);
        var filter = new AuditFilter(string.IsNullOrEmpty(actor) ? null : actor, import, string.IsNullOrEmpty(account) ? null : account);
        return TypedResults.Ok(await audit.PageAsync(filter, ApiArguments.Cursor(after), length, cancellationToken));
    }
}
