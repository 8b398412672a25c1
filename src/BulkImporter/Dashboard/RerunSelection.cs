using BulkImporter.Records;
using BulkImporter.Rerun;
using MudBlazor;

namespace BulkImporter.Dashboard;

/// <summary>Reruns what a page shows, asks before a second asset could come of it, and says what was done and what was refused.</summary>
internal sealed class RerunSelection(RerunRecords rerun, ImportFeed feed, IDialogService dialogs, ISnackbar snackbar)
{
    /// <param name="actor">Asked after the confirmation, so that the right to act is the one of that moment.</param>
    public async Task RunAsync(int importId, RecordFilter filter, Func<Task<string>> actor, CancellationToken cancellationToken)
    {
        var mayDuplicate = filter.State == RecordState.Unknown || filter is { State: null, RowNumbers: not null };
        if (mayDuplicate && await dialogs.ShowMessageBoxAsync(
            "Send them again?", "Cincopa may already have these files: the call left and its answer was not seen. Sending again can make a second asset of each. Look in Cincopa first if that matters.",
            "Send again", cancelText: "Leave them") != true) return;

        var result = await rerun.RunAsync(importId, filter, await actor(), cancellationToken);
        switch (result)
        {
            case RerunResult.Done done:
                snackbar.Add(Sentence(done), done.Rerun > 0 ? Severity.Success : Severity.Warning);
                break;
            case RerunResult.WrongState wrong:
                snackbar.Add(wrong.Sentence, Severity.Warning);
                break;
            case RerunResult.NotFound:
                snackbar.Add($"There is no import {importId} any more.", Severity.Warning);
                break;
        }
        feed.Hurry(importId);
    }

    private static string Sentence(RerunResult.Done done)
    {
        var text = done.Rerun == 0 ? "Nothing was rerun." : $"{Words.Count(done.Rerun, "record is", "records are")} pending again.";
        return done.Refused.Aggregate(text, (t, r) => $"{t} {Words.Count(r.Count, "record", "records")} left {Words.Of(r.State)}: {r.Reason}");
    }
}
