using BulkImporter.Access;
using BulkImporter.Export;
using BulkImporter.Finish;
using BulkImporter.Imports;
using BulkImporter.Manifests;
using BulkImporter.Reconcile;
using BulkImporter.Records;
using BulkImporter.Rerun;
using BulkImporter.Undo;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;

namespace BulkImporter.Api;

/// <summary>One record with all its attempts.</summary>
/// <param name="History">The attempts, the first one first.</param>
public sealed record RecordBody(
    int RowNumber, int LineNumber, string? Url, string? Caption, string? ReferenceId, RecordState State, string? StatusId, string? Rid,
    int Attempts, RecordError? Error, int? Progress, long? ProgressBytes, long? TotalBytes,
    DateTimeOffset? NextAttemptAt, DateTimeOffset? SubmittedAt, DateTimeOffset? FinishedAt, bool PossiblyDuplicated, FinishView? Finish,
    UndoView? Undo, AssetView? Asset, HostWait? WaitsFor, IReadOnlyList<AttemptView> History);

/// <param name="Rerun">Records that are pending again.</param>
/// <param name="Refused">Records of the selection that were left as they are.</param>
/// <param name="Refusals">Those by state, each with the reason.</param>
public sealed record RerunBody(int Rerun, int Refused, IReadOnlyList<RefusedRecords> Refusals);

/// <param name="ToDelete">Assets that are deleted in Cincopa from now on, or would be.</param>
/// <param name="Left">Records of the selection whose assets, if they have any, stay there.</param>
/// <param name="Reasons">Those by reason.</param>
public sealed record UndoBody(int ToDelete, int Left, IReadOnlyList<LeftRecords> Reasons);

/// <param name="Again">Records whose assets are being finished again.</param>
public sealed record FinishAgainBody(int Again);

/// <param name="Ordered">Records of which Cincopa is asked what arrived.</param>
/// <param name="Left">Imported records of the selection of which it is not: nothing is expected of them, or they are being finished, or
/// that failed, or an undo is under way, or the account is suspended.</param>
public sealed record VerifyArrivalBody(int Ordered, int Left);

/// <param name="DueAt">When a worker begins to look.</param>
public sealed record LookAgainBody(DateTimeOffset DueAt);

/// <summary>Which asset a record in doubt became.</summary>
public sealed record AdoptBody(string? Rid);

/// <param name="Adopted">Records that are imported now, each with its only candidate.</param>
/// <param name="StillUnknown">Records of the import that are still in doubt.</param>
public sealed record AdoptedBody(int Adopted, int StillUnknown);

/// <param name="GivenUp">Records that are failed now with the code given_up.</param>
/// <param name="StillUnknown">Records of the import that are still in doubt.</param>
public sealed record GivenUpBody(int GivenUp, int StillUnknown);

