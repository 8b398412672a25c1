using System.CommandLine;
using System.Globalization;
using BulkImporter.Api;

namespace BulkImporter.Cli;

/// <summary><c>undo ID</c>: deletes in Cincopa what an import has made.</summary>
internal sealed class UndoVerb : ClientVerb
{
    private readonly Argument<int> id = ImportId();
    private readonly SelectionOptions selection = new();
    private readonly Option<string?> name = new("--name")
    { HelpName = "NAME", Description = "The name of the import, to confirm it: its assets are deleted in Cincopa for good" };
    private readonly Option<bool> dryRun = new("--dry-run") { Description = "Say what would be deleted and what left, and delete nothing" };

    public UndoVerb(Surroundings surroundings)
        : base(surroundings, "undo",
            "Delete in Cincopa the assets that an import has made and that no other record has. Adopted, unknown and possibly duplicated "
                + "ones are listed and left. The records are then deleted and can be sent again by a rerun.",
            "BulkImporter undo 7 --dry-run                       what would be deleted and what left",
            "BulkImporter undo 7 --name \"Spring library\"",
            "BulkImporter undo 7 --search holiday --name \"Spring library\"",
            "BulkImporter rerun 7 --state deleted                send them again")
    {
        TakesFromServer([id, .. selection.All, name, dryRun, Json]);
    }

    protected override async Task<int> RunAsync(ParseResult line, ImporterApi api, CancellationToken cancellationToken)
    {
        var isDryRun = line.GetValue(dryRun);
        if (isDryRun == (line.GetValue(name) is not null))
            throw new VerbFailure(ExitCode.Usage, "An undo needs one of --name and --dry-run.",
                "Give the name of the import with --name to undo it, or --dry-run to see what an undo would delete.");
        var chosen = selection.Of(line);
        var order = new UndoOrder(chosen.State, chosen.Code, chosen.RecordIds, chosen.Search, chosen.StalledMinutes, chosen.Finish,
            chosen.Undo, chosen.Arrival, line.GetValue(name), isDryRun ? true : null);
        var answer = await api.SendAsync<UndoBody>(HttpMethod.Post, $"imports/{line.GetValue(id)}/undo", order, cancellationToken);
        if (line.GetValue(Json))
        {
            Surroundings.Output.WriteLine(answer.Json);
        }
        else
        {
            Surroundings.Output.WriteLine(isDryRun
                ? $"{Wording.Count(answer.Value.ToDelete, "asset", "assets")} would be deleted in Cincopa, "
                    + $"{Wording.Number(answer.Value.Left)} would stay."
                : $"{Wording.Count(answer.Value.ToDelete, "asset is", "assets are")} being deleted in Cincopa, "
                    + $"{Wording.Count(answer.Value.Left, "stays", "stay")}.");
            foreach (var left in answer.Value.Reasons)
                Surroundings.Output.WriteLine(
                    $"  {Wording.Number(left.Count)} {Wording.Of(left.Reason)}: {Wording.Plain(left.Sentence)} "
                        + $"Rows {string.Join(", ", left.RowNumbers.Select(r => r.ToString(CultureInfo.InvariantCulture)))}"
                        + $"{(left.Count > left.RowNumbers.Count ? ", …" : "")}.");
            if (answer.Value.ToDelete > 0 && !isDryRun)
                Surroundings.Output.WriteLine(
                    string.Create(CultureInfo.InvariantCulture, $"Follow it with: BulkImporter show {line.GetValue(id)} --watch"));
        }

        return answer.Value is { ToDelete: 0, Left: > 0 } ? ExitCode.Refused : ExitCode.Done;
    }
}
