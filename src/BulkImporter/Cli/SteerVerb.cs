using System.CommandLine;
using BulkImporter.Imports;

namespace BulkImporter.Cli;

/// <summary><c>start</c>, <c>pause</c>, <c>resume</c> and <c>cancel ID</c>: they differ in a word.</summary>
internal sealed class SteerVerb : ClientVerb
{
    private readonly Argument<int> id = ImportId();
    private readonly string action;
    private readonly Option<bool>? abortRemote;

    private SteerVerb(Surroundings surroundings, string action, string description, Option<bool>? abortRemote = null)
        : base(surroundings, action, description, abortRemote is null
            ? [$"BulkImporter {action} 7"] : [$"BulkImporter {action} 7", $"BulkImporter {action} 7 {abortRemote.Name}"])
    {
        this.action = action;
        this.abortRemote = abortRemote;
        TakesFromServer(abortRemote is null ? [id, Json] : [id, abortRemote, Json]);
    }

    public static SteerVerb Start(Surroundings surroundings) => new(surroundings, "start", "Start an import that waits for review.");

    public static SteerVerb Pause(Surroundings surroundings) =>
        new(surroundings, "pause", "Stop sending records. What Cincopa has accepted is still followed.");

    public static SteerVerb Resume(Surroundings surroundings) => new(surroundings, "resume", "Go on after a pause.");

    public static SteerVerb Cancel(Surroundings surroundings) =>
        new(surroundings, "cancel",
            "End an import: what was not sent is cancelled (rerun brings it back), what Cincopa has accepted is followed to its end.",
        new Option<bool>("--abort-remote")
        {
            Description =
                "Also ask Cincopa to abort what it has accepted and not finished. This works for a cancelled import too"
        });

    protected override async Task<int> RunAsync(ParseResult line, ImporterApi api, CancellationToken cancellationToken)
    {
        var import = await api.SendAsync<ImportView>(HttpMethod.Post,
            $"imports/{line.GetValue(id)}/{action}{(abortRemote is not null && line.GetValue(abortRemote) ? "?abortRemote=true" : "")}",
            null, cancellationToken);
        Surroundings.Output.WriteLine(line.GetValue(Json) ? import.Json : ImportPicture.Headline(import.Value));
        return ExitCode.Done;
    }
}