internal static class RecordsApi
{
    public static void MapRecords(this IEndpointRouteBuilder api)
    {
        var import = api.MapGroup("/imports/{id:int}").WithTags("Records");
        import.MapGet("/records", ListAsync).WithName("listRecords")
            .RequireAuthorization(Policy.Viewer).WithSummary("List records in the order of the manifest")
            .Problems(400, 404);
        import.MapGet("/records/{rowNumber:int}", FindAsync).WithName("getRecord").RequireAuthorization(Policy.Viewer)
            .WithSummary("One record with its attempts").Problems(404);
        import.MapGet("/records/{rowNumber:int}/candidates", CandidatesAsync).WithName("listCandidates").RequireAuthorization(Policy.Viewer)
            .WithSummary("Assets that may be the one of a record in doubt")
            .WithDescription(
                "Found by the last look through the account's assets: the same file name, uploaded after the attempt began, and no "
                    + "record has it. None for a record that is not unknown.")
            .Problems(404);
        import.MapPost("/records/{rowNumber:int}/look", LookAgainAsync).WithName("lookAgain").RequireAuthorization(Policy.Operator)
            .WithSummary("Look for the asset of a record in doubt again, now")
            .WithDescription(
                "A worker looks through the account's assets and adopts what is certain; what is possible are the candidates afterwards. "
                    + "A new asset is first given the time to show up that the setting LookAfter says.")
            .Problems(404, 409);
        import.MapPost("/records/{rowNumber:int}/adopt", AdoptAsync).WithName("adoptAsset").RequireAuthorization(Policy.Operator)
            .WithSummary("Say which asset a record in doubt became")
            .WithDescription(
                "The rid of a candidate, or of any other asset that the account has and no record does. The record is then imported. 424 "
                    + "when Cincopa cannot be asked about an asset that is no candidate.")
            .Problems(400, 404, 409, 422, 424);
        import.MapPost("/rerun", RerunAsync).WithName("rerunRecords").RequireAuthorization(Policy.Operator)
            .WithMetadata(new RequestSizeLimitAttribute(SelectionBody.MostBytes))
            .WithSummary("Order new attempts for a selection")
            .WithDescription(
                "Failed and cancelled records of the selection are sent again; unknown ones only when the selection is state=unknown or "
                    + "names the rows, because that may make a second asset. Imported ones only when the selection is "
                    + "arrival=size_differs, duration_differs or md5_differs: each gets another asset, and the one that it has stays in "
                    + "Cincopa. With push their files are read and sent by this server, for sources that Cincopa "
                    + "cannot reach.")
            .Problems(400, 404, 409);
        import.MapPost("/undo", UndoAsync).WithName("undoImport").RequireAuthorization(Policy.Admin)
            .WithMetadata(new RequestSizeLimitAttribute(SelectionBody.MostBytes))
            .WithSummary("Delete in Cincopa the assets that an import made")
            .WithDescription(
                "Of the selection's imported records, those assets that their own calls made and that no other record of the account has. "
                    + "Adopted, unknown and possibly duplicated ones are listed and left. The import must have ended; 'name' must be its "
                    + "name. With dryRun=true nothing is deleted. The records become deleted one by one, and a rerun that names them sends "
                    + "them again; until the end, undo.isUnderWay of the import is true.")
            .Problems(400, 404, 409);
        import.MapPost("/records/{rowNumber:int}/give-up", GiveUpAsync).WithName("giveUpRecord").RequireAuthorization(Policy.Operator)
            .WithSummary("Give up a record in doubt")
            .WithDescription(
                "An unknown record becomes failed with the code given_up. It is sent again only by a rerun that "
                    + "names the row or that code.")
            .Problems(404, 409);
        import.MapPost("/finish", FinishAsync).WithName("finishAgain").RequireAuthorization(Policy.Operator)
            .WithMetadata(new RequestSizeLimitAttribute(SelectionBody.MostBytes))
            .WithSummary("Finish assets again")
            .WithDescription(
                "Caption, texts, tags, reference id and gallery of the selection's imported records for which that failed "
                    + "(finish=failed) are written again. Nothing is submitted.")
            .Problems(400, 404);
        import.MapPost("/verify-arrival", VerifyArrivalAsync).WithName("verifyArrival").RequireAuthorization(Policy.Operator)
            .WithMetadata(new RequestSizeLimitAttribute(SelectionBody.MostBytes))
            .WithSummary("Ask Cincopa again what arrived")
            .WithDescription(
                "Each imported record of the selection of which something is expected (by the manifest's size or duration, by the size "
                    + "that its source told the check of the files, or by what was uploaded from here) is looked at in Cincopa again, and "
                    + "compared. Until the end, finishing.pending of the import counts them. Nothing is written to the assets, and nothing "
                    + "is deleted or sent.")
            .Problems(400, 404);
        import.MapPost("/give-up", GiveUpSelectionAsync).WithName("giveUpRecords").RequireAuthorization(Policy.Operator)
            .WithMetadata(new RequestSizeLimitAttribute(SelectionBody.MostBytes))
            .WithSummary("Give up the records in doubt of a selection")
            .WithDescription(
                "Only unknown records of the selection change; they become failed with the code given_up. An empty selection is all of "
                    + "them.")
            .Problems(400, 404);
        import.MapPost("/adopt", AdoptAllAsync).WithName("adoptOnlyCandidates").RequireAuthorization(Policy.Operator)
            .WithSummary("Adopt the only candidate of every record in doubt")
            .WithDescription(
                "Records with several candidates, and assets that are a candidate of several records, are left for a person to decide.")
            .Problems(404);
        import.MapGet("/results", ResultsAsync).WithName("exportResults").RequireAuthorization(Policy.Viewer)
            .WithSummary(
                "The manifest with the result of each row, streamed; format=csv or jsonl")
            .WithDescription(
                "A viewer's file has *** for the signatures, tokens and passwords in source addresses; an operator's has them whole, and "
                    + "can be uploaded again.")
            .Problems(400, 404, 409)
            .Produces<string>(contentType: "text/csv")
            .AlsoAnswers("application/jsonl",
                "{\"url\":\"https://media.example.com/spring.mp4\",\"import_state\":\"imported\",\"import_rid\":\"A8KcNw\"}\n");
        import.MapGet("/archive", ArchiveAsync).WithName("getArchive").RequireAuthorization(Policy.Operator)
            .WithSummary("Everything known about an import that has ended, as a ZIP file with the SHA-256 of everything in it")
            .WithDescription(
                "The manifest as it was uploaded, the results, and JSON lines of records, attempts, texts, finishing, findings, "
                    + "corrections and audit, with the columns of the database. Source addresses are whole.")
            .Problems(404, 409).Produces<byte[]>(contentType: "application/zip");
    }

