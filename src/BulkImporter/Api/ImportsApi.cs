using System.IO.Pipelines;
using System.Net.ServerSentEvents;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Threading.Channels;
using BulkImporter.Access;
using BulkImporter.Imports;
using BulkImporter.Manifests;
using BulkImporter.Parse;
using BulkImporter.Probes;
using Microsoft.AspNetCore.Http.HttpResults;

namespace BulkImporter.Api;

/// <summary>
/// What changes about an import: name, account, map (empty to recognise the header) and the settings. What is left out stays as it is, and
/// an empty text is the default. <see cref="SettingsSchema"/> describes it.
/// </summary>
public sealed class RevisionBody : Dictionary<string, JsonElement>
{
    /// <exception cref="InvalidArgumentException">A value is of another kind than its setting.</exception>
    internal ImportRevision ToRevision()
    {
        var revision = new ImportRevision();
        foreach (var (name, value) in this)
        {
            if (value.ValueKind == JsonValueKind.Null) continue;
            var isNumber = Setting.Named(name)?.IsNumber == true;
            if (value.ValueKind != (isNumber ? JsonValueKind.Number : JsonValueKind.String))
                throw new InvalidArgumentException(name, $"'{name}' is a {(isNumber ? "number" : "text")}.");
            revision[name] = isNumber ? value.GetRawText() : value.GetString()!;
        }
        return revision;
    }
}

/// <summary>Where to fetch a manifest.</summary>
/// <param name="From">An https URL of a CSV file, or the link of a Google Sheet.</param>
public sealed record ManifestAddressBody(string From);

internal static class ImportsApi
{
    /// <summary>The least time between two events of an import; what happens within it is told by the latest body.</summary>
    private static readonly TimeSpan EventInterval = TimeSpan.FromSeconds(1);

