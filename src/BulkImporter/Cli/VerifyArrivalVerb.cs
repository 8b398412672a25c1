using System.CommandLine;
using System.Globalization;
using BulkImporter.Api;

namespace BulkImporter.Cli;

/// <summary><c>verify-arrival ID</c>: asks Cincopa again what arrived.</summary>
internal sealed class VerifyArrivalVerb : ClientVerb
{
    private readonly Argument<int> id = ImportId();
    private readonly SelectionOptions selection = new();

    public VerifyArrivalVerb(Surroundings surroundings)
        : base(surroundings, "verify-arrival",
            "Ask Cincopa again what arrived, and compare it with what was expected. Nothing is written to the assets, deleted or sent.",
            "BulkImporter verify-arrival 7                        all imported records of which something is expected",
            "BulkImporter verify-arrival 7 --arrival size_differs",
            "BulkImporter records 7 --arrival size_differs        those that differ, afterwards") =>
        TakesFromServer([id, .. selection.All, Json]);

    protected override async Task<int> RunAsync(ParseResult line, ImporterApi api, CancellationToken cancellationToken)
    {
        var answer = await api.SendAsync<VerifyArrivalBody>(
            HttpMethod.Post, $"imports/{line.GetValue(id)}/verify-arrival", selection.Of(line), cancellationToken);
        if (line.GetValue(Json))
        {
            Surroundings.Output.WriteLine(answer.Json);
            return ExitCode.Done;
        }
        Surroundings.Output.WriteLine(
            $"{Wording.Count(answer.Value.Ordered, "record is", "records are")} being compared with what arrived, "
                + $"{Wording.Count(answer.Value.Left, "is", "are")} not.");
        if (answer.Value.Left > 0)
            Surroundings.Output.WriteLine("  Nothing is expected of those, their finishing is under way or has failed, an undo is "
                + "under way, or the account is suspended.");
        if (answer.Value.Ordered > 0)
            Surroundings.Output.WriteLine(
                string.Create(CultureInfo.InvariantCulture, $"See the totals with: BulkImporter show {line.GetValue(id)}"));
        return ExitCode.Done;
    }
}
