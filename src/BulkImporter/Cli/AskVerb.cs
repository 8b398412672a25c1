using System.CommandLine;
using BulkImporter.Imports;

namespace BulkImporter.Cli;

/// <summary><c>ask ID</c>: hosts that wait, now.</summary>
internal sealed class AskVerb : ClientVerb
{
    private readonly Argument<int> id = ImportId();
    private readonly Option<string?> host = new("--host") { HelpName = "HOST", Description = "Only this one [all that wait]" };

    public AskVerb(Surroundings surroundings)
        : base(surroundings, "ask",
            "Ask source hosts now that failed too often in a row and wait. One file of each is sent; when it works, the others follow.",
            "BulkImporter ask 7                                  all hosts that import 7 waits for",
            "BulkImporter ask 7 --host media.example.com") =>
        TakesFromServer(id, host, Json);

    protected override async Task<int> RunAsync(ParseResult line, ImporterApi api, CancellationToken cancellationToken)
    {
        var import = await api.SendAsync<ImportView>(HttpMethod.Post,
            $"imports/{line.GetValue(id)}/ask-hosts" + Query.Of(("host", line.GetValue(host))), null, cancellationToken);
        Surroundings.Output.WriteLine(line.GetValue(Json) ? import.Json : ImportPicture.Headline(import.Value));
        foreach (var wait in line.GetValue(Json) ? [] : import.Value.WaitingHosts)
            Surroundings.Output.WriteLine(Wording.Plain(wait.Sentence));
        return ExitCode.Done;
    }
}
