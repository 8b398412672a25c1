using BulkImporter.Access;
using BulkImporter.Data;
using BulkImporter.Manifests;

namespace BulkImporter.Api;

internal static class TemplateFileApi
{
    public static void MapTemplateFile(this IEndpointRouteBuilder api) =>
        api.MapGet("/manifest-template", Write).WithName("exampleManifest").RequireAuthorization(Policy.Viewer).WithTags("Imports")
            .WithSummary("A manifest to fill in: one example row, and a line of help for each column")
            .Problems(400).Produces<string>(contentType: "text/csv");

    private static async Task<IResult> Write(string? format, HttpContext context, CancellationToken cancellationToken)
    {
        var chosen = ApiArguments.Choice<FileFormat>("format", format) ?? FileFormat.Csv;
        if (!ManifestTemplate.Formats.Contains(chosen))
            throw new InvalidArgumentException("format",
                $"The template is {string.Join(" or ", ManifestTemplate.Formats.Select(f => EnumText<FileFormat>.Of(f)))}.");
        context.Attach(ManifestTemplate.FileName(chosen), chosen.ContentType());
        ManifestTemplate.Write(chosen, context.Response.BodyWriter);
        await context.Response.BodyWriter.FlushAsync(cancellationToken);
        return Results.Empty;
    }

    /// <summary>The media type of a file of this format.</summary>
    internal static string ContentType(this FileFormat format) => format switch
    {
        FileFormat.Csv => "text/csv; charset=utf-8",
        FileFormat.Xlsx => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        FileFormat.Jsonl => "application/jsonl; charset=utf-8",
    };
}
