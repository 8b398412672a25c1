using System.CommandLine;

namespace BulkImporter.Cli;

/// <summary><c>give-up ID</c>: leaves records in doubt as they are.</summary>
internal sealed class GiveUpVerb : ClientVerb
{
    private readonly Argument<int> id = ImportId();
    private readonly Option<int[]> record = new("--record") { HelpName = "N", Description = "The record of this row, repeatable", Required = true };

    public GiveUpVerb(Surroundings surroundings)
        : base(surroundings, "give-up", "Count records in doubt as failed. Nothing is sent; a rerun takes them only when it names them.",
            "BulkImporter give-up 7 --record 12 --record 31",
            "BulkImporter records 7 --state unknown                which ones are in doubt") =>
        TakesFromServer(id, record, Json);

    protected override async Task<int> RunAsync(ParseResult line, ImporterApi api, CancellationToken cancellationToken)
    {
        foreach (var row in line.GetRequiredValue(record))
        {
            var given = await api.SendAsync<RecordBody>(HttpMethod.Post, $"imports/{line.GetValue(id)}/records/{row}/give-up", null, cancellationToken);
            Surroundings.Output.WriteLine(line.GetValue(Json) ? given.Json : $"Row {Wording.Number(row)} is given up: {given.Value.State}.");
        }

        return ExitCode.Done;
    }
}
