using BulkImporter.Access;
using BulkImporter.Imports;
using BulkImporter.Parse;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Net.Http.Headers;

namespace BulkImporter.Api;

internal static class CorrectionsApi
{
    public static void MapCorrections(this IEndpointRouteBuilder api) =>
        api.MapPost("/imports/{id:int}/corrections", CorrectAsync).WithName("correctRecords")
            .RequireAuthorization(Policy.Operator).WithTags("Records")
            .WithSummary("Replace address or metadata of failed, invalid and duplicate rows by those of a file, and send just these again")
            .WithDescription(
                "The file as the body or in the form field 'file'; map, encoding and sheet as query arguments. A row is matched by "
                    + "its column import_row, as results have it, else by its reference id. Returns each row of the file: what was "
                        + "changed, or why it was refused. Of an import in review every row can be corrected, and the manifest is read "
                        + "again with the new values. With check=true the answer is the same and nothing is changed.")
            .TakesManifest("The corrected rows, with a header line as the results have it: a file of any format that a manifest can have.")
            .Produces<CorrectionReport>().Problems(400, 404, 409, 413);

    private static async Task<IResult> CorrectAsync(
        int id, string? map, string? encoding, string? sheet, bool? check, CorrectRecords correct, HttpContext context,
        CancellationToken cancellationToken)
    {
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit)
            limit.MaxRequestBodySize = CorrectRecords.MostBytes;
        var file = await FileAsync(context.Request, cancellationToken);
        return await correct.RunAsync(id, file, Given(map), Given(encoding), Given(sheet), context.User.Actor(), cancellationToken,
            onlyCheck: check == true) switch
        {
            CorrectionDone done => TypedResults.Ok(done.Report),
            ImportChange.Refused refused => Problem.RefusedInThisState(refused.State, refused.Sentence),
            _ => Problem.ImportNotFound(id),
        };
    }

    private static string? Given(string? argument) => string.IsNullOrEmpty(argument) ? null : argument;

    /// <summary>The body itself, or the first file of a form.</summary>
    private static async Task<Stream> FileAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        if (!MediaTypeHeaderValue.TryParse(request.ContentType, out var type)
            || !type.MediaType.Equals("multipart/form-data", StringComparison.OrdinalIgnoreCase)) return request.Body;
        var boundary = HeaderUtilities.RemoveQuotes(type.Boundary).Value;
        if (string.IsNullOrEmpty(boundary)) throw new BadHttpRequestException("The multipart body has no boundary.");
        var reader = new MultipartReader(boundary, request.Body);
        while (await reader.ReadNextSectionAsync(cancellationToken) is { } section)
        {
            if (section.GetContentDispositionHeader()?.IsFileDisposition() == true) return section.Body;
        }
        throw new Data.InvalidArgumentException("file", "The form has no file. Send it in the field 'file'.");
    }
}
