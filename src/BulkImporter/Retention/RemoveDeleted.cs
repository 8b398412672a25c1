using BulkImporter.Imports;
using BulkImporter.Telemetry;

namespace BulkImporter.Retention;

/// <summary>
/// Removes the rows of imports that were deleted, a step at a time: each statement takes a few thousand rows and commits. The import itself
/// goes last, when nothing of it is left, so a worker that dies in between leaves what the next one goes on with.
/// </summary>
public sealed class RemoveDeleted(NpgsqlDataSource database, ILogger<RemoveDeleted> log)
{
    /// <summary>Rows that one statement removes, so that none holds locks or the log for long.</summary>
    internal int Rows { get; init; } = SweepEnded.RowsAtOnce;

    private const string Find = "SELECT id FROM importer.import WHERE state = 'deleting' ORDER BY id";

    /// <summary>One step of each import. Returns the number of rows that were removed: while there are some, there may be more.</summary>
    public async Task<int> RunAsync(CancellationToken cancellationToken)
    {
        var removed = 0;
        var deleted = await database.QueryAsync<int>(Find, cancellationToken);
        await EachItem.RunAsync(deleted, id => $"import {id}", async id =>
            removed += await StepAsync(id, cancellationToken), cancellationToken);
        return removed;
    }

    private async Task<int> StepAsync(int id, CancellationToken cancellationToken)
    {
        foreach (var table in ForgetRows.OfRecords)
        {
            if (await database.ExecuteAsync(ForgetRows.Step(table), cancellationToken, id, Rows) is var removed and > 0)
            {
                Measures.Removed("deleted_imports", removed);
                return removed;
            }
        }
        var ended = await database.ExecuteAsync(ForgetRows.End, cancellationToken, id);
        if (ended > 0) Log.ImportRemoved(log, id);
        return ended;
    }
}
