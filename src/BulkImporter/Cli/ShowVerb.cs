using System.CommandLine;
using BulkImporter.Imports;

namespace BulkImporter.Cli;

/// <summary><c>show ID</c>: one import, now or until its end.</summary>
internal sealed class ShowVerb : ClientVerb
{
    private readonly Argument<int> id = ImportId();
    private readonly Option<bool> watch = new("--watch", "-w")
    { Description = "Follow it to its end. The exit code then says how it ended (0, 3, or 1 when rejected or cancelled)" };

    public ShowVerb(Surroundings surroundings)
        : base(surroundings, "show", "Show an import: counts by state, failures by code, rate and time left.",
            "BulkImporter show 7", "BulkImporter show 7 --watch", "BulkImporter show 7 --json | jq .counts") =>
        TakesFromServer(id, watch, Json);

    protected override async Task<int> RunAsync(ParseResult line, ImporterApi api, CancellationToken cancellationToken)
    {
        var import = await api.ImportAsync(line.GetValue(id), cancellationToken);
        var json = line.GetValue(Json);
        var show = new Watch(api, Surroundings);
        if (line.GetValue(watch))
            return await show.RunAsync(import, json, cancellationToken);
        if (json)
        {
            Surroundings.Output.WriteLine(import.Json);
            return ExitCode.Done;
        }

        show.Report(import.Value);
        if (import.Value.State == ImportState.Running)
            Surroundings.Output.WriteLine(ImportPicture.Pace(import.Value) + ".");
        return ExitCode.Done;
    }
}
