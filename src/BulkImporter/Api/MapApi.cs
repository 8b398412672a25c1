using BulkImporter.Access;
using BulkImporter.Export;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;

namespace BulkImporter.Api;

internal static class MapApi
{
    public static void MapOldAddresses(this IEndpointRouteBuilder api)
    {
        var map = api.MapGroup("/map").WithTags("Map of old addresses");
        map.MapGet("/", ExportAsync).WithName("exportMap").RequireAuthorization(Policy.Operator)
            .WithSummary("The map from old addresses to where the assets play now, of one or several imports, streamed")
            .WithDescription(
                "The old address of a row is its column old_url, else its source. Each address is in the map once. When one address would "
                    + "lead to two assets, nothing is written and the rows are named. Source addresses are whole. format=json is an "
                    + "array of objects with the columns of the CSV form.")
            .Problems(400, 404, 409).Produces<string>(contentType: "text/csv")
            .AlsoAnswers("text/plain", "old.example.com/watch/7 https://www.cincopa.com/media-platform/iframe.aspx?fid=A4!A8\n");
        map.MapGet("/check", CheckAsync).WithName("checkMap").RequireAuthorization(Policy.Operator)
            .WithSummary("What the map would contain, and whether it can be made").Problems(400, 404, 409);
    }

    private static async Task<Results<Ok<MapReport>, ProblemHttpResult>> CheckAsync(
        [AsParameters] MapQuery query, MapAddresses map, CancellationToken cancellationToken) =>
        await map.FindAsync(query.ToOrder(), cancellationToken) switch
        {
            Mappable.Ready ready => TypedResults.Ok(ready.Report),
            Mappable.Refused refused => Refused(refused),
            Mappable.NotFound missing => Problem.ImportNotFound(missing.ImportId),
            var other => throw new InvalidOperationException($"{other} is no answer."),
        };

    private static async Task<IResult> ExportAsync(
        [AsParameters] MapQuery query, MapAddresses map, NoteDeed note, HttpContext context, CancellationToken cancellationToken)
    {
        switch (await map.FindAsync(query.ToOrder(), cancellationToken))
        {
            case Mappable.Refused refused: return Refused(refused);
            case Mappable.NotFound missing: return Problem.ImportNotFound(missing.ImportId);
            case Mappable.Ready ready:
                foreach (var import in ready.Order.ImportIds)
                    await note.RunAsync(context.User.Actor(), "map_exported", import,
                        $"{EnumText<MapFormat>.Of(ready.Order.Format)}, to {EnumText<MapTarget>.Of(ready.Order.To)}, with whole source "
                            + "addresses",
                        cancellationToken);
                var facts = ready.Order.Format.Facts();
                context.Attach(facts.FileName, facts.ContentType);
                await map.RunAsync(ready, context.Response.BodyWriter, cancellationToken);
                return Results.Empty;
            default: throw new InvalidOperationException("This is no answer.");
        }
    }

    private static ProblemHttpResult Refused(Mappable.Refused refused) =>
        Problem.Of(StatusCodes.Status409Conflict, ProblemType.MapRefused, "No map", refused.Sentence);
}

/// <summary>What a map is made of, as query arguments.</summary>
internal sealed record MapQuery(
    [FromQuery(Name = "import")] int[] Import, [FromQuery(Name = "format")] string? Format, [FromQuery(Name = "to")] string? To,
    [FromQuery(Name = "page")] string? Page)
{
    public MapOrder ToOrder() => MapOrder.Of(
        Import, ApiArguments.Choice<MapFormat>("format", Format), ApiArguments.Choice<MapTarget>("to", To), Page);
}
