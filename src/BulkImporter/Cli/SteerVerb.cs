using System.CommandLine;
using System.Globalization;
using BulkImporter.Imports;

namespace BulkImporter.Cli;

/// <summary><c>start</c>, <c>pause</c>, <c>resume</c> and <c>cancel ID</c>: they differ in a word.</summary>
internal sealed class SteerVerb : ClientVerb
{
    private readonly Argument<int> id = ImportId();
    private readonly string action;
    private readonly Option<bool>? abortRemote;
    private readonly Option<int?>? trial;

    private SteerVerb(
        Surroundings surroundings, string action, string description, Option<bool>? abortRemote = null, Option<int?>? trial = null)
        : base(surroundings, action, description, [$"BulkImporter {action} 7",
            .. abortRemote is null ? [] : new[] { $"BulkImporter {action} 7 {abortRemote.Name}" },
            .. trial is null ? [] : new[] { $"BulkImporter {action} 7 {trial.Name} 10           then look, and BulkImporter resume 7" }])
    {
        this.action = action;
        this.abortRemote = abortRemote;
        this.trial = trial;
        TakesFromServer([id, .. new Symbol?[] { abortRemote, trial }.OfType<Symbol>(), Json]);
    }

    public static SteerVerb Start(Surroundings surroundings) =>
        new(surroundings, "start", "Start an import that waits for review.",
            trial: AtLeast(1, new Option<int?>("--first")
            {
                HelpName = "N",
                Description = "Send only the first N records and pause when they have ended; resume then sends the rest"
            }));

    public static SteerVerb Pause(Surroundings surroundings) =>
        new(surroundings, "pause", "Stop sending records. What Cincopa has accepted is still followed.");

    public static SteerVerb Resume(Surroundings surroundings) =>
        new(surroundings, "resume", "Go on after a pause, or send the rest after the first records.");

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
            $"imports/{line.GetValue(id)}/{action}" + Query.Of(
                ("abortRemote", abortRemote is not null && line.GetValue(abortRemote) ? "true" : null),
                ("first", trial is null ? null : line.GetValue(trial)?.ToString(CultureInfo.InvariantCulture))),
            null, cancellationToken);
        Surroundings.Output.WriteLine(line.GetValue(Json) ? import.Json : ImportPicture.Headline(import.Value));
        return ExitCode.Done;
    }
}