    public static void MapImports(this IEndpointRouteBuilder api)
    {
        var imports = api.MapGroup("/imports").WithTags("Imports");
        imports.MapPost("/", CreateAsync).WithName("createImport").RequireAuthorization(Policy.Operator)
            .WithSummary("Upload a manifest and create an import of it")
            .WithDescription(
                "multipart/form-data with the field 'file', or the file as the body, whatever its format. Fields or query arguments: name, "
                    + "fileName, account, start, map, " +
                $"{SettingsSchema.Names(_ => true)}. The same Idempotency-Key again returns the first import with 200.")
            .TakesManifest("The manifest: CSV with a header line, compressed (gzip) or not.").TakesImportFields(ofManifest: true)
            .Problems(400, 413, 415);
        imports.MapPost("/address", FetchAsync).WithName("createImportFromAddress").RequireAuthorization(Policy.Operator)
            .WithSummary("Fetch a manifest from a URL and create an import of it")
            .WithDescription(
                "The body names the URL: an https URL of a CSV file, or the link of a Google Sheet that anyone with the link can "
                    + "view. It is called like a source, with the source headers of the account, and within "
                    + $"{FetchManifest.Limit.TotalMinutes:0} minutes. Settings are query arguments as those of POST /imports. The same "
                    + "Idempotency-Key again returns the first import with 200.")
            .TakesImportFields(ofManifest: true).Problems(400, 413);
        imports.MapGet("/", ListAsync).WithName("listImports").RequireAuthorization(Policy.Viewer)
            .WithSummary("List imports, the newest first unless order says oldest or name; search looks at name, file, account and person")
                .Problems(400);
        imports.MapGet("/{id:int}", FindAsync).WithName("getImport")
            .RequireAuthorization(Policy.Viewer).WithSummary("One import").Problems(404);
        imports.MapGet("/{id:int}/events", EventsAsync).WithName("followImport").RequireAuthorization(Policy.Viewer)
            .WithSummary("Follow an import: server-sent events with its body, at most one a second, until nothing can change any more")
                .Problems(404);
        imports.MapPatch("/{id:int}", ReviseAsync).WithName("changeImport").RequireAuthorization(Policy.Operator)
            .WithSummary(
                "Change an import in review, or one whose manifest was rejected; of a running one its schedule, priority and breaker")
            .WithDescription(
                "What is left out stays as it is. What the rows are read or judged by (map, account, "
                    + $"{SettingsSchema.Names(s => s.About.Reads)}) makes the manifest of an " +
                "import in review be read again: it is then 'parsing', and in review again when it is read.")
            .Problems(400, 404, 409);
        imports.MapGet("/{id:int}/preview", PreviewAsync).WithName("previewImport").RequireAuthorization(Policy.Viewer)
            .WithSummary("The manifest's columns, what each is read as, and its first rows").Problems(400, 404, 429);
        imports.MapPost("/{id:int}/probe", ProbeAsync).WithName("probeImport").RequireAuthorization(Policy.Operator)
            .WithSummary("Check that the files of an import in review can be reached")
            .WithDescription(
                "All of them, or about 'sample', spread over the manifest. Problems become findings (warnings) and keep no row "
                    + "from being sent. A new probe replaces the last one.")
            .Problems(400, 404, 409);
        imports.MapGet("/{id:int}/probe", FindProbeAsync).WithName("getProbe").RequireAuthorization(Policy.Viewer)
            .WithSummary("Progress of the latest check of the files").Problems(404);
        imports.MapPost("/{id:int}/start", StartAsync).WithName("startImport").RequireAuthorization(Policy.Operator)
            .WithSummary("Start an import that is in review, or will be")
            .WithDescription(
                "With first=N only the first N records are sent. When they have ended the import is paused, and resuming it sends the "
                    + "rest.")
            .Problems(400, 404, 409);
        imports.MapPost("/{id:int}/pause", PauseAsync).WithName("pauseImport").RequireAuthorization(Policy.Operator)
            .WithSummary("Stop sending. Records that were sent are still followed").Problems(404, 409);
        imports.MapPost("/{id:int}/resume", ResumeAsync).WithName("resumeImport").RequireAuthorization(Policy.Operator)
            .WithSummary("Resume after a pause")
            .WithDescription("If an import was started with its first records only, this sends the rest.")
            .Problems(404, 409);
        imports.MapPost("/{id:int}/ask-hosts", AskHostsAsync).WithName("askHosts").RequireAuthorization(Policy.Operator)
            .WithSummary("Ask waiting source hosts now, which failed too often in a row")
            .WithDescription(
                "One file of each is sent at once instead of at the time that waitingHosts says; when it works, the others follow. With "
                    + "host only that one is asked.")
            .Problems(404, 409);
        imports.MapPost("/{id:int}/cancel", CancelAsync).WithName("cancelImport").RequireAuthorization(Policy.Operator)
            .WithSummary("Cancel an import: what was not sent will not be sent")
            .WithDescription(
                "What Cincopa has accepted is followed to its end. With abortRemote=true Cincopa is also asked to abort it; that may be "
                    + "ordered of a cancelled import afterwards. Each record's attempts tell what Cincopa said, "
                    + "and its state how it ended.")
            .Problems(404, 409);
        imports.MapDelete("/{id:int}", DeleteAsync).WithName("deleteImport")
            .RequireAuthorization(Policy.Operator).WithSummary("Delete an import that has ended")
            .WithDescription(
                "Takes an admin, unless the manifest was rejected. Its records, attempts, findings and, when no other import has it, its "
                    + "manifest are removed in steps; until then its state is 'deleting'. The assets stay in Cincopa (undoImport deletes "
                    + "them, before); rows of later manifests with the same addresses are no longer "
                        + "recognised as imported already.")
            .Problems(404, 409);
        imports.MapGet("/{id:int}/findings", FindingsAsync).WithName("listFindings").RequireAuthorization(Policy.Viewer)
            .WithSummary("The findings in the manifest; format=csv streams all of them").Problems(400, 404)
            .Produces<FindingPage>()
            .AlsoAnswers("text/csv",
                "row,line,column,code,severity,value,hint,other_row,other_import\r\n12,13,url,url_missing,error,,,,\r\n");
    }