    private static async Task<IResult> ArchiveAsync(
        int id, ArchiveImport archive, NoteDeed note, HttpContext context, CancellationToken cancellationToken)
    {
        switch (await archive.FindAsync(id, cancellationToken))
        {
            case Archivable.Refused refused: return Problem.RefusedInThisState(refused.State, refused.Sentence);
            case Archivable.Ready ready:
                context.Attach(string.Create(CultureInfo.InvariantCulture, $"import-{id}.zip"), "application/zip");
                // The library ends some entries without waiting, a few bytes each; what is long is written with waiting.
                context.Features.GetRequiredFeature<IHttpBodyControlFeature>().AllowSynchronousIO = true;
                try
                {
                    await archive.RunAsync(ready, context.Response.Body, cancellationToken);
                }
                finally
                {
                    // Afterwards, so that the archive does not speak of itself; also when it broke off, because a part of it is out.
                    await note.RunAsync(context.User.Actor(), "import_archived", id, "with whole source addresses", CancellationToken.None);
                }
                return Results.Empty;
            default: return Problem.ImportNotFound(id);
        }
    }

    private static async Task<Results<Ok<Page<RecordView>>, ProblemHttpResult>> ListAsync(
        int id, [AsParameters] SelectionQuery selection, int? limit, string? after, ReadRecords records, ReadImports imports,
        CancellationToken cancellationToken)
    {
        var page = await records.ListAsync(id, selection.ToFilter(), ApiArguments.Cursor(after)
            ?? 0, ApiArguments.Limit(limit, 100, 1000), cancellationToken);
        return page.Items.Count == 0 && await imports.FindAsync(id, cancellationToken) is null
            ? Problem.ImportNotFound(id) : TypedResults.Ok(page);
    }

    private static async Task<Results<Ok<RecordBody>, ProblemHttpResult>> FindAsync(
        int id, int rowNumber, ReadRecords records, CancellationToken cancellationToken)
    {
        if (await records.FindAsync(id, rowNumber, cancellationToken) is not { Record: var r, Attempts: var attempts })
            return RowNotFound(id, rowNumber);
        return TypedResults.Ok(new RecordBody(
            r.RowNumber, r.LineNumber, r.Url, r.Caption, r.ReferenceId, r.State, r.StatusId, r.Rid, r.Attempts, r.Error, r.Progress,
            r.ProgressBytes, r.TotalBytes,
            r.NextAttemptAt, r.SubmittedAt, r.FinishedAt, r.PossiblyDuplicated, r.Finish, r.Undo, r.Asset,
            r.WaitsFor, attempts));
    }

