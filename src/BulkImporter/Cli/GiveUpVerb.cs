using System.CommandLine;
using BulkImporter.Api;

namespace BulkImporter.Cli;

/// <summary><c>give-up ID</c>: leaves records in doubt as they are.</summary>
internal sealed class GiveUpVerb : ClientVerb
{
    private readonly Argument<int> id = ImportId();
    private readonly Option<int[]> record = new("--record")
    { HelpName = "N", Description = "The record of this row, repeatable", DefaultValueFactory = _ => [] };
    private readonly Option<string?> code = new("--code")
    { HelpName = "CODE", Description = "All records in doubt whose last failure has this code, e.g. reply_lost" };
    private readonly Option<string?> search = new("--search")
    { HelpName = "TEXT", Description = "All records in doubt with this in their URL, caption, reference id or status_id" };
    private readonly Option<bool> all = new("--all") { Description = "All records in doubt" };

    public GiveUpVerb(Surroundings surroundings)
        : base(surroundings, "give-up", "Count records in doubt as failed. Nothing is sent. A rerun sends them only if it names them.",
            "BulkImporter give-up 7 --record 12 --record 31",
            "BulkImporter give-up 7 --all",
            "BulkImporter records 7 --state unknown                which ones are in doubt")
    {
        TakesFromServer(id, record, code, search, all, Json);
        Validators.Add(result =>
        {
            if (new Option[] { record, code, search, all }.Count(o => result.GetResult(o) is { Implicit: false }) != 1)
                result.AddError("Give one of --record, --code, --search and --all: exactly one says which records are given up.");
        });
    }

    protected override async Task<int> RunAsync(ParseResult line, ImporterApi api, CancellationToken cancellationToken)
    {
        var rows = line.GetRequiredValue(record);
        if (rows.Length == 0)
        {
            var selection = new SelectionBody("unknown", line.GetValue(code), null, line.GetValue(search));
            var answer = await api.SendAsync<GivenUpBody>(HttpMethod.Post, $"imports/{line.GetValue(id)}/give-up", selection,
                cancellationToken);
            Surroundings.Output.WriteLine(line.GetValue(Json) ? answer.Json
                : $"{Wording.Count(answer.Value.GivenUp, "record is", "records are")} given up, "
                    + $"{Wording.Count(answer.Value.StillUnknown, "is", "are")} still in doubt.");
            return ExitCode.Done;
        }

        foreach (var row in rows)
        {
            var given = await api.SendAsync<RecordBody>(HttpMethod.Post, $"imports/{line.GetValue(id)}/records/{row}/give-up", null,
                cancellationToken);
            Surroundings.Output.WriteLine(line.GetValue(Json)
                ? given.Json : $"Row {Wording.Number(row)} is given up: {Wording.Of(given.Value.State)}.");
        }

        return ExitCode.Done;
    }
}