    private static async Task<Results<Ok<ImportView>, ProblemHttpResult>> ReviseAsync(
        int id, RevisionBody body, ReviseImport revise, ReadImports imports, ImportFeed feed, HttpContext context,
        CancellationToken cancellationToken) =>
        await AnswerAsync(id, await revise.RunAsync(id, body.ToRevision(), context.User.Actor(), cancellationToken), imports, feed,
            cancellationToken);

    private static async Task<Results<Ok<ManifestPreview>, ProblemHttpResult>> PreviewAsync(
        int id, int? rows, PreviewManifest preview, CancellationToken cancellationToken) =>
        await preview.RunAsync(id, ApiArguments.Limit(rows, 5, 100), cancellationToken) is { } beginning
            ? TypedResults.Ok(beginning)
            : Problem.NotFound($"There is no import {id} with a manifest that can be read.");

    private static async Task<Results<Ok<ProbeView>, ProblemHttpResult>> ProbeAsync(
        int id, int? sample, StartProbe start, ReadProbe probes, HttpContext context, CancellationToken cancellationToken) =>
        await start.RunAsync(id, sample, context.User.Actor(), cancellationToken) switch
        {
            ImportChange.Refused refused => Problem.RefusedInThisState(refused.State, refused.Sentence),
            ImportChange.NotFound => Problem.ImportNotFound(id),
            _ => await FindProbeAsync(id, probes, cancellationToken),
        };

    private static async Task<Results<Ok<ProbeView>, ProblemHttpResult>> FindProbeAsync(
        int id, ReadProbe probes, CancellationToken cancellationToken) =>
        await probes.FindAsync(id, cancellationToken) is { } probe
            ? TypedResults.Ok(probe) : Problem.NotFound($"The files of import {id} were not checked yet, or there is no such import.");

    private static async Task<Results<Created<ImportView>, Ok<ImportView>, ProblemHttpResult>> CreateAsync(
        HttpContext context, ManifestUpload upload, ReadImports imports, CancellationToken cancellationToken) =>
        await CreatedAsync(await upload.RunAsync(context, cancellationToken), imports, context, cancellationToken);

    private static async Task<Results<Created<ImportView>, Ok<ImportView>, ProblemHttpResult>> FetchAsync(
        ManifestAddressBody body, FetchManifest fetch, ReadImports imports, HttpContext context, CancellationToken cancellationToken)
    {
        var fields = ImportFields.OfQuery(context);
        PlainText.RequireStorable("from", body.From);
        return await CreatedAsync(
            await fetch.RunAsync(fields.ToImport(0), body.From ?? "", fields.FileName, cancellationToken), imports, context,
            cancellationToken);
    }

    internal static async Task<Results<Created<ImportView>, Ok<ImportView>, ProblemHttpResult>> CreatedAsync(
        CreatedImport created, ReadImports imports, HttpContext context, CancellationToken cancellationToken)
    {
        var import = await imports.FindAsync(created.Id, cancellationToken);
        if (import is null) return Problem.ImportNotFound(created.Id);
        return created.Existed ? TypedResults.Ok(import) : context.Created($"imports/{created.Id}", import);
    }

    private static async Task<Ok<Page<ImportView>>> ListAsync(
        ReadImports imports, int? limit, string? after, string? state, string? search, string? order, CancellationToken cancellationToken)
    {
        var filter = new ImportFilter
        {
            State = ApiArguments.Choice<ImportState>("state", state),
            Search = string.IsNullOrEmpty(search) ? null : search,
            Order = ApiArguments.Choice<ImportOrder>("order", order) ?? ImportOrder.Newest,
        };
        return TypedResults.Ok(
            await imports.ListAsync(filter, ApiArguments.Cursor(after), ApiArguments.Limit(limit, 50, 500), cancellationToken));
    }

