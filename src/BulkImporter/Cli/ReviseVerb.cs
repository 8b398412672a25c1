using System.CommandLine;

namespace BulkImporter.Cli;

/// <summary><c>revise ID</c>: changes an import of which nothing was sent.</summary>
internal sealed class ReviseVerb : ClientVerb
{
    private readonly Argument<int> id = ImportId();
    private readonly Option<string?> name = new("--name") { HelpName = "NAME", Description = "What to call the import" };
    private readonly Option<string?> account = new("--account") { HelpName = "NAME", Description = "The Cincopa account that the media go to" };
    private readonly Option<string?> map = new("--map") { HelpName = "MAPPING", Description = "Which column is what: url=OriginalURL,caption=Title; empty to go by the header again" };
    private readonly Option<int?> firstRows = AtLeast(0, new Option<int?>("--first-rows") { HelpName = "N", Description = "Read only so many rows, 0 for all" });
    private readonly Option<int?> maxAttempts = AtLeast(1, new Option<int?>("--max-attempts") { HelpName = "N", Description = "Attempts that a record gets" });
    private readonly Option<string?> whenUnknown = new("--when-unknown") { HelpName = "hold|resubmit", Description = "What to do with a record whose call may have been received" };
    private readonly Option<int?> priority = new("--priority") { HelpName = "N", Description = "Higher is served first" };
    private readonly Option<string?> fid = new("--fid") { HelpName = "FID", Description = "The gallery that new assets join; empty for none" };
    private readonly Option<string?> encoding = new("--encoding") { HelpName = "ENCODING", Description = "windows-1252, or empty to go by the file's beginning" };
    private readonly Option<string?> alreadyImported = new("--already-imported") { HelpName = "skip|import", Description = "What to do with rows that the account has by an earlier import" };
    private readonly Option<string?> duplicateRows = new("--duplicate-rows") { HelpName = "skip|import", Description = "What to do with rows that have the address of an earlier row of the manifest" };
    private readonly Option<string?> transfer = new("--transfer") { HelpName = "pull|push|auto", Description = "How files go whose rows do not say it: fetched by Cincopa, sent by the server, or sent only where Cincopa's call is too short for the address" };
    private readonly Option<string?> startAt = new("--start-at") { HelpName = "TIME", Description = "Send nothing before, e.g. 2026-11-24T22:00:00+01:00; empty for at once" };
    private readonly Option<string?> window = new("--window") { HelpName = "HOURS", Description = "Send only in these hours, e.g. '22:00-06:00 Europe/Berlin'; empty for all day" };
    private readonly Option<int?> stopAtFailurePercent = AtLeast(1, new Option<int?>("--stop-at-failure-percent") { HelpName = "N", Description = "Pause when more of the finished records failed, 100 for never" });
    private readonly Option<int?> stopAfterRows = AtLeast(1, new Option<int?>("--stop-after-rows") { HelpName = "N", Description = "Judge that after so many finished records" });

    public ReviseVerb(Surroundings surroundings)
        : base(surroundings, "revise", "Change an import in review, or one whose manifest was rejected; its manifest is read again when that is needed. Of one that runs or is paused: schedule, priority, when unknown, and when to stop.",
            "BulkImporter revise 7 --map url=OriginalURL,caption=Title",
            "BulkImporter revise 7 --first-rows 100                a trial first",
            "BulkImporter revise 7 --account museum --fid AAAA",
            "BulkImporter revise 7 --window '22:00-06:00 Europe/Berlin'    only at night, also while it runs")
    {
        whenUnknown.AcceptOnlyFromAmong("hold", "resubmit");
        alreadyImported.AcceptOnlyFromAmong("skip", "import");
        duplicateRows.AcceptOnlyFromAmong("skip", "import");
        transfer.AcceptOnlyFromAmong("pull", "push", "auto");
        TakesFromServer(id, name, account, map, encoding, firstRows, maxAttempts, alreadyImported, duplicateRows, transfer, fid, whenUnknown, priority, startAt, window, stopAtFailurePercent, stopAfterRows, Json);
    }

    protected override async Task<int> RunAsync(ParseResult line, ImporterApi api, CancellationToken cancellationToken)
    {
        var revision = new RevisionBody(
            line.GetValue(name), line.GetValue(account), line.GetValue(map), line.GetValue(firstRows), line.GetValue(maxAttempts),
            line.GetValue(whenUnknown), line.GetValue(priority), line.GetValue(fid), line.GetValue(encoding), line.GetValue(alreadyImported), line.GetValue(duplicateRows), line.GetValue(transfer),
            line.GetValue(startAt), line.GetValue(window), line.GetValue(stopAtFailurePercent), line.GetValue(stopAfterRows));
        var import = await api.SendAsync<ImportBody>(HttpMethod.Patch, $"imports/{line.GetValue(id)}", revision, cancellationToken);
        Surroundings.Output.WriteLine(line.GetValue(Json) ? import.Json : ImportPicture.Headline(import.Value));
        return ExitCode.Done;
    }
}