    private static async Task<Results<Ok<CandidatesView>, ProblemHttpResult>> CandidatesAsync(
        int id, int rowNumber, ReadCandidates candidates, CancellationToken cancellationToken) =>
        await candidates.FindAsync(id, rowNumber, cancellationToken) is { } found ? TypedResults.Ok(found) : RowNotFound(id, rowNumber);

    private static async Task<Results<Accepted<LookAgainBody>, ProblemHttpResult>> LookAgainAsync(
        int id, int rowNumber, LookAgain again, HttpContext context, CancellationToken cancellationToken) =>
        await again.RunAsync(id, rowNumber, context.User.Actor(), cancellationToken) switch
        {
            LookResult.Ordered ordered => TypedResults.Accepted((string?)null, new LookAgainBody(ordered.DueAt)),
            LookResult.Refused refused => Problem.RefusedInThisState(refused.State, refused.Sentence),
            _ => RowNotFound(id, rowNumber),
        };

    private static async Task<Results<Ok<RecordBody>, ProblemHttpResult>> AdoptAsync(
        int id, int rowNumber, AdoptBody body, AdoptAsset adopt, ReadRecords records, HttpContext context,
        CancellationToken cancellationToken) =>
        await adopt.RunAsync(id, rowNumber, body.Rid, context.User.Actor(), cancellationToken) switch
        {
            AdoptResult.NotFound missing => Problem.NotFound(missing.Sentence),
            AdoptResult.Refused refused =>
                Problem.Of(StatusCodes.Status409Conflict, ProblemType.AdoptionRefused, "Not adopted", refused.Sentence),
            AdoptResult.NoSuchAsset none =>
                Problem.Of(StatusCodes.Status422UnprocessableEntity, ProblemType.NoSuchAsset, "No such asset", none.Sentence),
            AdoptResult.CannotAsk cannot => Problem.CincopaNotAsked(cannot.Sentence),
            _ => await FindAsync(id, rowNumber, records, cancellationToken),
        };

    private static async Task<Results<Ok<RerunBody>, ProblemHttpResult>> RerunAsync(
        int id, RerunOrder order, RerunRecords rerun, HttpContext context, CancellationToken cancellationToken) =>
        await rerun.RunAsync(id, order.ToFilter(), order.Push == true, context.User.Actor(), cancellationToken) switch
        {
            RerunDone done => TypedResults.Ok(new RerunBody(done.Rerun, done.Left.Sum(r => r.Count), done.Left)),
            ImportChange.Refused refused => Problem.RefusedInThisState(refused.State, refused.Sentence),
            _ => Problem.ImportNotFound(id),
        };

    private static async Task<Results<Ok<UndoBody>, ProblemHttpResult>> UndoAsync(
        int id, UndoOrder order, UndoImport undo, ImportFeed feed, HttpContext context, CancellationToken cancellationToken)
    {
        switch (await undo.RunAsync(id, order.ToFilter(), order.Name, order.DryRun == true, context.User.Actor(), cancellationToken))
        {
            case UndoDone done:
                feed.Hurry(id);
                return TypedResults.Ok(new UndoBody(done.ToDelete, done.Left.Sum(l => l.Count), done.Left));
            case ImportChange.Refused refused: return Problem.RefusedInThisState(refused.State, refused.Sentence);
            default: return Problem.ImportNotFound(id);
        }
    }

    private static async Task<Results<Ok<RecordBody>, ProblemHttpResult>> GiveUpAsync(
        int id, int rowNumber, GiveUpRecords giveUp, ReadRecords records, HttpContext context, CancellationToken cancellationToken)
    {
        var givenUp = await giveUp.RunAsync(id, new RecordFilter { RowNumbers = [rowNumber] }, context.User.Actor(), cancellationToken);
        if (givenUp == 0 && await records.FindAsync(id, rowNumber, cancellationToken) is { Record.State: var state })
            return Problem.RefusedInThisState(state,
                $"Row {rowNumber} is {EnumText<RecordState>.Of(state)}. Only an unknown record can be given up.");
        return await FindAsync(id, rowNumber, records, cancellationToken);
    }