    private static async Task<Results<Ok<ImportView>, ProblemHttpResult>> FindAsync(
        int id, ReadImports imports, CancellationToken cancellationToken) =>
        await imports.FindAsync(id, cancellationToken) is { } import ? TypedResults.Ok(import) : Problem.ImportNotFound(id);

    private static async Task<Results<ServerSentEventsResult<ImportView>, ProblemHttpResult>> EventsAsync(
        int id, ReadImports imports, ImportFeed feed, CheckSession session, TimeProvider clock, IHostApplicationLifetime lifetime,
        HttpContext context)
    {
        if (await imports.FindAsync(id, context.RequestAborted) is null) return Problem.ImportNotFound(id);
        return TypedResults.ServerSentEvents(FollowAsync(id, feed, ct =>
            session.IsLiveAsync(context.User, ct, isUse: false), clock, lifetime.ApplicationStopping, context.RequestAborted));
    }

    /// <summary>
    /// The body now and whenever it has changed, until nothing moves by itself any more, the caller may not look any more, or the server
    /// stops. The import is read once for all who listen to it and for its open pages.
    /// </summary>
    private static async IAsyncEnumerable<SseItem<ImportView>> FollowAsync(
        int id, ImportFeed feed,
        Func<CancellationToken, Task<bool>> mayGoOn, TimeProvider clock, CancellationToken stopping, [
            EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var readings = Channel.CreateBounded<ImportView?>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropOldest });
        using var watching = feed.Watch(id, reading =>
        {
            if (!reading.IsStale) readings.Writer.TryWrite(reading.Value);
        });
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, stopping);
        for (object? seen = null; ;)
        {
            ImportView? import;
            try
            {
                if (seen is not null) await Task.Delay(EventInterval, clock, ended.Token);
                do import = await readings.Reader.ReadAsync(ended.Token);
                while (import is not null && Fingerprint(import).Equals(seen) && !IsOver(import));
            }
            catch (OperationCanceledException) when (stopping.IsCancellationRequested)
            {
                yield break;
            }
            if (import is null || !await mayGoOn(cancellationToken)) yield break;
            if (!Fingerprint(import).Equals(seen)) yield return new(import, "import");
            if (IsOver(import)) yield break;
            seen = Fingerprint(import);
        }
    }

    /// <summary>Equal for equal bodies; a record's own equality would compare its lists by reference.</summary>
    private static (ImportView, string) Fingerprint(ImportView import) =>
        (import with { Failures = [], WaitingHosts = [] }, $"{string.Join(';', import.Failures)} {string.Join(';', import.WaitingHosts)}");

    private static bool IsOver(ImportView import) => import is
    {
        FinishedAt: not null, Counts: { Submitting: 0, Submitted: 0 }, Undo.IsUnderWay: false,
    };

    private static async Task<Results<Ok<ImportView>, ProblemHttpResult>> StartAsync(
        int id, int? first, StartImport start, ReadImports imports, ImportFeed feed, HttpContext context,
        CancellationToken cancellationToken) =>
        await AnswerAsync(id, await start.RunAsync(id, context.User.Actor(), cancellationToken, first), imports, feed, cancellationToken);

    private static async Task<Results<Ok<ImportView>, ProblemHttpResult>> PauseAsync(
        int id, PauseImport pause, ReadImports imports, ImportFeed feed, HttpContext context, CancellationToken cancellationToken) =>
        await AnswerAsync(id, await pause.RunAsync(id, context.User.Actor(), cancellationToken), imports, feed, cancellationToken);

    private static async Task<Results<Ok<ImportView>, ProblemHttpResult>> ResumeAsync(
        int id, ResumeImport resume, ReadImports imports, ImportFeed feed, HttpContext context, CancellationToken cancellationToken) =>
        await AnswerAsync(id, await resume.RunAsync(id, context.User.Actor(), cancellationToken), imports, feed, cancellationToken);

    private static async Task<Results<Ok<ImportView>, ProblemHttpResult>> AskHostsAsync(
        int id, string? host, AskHosts ask, ReadImports imports, ImportFeed feed, HttpContext context,
        CancellationToken cancellationToken) =>
        await AnswerAsync(id, await ask.RunAsync(id, host, context.User.Actor(), cancellationToken), imports, feed, cancellationToken);

    private static async Task<Results<Ok<ImportView>, ProblemHttpResult>> CancelAsync(
        int id, CancelImport cancel, ReadImports imports, ImportFeed feed, HttpContext context, CancellationToken cancellationToken,
        bool abortRemote = false) =>
        await AnswerAsync(id, await cancel.RunAsync(id, abortRemote, context.User.Actor(), cancellationToken), imports, feed,
            cancellationToken);

    private static async Task<Results<Ok<ImportView>, ProblemHttpResult>> DeleteAsync(
        int id, DeleteImport delete, ReadImports imports, ImportFeed feed, HttpContext context, CancellationToken cancellationToken)
    {
        var isAdmin = context.User.Role() == Role.Admin;
        if (!isAdmin && await imports.FindAsync(id, cancellationToken) is { State: not ImportState.Rejected })
        {
            return Problem.Of(StatusCodes.Status403Forbidden, ProblemType.RoleTooLow, "Role too low",
                "An operator can only delete an import whose manifest was rejected. An admin can delete every import that has ended.");
        }
        return await AnswerAsync(id, await delete.RunAsync(id, isAdmin, context.User.Actor(), cancellationToken), imports, feed,
            cancellationToken);
    }

    private static async Task<Results<Ok<ImportView>, ProblemHttpResult>> AnswerAsync(
        int id, ImportChange change, ReadImports imports, ImportFeed feed, CancellationToken cancellationToken)
    {
        switch (change)
        {
            case ImportChange.Refused refused: return Problem.RefusedInThisState(refused.State, refused.Sentence);
            case ImportChange.NotFound: return Problem.ImportNotFound(id);
            default:
                feed.Hurry(id);
                return await FindAsync(id, imports, cancellationToken);
        }
    }

    private static async Task<IResult> FindingsAsync(
        int id, ReadFindings findings, ReadImports imports, HttpContext context, string? format, int? limit, string? after,
        CancellationToken cancellationToken)
    {
        var isCsv = ApiArguments.Choice<FindingsFormat>("format", format) == FindingsFormat.Csv;
        if (await imports.FindAsync(id, cancellationToken) is null) return Problem.ImportNotFound(id);
        if (!isCsv) return TypedResults.Ok(await findings.ListAsync(id, after, ApiArguments.Limit(limit, 1000, 10_000), cancellationToken));

        context.Attach($"import-{id}-findings.csv", "text/csv; charset=utf-8");
        await WriteCsvAsync(findings.AllAsync(id, cancellationToken), context.Response.BodyWriter, cancellationToken);
        return Results.Empty;
    }

    /// <summary>Findings as a table for a spreadsheet.</summary>
    private static async Task WriteCsvAsync(IAsyncEnumerable<FindingView> findings, PipeWriter output, CancellationToken cancellationToken)
    {
        Line("row", "line", "column", "code", "severity", "value", "hint", "other_row", "other_import");
        await foreach (var f in findings.WithCancellation(cancellationToken))
        {
            Line($"{f.Row}", $"{f.Line}", f.Column, f.Code, f.Severity, f.Value, f.Hint, $"{f.OtherRow}", $"{f.OtherImport}");
            if (output.UnflushedBytes >= 64 * 1024) await output.FlushAsync(cancellationToken);
        }
        await output.FlushAsync(cancellationToken);

        void Line(params string?[] cells) => Encoding.UTF8.GetBytes(string.Join(',', cells.Select(FormulaGuard.Cell)) + "\r\n", output);
    }
}

internal enum FindingsFormat
{
    Json,
    Csv,
}
