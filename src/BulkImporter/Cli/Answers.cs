using BulkImporter.Imports;
using BulkImporter.Records;

namespace BulkImporter.Cli;

/// <summary>What the command line makes of an import that the API told.</summary>
internal static class Answers
{
    /// <summary>Nothing will change any more until a person acts. A cancelled import still follows what Cincopa had accepted.</summary>
    public static bool IsAtRest(this ImportView import) => import.State switch
    {
        _ when import.Undo.IsUnderWay => false,
        ImportState.Review or ImportState.Finished or ImportState.Rejected => true,
        ImportState.Cancelled => import.Counts is { Submitting: 0, Submitted: 0 },
        _ => false,
    };

    /// <summary>The exit code of whoever waited for it.</summary>
    public static int ExitCode(this ImportView import) => import.State switch
    {
        ImportState.Rejected or ImportState.Cancelled => Cli.ExitCode.Failed,
        ImportState.Finished when import.Counts.Failed + import.Counts.Unknown + import.Finishing.Failed > 0 =>
            Cli.ExitCode.DoneWithProblems,
        _ => Cli.ExitCode.Done,
    };

    /// <summary>The states that have records, ended ones first: the order of a bar that fills from the left.</summary>
    public static IEnumerable<(RecordState State, int Count)> Present(this StateCounts counts) => new[]
    {
        RecordState.Imported, RecordState.Failed, RecordState.Unknown, RecordState.Deleted, RecordState.Cancelled, RecordState.Invalid,
        RecordState.Duplicate, RecordState.Submitted, RecordState.Submitting, RecordState.Pending,
    }.Select(s => (s, counts.Of(s))).Where(s => s.Item2 > 0);

    /// <summary>What there is of the totals of arrival.</summary>
    public static IEnumerable<(Arrival Arrival, int Count)> Present(this ArrivalCounts counts) =>
        Enum.GetValues<Arrival>().Select(a => (a, counts.Of(a))).Where(a => a.Item2 > 0);
}
