using System.CommandLine;
using System.Globalization;
using BulkImporter.Api;
using BulkImporter.Reconcile;
using Spectre.Console;

namespace BulkImporter.Cli;

/// <summary><c>adopt ID ROW [RID]</c>: which asset a record in doubt became.</summary>
internal sealed class AdoptVerb : ClientVerb
{
    private readonly Argument<int> id = ImportId();
    private readonly Argument<int?> row = new("ROW")
    { Description = "The record's row, as `BulkImporter records` shows it", Arity = ArgumentArity.ZeroOrOne };
    private readonly Argument<string?> rid = new("RID")
    { Description = "The asset. Without it, the possible assets are listed and nothing is changed", Arity = ArgumentArity.ZeroOrOne };

    private readonly Option<bool> all = new("--all")
    { Description = "For every record in doubt, adopt its only possible asset. Records with several are not changed" };

    private readonly Option<bool> lookAgain = new("--look-again")
    { Description = "Search Cincopa for the asset again now, instead of when its turn comes" };

    public AdoptVerb(Surroundings surroundings)
        : base(surroundings, "adopt", "Say which asset in Cincopa belongs to an unknown record, or list the possible assets.",
            "BulkImporter records 7 --state unknown      which records are in doubt",
            "BulkImporter adopt 7 12                     the assets that row 12 may have become",
            "BulkImporter adopt 7 12 --look-again        search for it now",
            "BulkImporter adopt 7 12 AbCdEf123           it became this one",
            "BulkImporter adopt 7 --all                  each the only one that it can be")
    {
        TakesFromServer(id, row, rid, all, lookAgain, Json);
        Validators.Add(result =>
        {
            if (result.GetValue(all) == (result.GetResult(row) is { Tokens.Count: > 0 }))
                result.AddError("Give either a ROW or --all.");
            if (result.GetValue(lookAgain) && (result.GetValue(all) || result.GetResult(rid) is { Tokens.Count: > 0 }))
                result.AddError("--look-again takes a ROW and nothing else.");
        });
    }

    protected override async Task<int> RunAsync(ParseResult line, ImporterApi api, CancellationToken cancellationToken)
    {
        if (line.GetValue(all))
        {
            var answer = await api.SendAsync<AdoptedBody>(HttpMethod.Post, $"imports/{line.GetValue(id)}/adopt", null, cancellationToken);
            Surroundings.Output.WriteLine(line.GetValue(Json) ? answer.Json
                : $"{Wording.Count(answer.Value.Adopted, "record", "records")} adopted their only candidate, "
                    + $"{Wording.Count(answer.Value.StillUnknown, "is", "are")} still in doubt.");
            return ExitCode.Done;
        }

        var record = string.Create(CultureInfo.InvariantCulture, $"imports/{line.GetValue(id)}/records/{line.GetValue(row)}");
        if (line.GetValue(lookAgain))
        {
            var ordered = await api.SendAsync<LookAgainBody>(HttpMethod.Post, $"{record}/look", null, cancellationToken);
            Surroundings.Output.WriteLine(line.GetValue(Json) ? ordered.Json
                : $"Cincopa is searched for row {line.GetValue(row)} at {Wording.Time(ordered.Value.DueAt, Surroundings.Clock)}.");
            return ExitCode.Done;
        }

        if (line.GetValue(rid) is { } asset)
        {
            var adopted = await api.SendAsync<RecordBody>(HttpMethod.Post, $"{record}/adopt", new AdoptBody(asset), cancellationToken);
            Surroundings.Output.WriteLine(line.GetValue(Json) ? adopted.Json
                : $"Row {line.GetValue(row)} is {Wording.Of(adopted.Value.State)}: asset {Wording.Plain(adopted.Value.Rid)}.");
            return ExitCode.Done;
        }

        var candidates = await api.GetAsync<CandidatesView>($"{record}/candidates", cancellationToken);
        if (line.GetValue(Json))
        {
            Surroundings.Output.WriteLine(candidates.Json);
            return ExitCode.Done;
        }

        if (candidates.Value.Items.Count > 0)
        {
            var table = ImportPicture.TableOf(Surroundings, "rid", "file name", "type", "size", "uploaded", "caption", "why");
            foreach (var candidate in candidates.Value.Items)
            {
                table.AddRow(
                    new Text(Wording.Plain(candidate.Rid)), new Text(Wording.Plain(candidate.FileName)),
                    new Text(Wording.Plain(candidate.Type)), new Text(candidate.SizeBytes is { } size ? Wording.Size(size) : "-"),
                    new Text(Wording.Time(candidate.UploadedAt, Surroundings.Clock)), new Text(Wording.Plain(candidate.Caption)),
                    new Text(candidate.IsLikeliest ? $"likeliest: {Wording.Plain(candidate.Reason)}" : Wording.Plain(candidate.Reason)));
            }

            Surroundings.Screen.Write(table);
        }

        Surroundings.Error.WriteLine(Sentence(candidates.Value));
        return ExitCode.Done;
    }

    private string Sentence(CandidatesView candidates)
    {
        var looked = candidates.LookedAt is null ? "Cincopa has not been searched for it yet."
            : $"Searched at {Wording.Time(candidates.LookedAt, Surroundings.Clock)}: {Wording.Number(candidates.Items.Count)} found.";
        return candidates.Problem is null
            ? looked : $"{looked} The account's assets cannot be listed now: {Wording.Plain(candidates.Problem)}";
    }
}
