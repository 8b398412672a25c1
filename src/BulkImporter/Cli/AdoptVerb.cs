using System.CommandLine;
using BulkImporter.Api;
using BulkImporter.Reconcile;
using static BulkImporter.Cli.Options;

namespace BulkImporter.Cli;

/// <summary><c>adopt ID ROW [RID]</c>: which asset a record in doubt became.</summary>
internal static class AdoptVerb
{
    public static Verb Of(Surroundings surroundings)
    {
        var id = ImportId();
        var row = new Argument<int?>("ROW")
        { Description = "The record's row, as `BulkImporter records` shows it", Arity = ArgumentArity.ZeroOrOne };
        var rid = new Argument<string?>("RID")
        { Description = "The asset. Without it, the possible assets are listed and nothing is changed", Arity = ArgumentArity.ZeroOrOne };
        var all = Flag("--all", "For every record in doubt, adopt its only possible asset. Records with several are not changed");
        var lookAgain = Flag("--look-again", "Search Cincopa for the asset again now, instead of when its turn comes");
        return new ClientVerb(surroundings, "adopt",
            "Set which asset in Cincopa belongs to an unknown record, or list the possible assets.",
            ["BulkImporter records 7 --state unknown      which records are in doubt",
                "BulkImporter adopt 7 12                     the assets that row 12 may have become",
                "BulkImporter adopt 7 12 --look-again        search for it now",
                "BulkImporter adopt 7 12 AbCdEf123           it became this one",
                "BulkImporter adopt 7 --all                  each the only one that it can be"],
            [id, row, rid, all, lookAgain],
            call =>
            {
                var import = $"imports/{call.Get(id)}";
                var record = $"{import}/records/{call.Get(row)}";
                if (call.Get(all))
                    return call.TellAsync(call.PostAsync<AdoptedBody>($"{import}/adopt"), answer =>
                        $"{Wording.Count(answer.Adopted, "record", "records")} adopted their only candidate, "
                            + $"{Wording.Count(answer.StillUnknown, "is", "are")} still in doubt.");
                if (call.Get(lookAgain))
                    return call.TellAsync(call.PostAsync<LookAgainBody>($"{record}/look"), ordered =>
                        $"Cincopa is searched for row {call.Get(row)} at {call.Time(ordered.DueAt)}.");
                if (call.Get(rid) is { } asset)
                    return call.TellAsync(call.PostAsync<RecordBody>($"{record}/adopt", new AdoptBody(asset)), adopted =>
                        $"Row {call.Get(row)} is {Wording.Of(adopted.State)}: asset {Wording.Plain(adopted.Rid)}.");
                return ListAsync(call, $"{record}/candidates");
            },
            refuses: result =>
            [
                result.GetValue(all) == (result.GetResult(row) is { Tokens.Count: > 0 }) ? "Give either a ROW or --all." : null,
                result.GetValue(lookAgain) && (result.GetValue(all) || result.GetResult(rid) is { Tokens.Count: > 0 })
                    ? "--look-again takes a ROW and nothing else." : null,
            ]);
    }

    private static Task<int> ListAsync(Call call, string path) =>
        call.ShowAsync(call.GetAsync<CandidatesView>(path), candidates =>
        {
            if (candidates.Items.Count > 0)
                call.Table(["rid", "file name", "type", "size", "uploaded", "caption", "why"], candidates.Items.Select(candidate =>
                    (string?[])[candidate.Rid, candidate.FileName, candidate.Type,
                        candidate.SizeBytes is { } size ? Wording.Size(size) : "-", call.Time(candidate.UploadedAt), candidate.Caption,
                        candidate.IsLikeliest ? $"likeliest: {candidate.Reason}" : candidate.Reason]));
            var looked = candidates.LookedAt is null ? "Cincopa has not been searched for it yet. Only records in doubt are searched for."
                : $"Searched at {call.Time(candidates.LookedAt)}: {Wording.Number(candidates.Items.Count)} found.";
            call.Note(candidates.Problem is null
                ? looked : $"{looked} The account's assets cannot be listed now: {Wording.Plain(candidates.Problem)}");
        });
}