    private static async Task<Results<Ok<FinishAgainBody>, ProblemHttpResult>> FinishAsync(
        int id, SelectionBody selection, FinishAgain again, HttpContext context, CancellationToken cancellationToken) =>
        await again.RunAsync(id, selection.ToFilter(), context.User.Actor(), cancellationToken) is { } count
            ? TypedResults.Ok(new FinishAgainBody(count))
            : Problem.ImportNotFound(id);

    private static async Task<Results<Ok<VerifyArrivalBody>, ProblemHttpResult>> VerifyArrivalAsync(
        int id, SelectionBody selection, VerifyArrival verify, HttpContext context, CancellationToken cancellationToken) =>
        await verify.RunAsync(id, selection.ToFilter(), context.User.Actor(), cancellationToken) is var (ordered, left)
            ? TypedResults.Ok(new VerifyArrivalBody(ordered, left))
            : Problem.ImportNotFound(id);

    private static async Task<Results<Ok<GivenUpBody>, ProblemHttpResult>> GiveUpSelectionAsync(
        int id, SelectionBody selection, GiveUpRecords giveUp, ReadImports imports, HttpContext context,
        CancellationToken cancellationToken)
    {
        var filter = selection.ToFilter();
        if (await imports.FindAsync(id, cancellationToken) is null) return Problem.ImportNotFound(id);
        var givenUp = await giveUp.RunAsync(id, filter, context.User.Actor(), cancellationToken);
        return TypedResults.Ok(new GivenUpBody(givenUp, (await imports.FindAsync(id, cancellationToken))?.Counts.Unknown ?? 0));
    }

    private static async Task<Results<Ok<AdoptedBody>, ProblemHttpResult>> AdoptAllAsync(
        int id, AdoptAsset adopt, ReadImports imports, HttpContext context, CancellationToken cancellationToken)
    {
        if (await imports.FindAsync(id, cancellationToken) is null) return Problem.ImportNotFound(id);
        var (adopted, stillInDoubt) = await adopt.RunAllAsync(id, context.User.Actor(), cancellationToken);
        return TypedResults.Ok(new AdoptedBody(adopted, stillInDoubt));
    }

    private static ProblemHttpResult RowNotFound(int id, int rowNumber) =>
        Problem.NotFound($"There is no import {id} with a row {rowNumber}.");

    private static async Task<IResult> ResultsAsync(
        int id, [AsParameters] SelectionQuery selection, string? format, ExportResults export, NoteDeed note, HttpContext context,
        CancellationToken cancellationToken)
    {
        var filter = selection.ToFilter();
        var asked = ApiArguments.Choice<FileFormat>("format", format);
        switch (await export.FindAsync(id, cancellationToken))
        {
            case Exportable.Refused refused: return Problem.RefusedInThisState(refused.State, refused.Sentence);
            case Exportable.Ready ready:
                var chosen = asked ?? await export.FormatAsync(ready, cancellationToken);
                if (chosen == FileFormat.Xlsx && ready.Rows >= ExportResults.MostRowsOfSheet)
                    throw new InvalidArgumentException("format",
                        $"A sheet has at most {ExportResults.MostRowsOfSheet:N0} rows, including its header. Export it as csv or jsonl.");
                var isWhole = context.User.Role() >= Role.Operator;
                await note.RunAsync(context.User.Actor(), "results_exported", id,
                    $"{EnumText<FileFormat>.Of(chosen)}, {filter}{(isWhole ? ", with whole source addresses" : "")}", cancellationToken);
                context.Attach($"{ready.FileName}-results.{EnumText<FileFormat>.Of(chosen)}",
                    chosen.ContentType());
                await export.RunAsync(ready, filter, chosen, isWhole, context.Response.BodyWriter, cancellationToken);
                return Results.Empty;
            default: return Problem.ImportNotFound(id);
        }
    }
}
