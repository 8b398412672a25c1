using System.CommandLine;
using BulkImporter.Imports;

namespace BulkImporter.Cli;

/// <summary><c>delete ID</c>: an import that has ended is forgotten.</summary>
internal sealed class DeleteVerb : ClientVerb
{
    private readonly Argument<int> id = ImportId();
    private readonly Option<bool> yes = new("--yes") { Description = "Confirm: a deleted import cannot be restored" };

    public DeleteVerb(Surroundings surroundings)
        : base(surroundings, "delete",
            "Delete an import that has ended, with its records, attempts, findings and, when no other import has it, its manifest. The "
                + "assets stay in Cincopa, and without the import they can no longer be undone; their addresses are no longer recognised "
                + "in later manifests.",
            "BulkImporter undo 7 --dry-run                       the assets that would stay in Cincopa",
            "BulkImporter archive 7 && BulkImporter delete 7 --yes")
    {
        TakesFromServer(id, yes, Json);
        Validators.Add(result =>
        {
            if (!result.GetValue(yes))
                result.AddError(
                    "A deleted import cannot be restored, and its assets stay in Cincopa. To delete it, give --yes. To delete its assets "
                        + "first, use BulkImporter undo; to keep its data in a file, BulkImporter archive.");
        });
    }

    protected override async Task<int> RunAsync(ParseResult line, ImporterApi api, CancellationToken cancellationToken)
    {
        var import = await api.SendAsync<ImportView>(HttpMethod.Delete, $"imports/{line.GetValue(id)}", null, cancellationToken);
        Surroundings.Output.WriteLine(line.GetValue(Json) ? import.Json : $"Import {line.GetValue(id)} is being deleted.");
        return ExitCode.Done;
    }
}
