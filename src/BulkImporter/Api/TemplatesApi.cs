using BulkImporter.Access;
using BulkImporter.Manifests;
using BulkImporter.Parse;
using Microsoft.AspNetCore.Http.HttpResults;

namespace BulkImporter.Api;

/// <param name="Name">Its name; an existing template with the same name is replaced.</param>
public sealed record NewTemplateBody(string? Name);

internal static class TemplatesApi
{
    public static void MapTemplates(this IEndpointRouteBuilder api)
    {
        api.MapGet("/manifest-template", WriteAsync).WithName("exampleManifest").RequireAuthorization(Policy.Viewer).WithTags("Imports")
            .WithSummary("A manifest to fill in: one example row, and a line of help for each column")
            .Problems(400).Produces<string>(contentType: "text/csv");
        api.MapPost("/imports/{id:int}/template", SaveAsync).WithName("saveTemplate")
            .RequireAuthorization(Policy.Operator).WithTags("Templates")
            .WithSummary("Save how this import's manifest is read, for manifests of its account with the same header")
            .Problems(400, 404, 429);
        var templates = api.MapGroup("/accounts/{account}/templates").WithTags("Templates");
        templates.MapGet("/", ListAsync).WithName("listTemplates")
            .RequireAuthorization(Policy.Viewer).WithSummary("The account's mapping templates").Problems(404);
        templates.MapDelete("/{name}", DeleteAsync).WithName("deleteTemplate").RequireAuthorization(Policy.Operator)
            .WithSummary("Delete a template; imports that used it keep their mapping").Problems(404);
    }

    private static async Task<Results<Ok<TemplateView>, ProblemHttpResult>> SaveAsync(
        int id, NewTemplateBody body, SaveTemplate save, HttpContext context, CancellationToken cancellationToken) =>
        await save.RunAsync(id, body.Name, context.User.Actor(), cancellationToken) is { } saved
            ? TypedResults.Ok(saved)
            : Problem.NotFound($"There is no import {id} with a manifest that can be read.");

    private static async Task<Results<Ok<Page<TemplateView>>, ProblemHttpResult>> ListAsync(
        string account, ReadTemplates templates, CancellationToken cancellationToken) =>
        await templates.RunAsync(account, cancellationToken) is { } found
            ? TypedResults.Ok(new Page<TemplateView>(found, null)) : Problem.AccountNotFound(account);

    private static async Task<Results<NoContent, ProblemHttpResult>> DeleteAsync(
        string account, string name, DeleteTemplate delete, HttpContext context, CancellationToken cancellationToken) =>
        await delete.RunAsync(account, name, context.User.Actor(), cancellationToken)
            ? TypedResults.NoContent()
            : Problem.NotFound($"Account '{account}' has no template '{name}'.");

    private static async Task<IResult> WriteAsync(string? format, HttpContext context, CancellationToken cancellationToken)
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
