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

    public ReviseVerb(Surroundings surroundings)
        : base(surroundings, "revise", "Change an import in review, or one whose manifest was rejected. Its manifest is read again when that is needed.",
            "BulkImporter revise 7 --map url=OriginalURL,caption=Title",
            "BulkImporter revise 7 --first-rows 100                a trial first",
            "BulkImporter revise 7 --account museum --fid AAAA")
    {
        whenUnknown.AcceptOnlyFromAmong("hold", "resubmit");
        TakesFromServer(id, name, account, map, firstRows, maxAttempts, whenUnknown, priority, fid, Json);
    }

    protected override async Task<int> RunAsync(ParseResult line, ImporterApi api, CancellationToken cancellationToken)
    {
        var revision = new RevisionBody(
            line.GetValue(name), line.GetValue(account), line.GetValue(map), line.GetValue(firstRows), line.GetValue(maxAttempts),
            line.GetValue(whenUnknown), line.GetValue(priority), line.GetValue(fid));
        var import = await api.SendAsync<ImportBody>(HttpMethod.Patch, $"imports/{line.GetValue(id)}", revision, cancellationToken);
        Surroundings.Output.WriteLine(line.GetValue(Json) ? import.Json : ImportPicture.Headline(import.Value));
        return ExitCode.Done;
    }
}
