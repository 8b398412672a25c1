using BulkImporter.Api;
using static BulkImporter.Cli.Options;

namespace BulkImporter.Cli;

/// <summary><c>undo ID</c>: deletes in Cincopa what an import has made.</summary>
internal static class UndoVerb
{
    public static Verb Of(Surroundings surroundings)
    {
        var id = ImportId();
        var selection = new SelectionOptions();
        var name = Text("--name", "NAME", "The name of the import, to confirm: its assets are permanently deleted in Cincopa");
        var dryRun = Flag("--dry-run", "Show what would be deleted and what would stay, and delete nothing");
        return new ClientVerb(surroundings, "undo",
            "Delete in Cincopa the assets that an import made and that no other record has. Adopted, unknown and possibly duplicated "
                + "ones are listed and kept. The records are then deleted and can be sent again by a rerun.",
            ["BulkImporter undo 7 --dry-run                       what would be deleted and what left",
                "BulkImporter undo 7 --name \"Spring library\"",
                "BulkImporter undo 7 --search holiday --name \"Spring library\"",
                "BulkImporter rerun 7 --state deleted                send them again"],
            [id, .. selection.All, name, dryRun],
            async call =>
            {
                var isDryRun = call.Get(dryRun);
                if (isDryRun == (call.Get(name) is not null))
                    throw new VerbFailure(ExitCode.Usage, "An undo needs one of --name and --dry-run.",
                        "Give the name of the import with --name to undo it, or --dry-run to see what an undo would delete.");
                var chosen = selection.Of(call.Line);
                var order = new UndoOrder(chosen.State, chosen.Code, chosen.RecordIds, chosen.Search, chosen.StalledMinutes, chosen.Finish,
                    chosen.Undo, chosen.Arrival, call.Get(name), isDryRun ? true : null);
                var answer = await call.PostAsync<UndoBody>($"imports/{call.Get(id)}/undo", order);
                call.Tell(answer, done =>
                {
                    call.Say(isDryRun
                        ? $"{Wording.Count(done.ToDelete, "asset", "assets")} would be deleted in Cincopa, "
                            + $"{Wording.Number(done.Left)} would stay."
                        : $"{Wording.Count(done.ToDelete, "asset is", "assets are")} being deleted in Cincopa, "
                            + $"{Wording.Count(done.Left, "stays", "stay")}.");
                    foreach (var left in done.Reasons)
                        call.Say($"  {Wording.Number(left.Count)} {Wording.Of(left.Reason)}: {Wording.Plain(left.Sentence)} "
                            + $"Rows {string.Join(", ", left.RowNumbers)}{(left.Count > left.RowNumbers.Count ? ", …" : "")}.");
                    if (done.ToDelete > 0 && !isDryRun) call.Say($"Follow it with: BulkImporter show {call.Get(id)} --watch");
                });
                return answer.Value is { ToDelete: 0, Left: > 0 } ? ExitCode.Refused : ExitCode.Done;
            });
    }
}
