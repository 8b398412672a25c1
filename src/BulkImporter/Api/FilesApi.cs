using BulkImporter.Access;
using BulkImporter.Imports;
using BulkImporter.Sources;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Http.HttpResults;

namespace BulkImporter.Api;

/// <summary>The files that an import is to be made of, in the order of its rows.</summary>
public sealed record FilesBody(IReadOnlyList<FileToPush> Files);

internal static class FilesApi
{
    public static void MapFiles(this IEndpointRouteBuilder api)
    {
        var files = api.MapGroup("/files").WithTags("Files").RequireAuthorization(Policy.Operator);
        files.MapPost("/", KeepAsync).WithName("sendFile")
            .WithSummary("Send a file to be pushed to Cincopa")
            .WithDescription(
                "The file's bytes are the body, of any content type but a form. Returns its hash and size when all of it is kept. The "
                    + "same bytes again change nothing. A file that no import wants is removed after a day.")
            .TakesBytes("The file's bytes.").Problems(400, 413, 415);
        files.MapGet("/{sha256}", FindAsync).WithName("findFile")
            .WithSummary("Whether a file is already stored, by the SHA-256 of its bytes").Problems(404);
        api.MapPost("/imports/files", CreateAsync).WithName("createImportOfFiles").WithTags("Imports").RequireAuthorization(Policy.Operator)
            .WithSummary("Create an import of files that were sent")
            .WithDescription(
                "The body names the files, in the order of the rows; settings are query arguments as those of POST /imports. A manifest "
                    + "is written with a row for each file, whose transfer is push. The same Idempotency-Key again returns the "
                        + "first import with 200.")
            .TakesImportFields(ofManifest: false).Problems(400);
    }

    private static async Task<Ok<KeptFile>> KeepAsync(KeepSourceFile keep, HttpContext context, CancellationToken cancellationToken)
    {
        if (context.Request.HasFormContentType)
            throw new BadHttpRequestException(
                "A file comes as the body, not in a form. With curl: --data-binary @FILE -H 'Content-Type: application/octet-stream'.",
                StatusCodes.Status415UnsupportedMediaType);
        // The limit of a file is ours (SourceOptions); the server's general one is meant for small bodies.
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit) limit.MaxRequestBodySize = null;
        return TypedResults.Ok(await keep.RunAsync(context.Request.Body, context.Request.ContentLength, cancellationToken));
    }

    private static async Task<Results<Ok<KeptFile>, ProblemHttpResult>> FindAsync(
        string sha256, ReadSourceFile files, CancellationToken cancellationToken) =>
        await files.FindAsync(sha256, cancellationToken) is { } file
            ? TypedResults.Ok(file) : Problem.NotFound("This server does not keep a file with this hash.");

    private static async Task<Results<Created<ImportView>, Ok<ImportView>, ProblemHttpResult>> CreateAsync(
        FilesBody body, CreateImportOfFiles create, ReadImports imports, HttpContext context, CancellationToken cancellationToken)
    {
        var fields = ImportFields.OfQuery(context).ToImport(0);
        if (body.Files is null || body.Files.Any(file => file?.Name is null || file.Sha256 is null))
            throw new InvalidArgumentException("files", "Each file needs a name and a sha256.");
        return await ImportsApi.CreatedAsync(await create.RunAsync(fields, body.Files, cancellationToken), imports, context,
            cancellationToken);
    }
}
