using System.CommandLine;
using BulkImporter.Api;

namespace BulkImporter.Cli;

/// <summary><c>finish ID</c>: texts, reference id and gallery of assets again, where that failed.</summary>
internal sealed class FinishVerb : ClientVerb
{
    private readonly Argument<int> id = ImportId();
    private readonly Option<int[]> record = new("--record")
    { HelpName = "N", Description = "The record of this row, repeatable [all for which it failed]", DefaultValueFactory = _ => [] };
    private readonly Option<string?> search = new("--search")
    { HelpName = "TEXT", Description = "Only records with this in their URL, caption, reference id or rid" };

    public FinishVerb(Surroundings surroundings)
        : base(surroundings, "finish",
            "Write captions, tags, reference ids and galleries again for imported records for which that failed. Nothing is sent to be "
                + "imported.",
            "BulkImporter finish 7                               all records whose assets could not be finished",
            "BulkImporter finish 7 --record 12") =>
        TakesFromServer(id, record, search, Json);

    protected override async Task<int> RunAsync(ParseResult line, ImporterApi api, CancellationToken cancellationToken)
    {
        var rows = line.GetRequiredValue(record);
        var selection = new SelectionBody(null, null, rows.Length > 0 ? rows : null, line.GetValue(search));
        var answer = await api.SendAsync<FinishAgainBody>(HttpMethod.Post, $"imports/{line.GetValue(id)}/finish", selection,
            cancellationToken);
        Surroundings.Output.WriteLine(line.GetValue(Json)
            ? answer.Json : $"{Wording.Count(answer.Value.Again, "record is", "records are")} being finished again.");
        return ExitCode.Done;
    }
}
