using BulkImporter.Data;
using BulkImporter.Telemetry;
using Microsoft.Extensions.Options;
using Npgsql;

namespace BulkImporter.Retention;

/// <summary>
/// Removes the rows of imports that were deleted, a step at a time: each statement takes a few thousand rows and commits. The import itself goes
/// last, when nothing of it is left, so a worker that dies in between leaves what the next one goes on with.
/// </summary>
public sealed class RemoveDeleted(NpgsqlDataSource database, IOptions<RetentionOptions> options, ILogger<RemoveDeleted> log)
{
    /// <summary>What may have as many rows as the import has records, or more. What is left goes with the import.</summary>
    private static readonly string[] Tables = ["attempt", "record_finish", "record_meta", "push_upload", "finding", "correction", "reconcile_candidate", "import_record"];

    private const string Find = "SELECT id FROM importer.import WHERE state = 'deleting' ORDER BY id";

    // Rows that another worker removes in this moment are still there for the condition, so the import outlives them.
    private static readonly string End = $"""
        DELETE FROM importer.import WHERE id = $1 AND state = 'deleting'
            {string.Concat(Tables.Select(table => $"AND NOT EXISTS (SELECT 1 FROM importer.{table} WHERE import_id = $1) "))}
        """;

    /// <summary>One step of each import. Returns the number of rows that were removed: while there are some, there may be more.</summary>
    public async Task<int> RunAsync(CancellationToken cancellationToken)
    {
        var removed = 0;
        var deleted = await database.QueryAsync(Find, r => r.GetInt32(0), cancellationToken);
        await EachItem.RunAsync(deleted, id => $"import {id}", async id => removed += await StepAsync(id, cancellationToken), cancellationToken);
        return removed;
    }

    private async Task<int> StepAsync(int id, CancellationToken cancellationToken)
    {
        foreach (var table in Tables)
        {
            if (await database.ExecuteAsync(Step(table), cancellationToken, id, options.Value.Step) is var removed and > 0)
            {
                Measures.Removed("deleted_imports", removed);
                return removed;
            }
        }
        var ended = await database.ExecuteAsync(End, cancellationToken, id);
        if (ended > 0) Log.ImportRemoved(log, id);
        return ended;
    }

    private static string Step(string table) => $"""
        DELETE FROM importer.{table} WHERE ctid = ANY (ARRAY(SELECT ctid FROM importer.{table} WHERE import_id = $1 LIMIT $2 FOR UPDATE SKIP LOCKED))
        """;
}
