using BulkImporter.Imports;
using BulkImporter.Records;
using BulkImporter.Rerun;
using MudBlazor;

namespace BulkImporter.Dashboard;

/// <summary>
/// Orders for the records that a page shows: asks before what cannot be taken back, and says what was done and what was refused.
/// </summary>
internal sealed class RecordOrders(RerunRecords rerun, GiveUpRecords giveUp, ImportFeed feed, IDialogService dialogs, ISnackbar snackbar)
{
    /// <summary>Orders new attempts. Null when the person thought better of it, or the import's state did not allow it.</summary>
    /// <param name="selections">Rerun one after the other and told as one.</param>
    /// <param name="push">Their files are sent by this server, instead of being fetched by Cincopa.</param>
    /// <param name="actor">Asked after the confirmation, so that the right to act is the one of that moment.</param>
    public async Task<RerunDone?> RerunAsync(int importId,
        IReadOnlyList<RecordFilter> selections, Func<Task<string>> actor, CancellationToken cancellationToken, bool push = false)
    {
        if (selections.Any(s => s.Arrival is not null) && await dialogs.ShowMessageBoxAsync(
            "Make other assets?",
            "These records are imported, and what arrived differs from what was expected. Each is sent again and gets a new asset. The "
            + "old asset stays in Cincopa, and only the record's attempts still name it.",
            "Send again", cancelText: "Cancel") != true) return null;
        if (selections.Any(MayDuplicate) && await dialogs.ShowMessageBoxAsync(
            "Send them again?",
            "Cincopa may already have these files: there was no answer to the call, or another row has the same URL. "
            + "Sending them again can make a second asset of each. Check in Cincopa first.",
            "Send again", cancelText: "Cancel") != true) return null;

        var name = await actor();
        var all = new RerunDone(0, []);
        foreach (var selection in selections)
        {
            switch (await rerun.RunAsync(importId, selection, push, name, cancellationToken))
            {
                case RerunDone done:
                    all = new(all.Rerun + done.Rerun, [.. all.Left, .. done.Left]);
                    break;
                case ImportChange.Refused refused:
                    snackbar.Add(refused.Sentence, Severity.Warning);
                    return null;
                case ImportChange.NotFound:
                    snackbar.Add($"Import {importId} no longer exists.", Severity.Warning);
                    return null;
            }
        }
        feed.Hurry(importId);
        snackbar.Add(Sentence(all), all.Rerun > 0 ? Severity.Success : Severity.Warning);
        return all;
    }

    /// <summary>Gives records in doubt up. Null when the person thought better of it, else how many were given up.</summary>
    public async Task<int?> GiveUpAsync(int importId, RecordFilter selection, Func<Task<string>> actor, CancellationToken cancellationToken)
    {
        if (await dialogs.ShowMessageBoxAsync(
            "Give up?",
            "Records in doubt then count as failed. Nothing is sent, and a rerun sends them only if it names the row or the "
                + "code given_up. This cannot be undone.",
            "Give up", cancelText: "Keep in doubt") != true) return null;
        var givenUp = await giveUp.RunAsync(importId, selection, await actor(), cancellationToken);
        feed.Hurry(importId);
        snackbar.Add(givenUp == 0 ? "No record is in doubt now." : $"{Words.Count(givenUp, "record was", "records were")} given up.",
            givenUp > 0 ? Severity.Success : Severity.Warning);
        return givenUp;
    }

    private static bool MayDuplicate(RecordFilter selection) =>
        selection.State is RecordState.Unknown or RecordState.Duplicate || selection.Code == Words.Code(FailureCode.GivenUp)
            || selection is { State: null, RowNumbers: not null, Arrival: null };

    /// <summary>How many are pending again, and which were left and why.</summary>
    internal static string Sentence(RerunDone done)
    {
        var text = done.Rerun == 0
            ? "No record will be sent again."
            : $"{Words.Count(done.Rerun, "record will", "records will")} be sent again.";
        return done.Left.Aggregate(text, (t, r) =>
            $"{t} {Words.Count(r.Count, "record", "records")} left {Words.Of(r.State)}: {r.Reason}");
    }
}
