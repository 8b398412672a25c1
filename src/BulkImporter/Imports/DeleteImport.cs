using BulkImporter.Access;

namespace BulkImporter.Imports;

/// <summary>
/// Orders that an import that has ended is forgotten, with its records and all that belongs to them. From then on nothing can be done with
/// it; the rows go in steps (<see cref="Retention.RemoveDeleted"/>), its audit entries stay, and Cincopa hears nothing of it.
/// </summary>
public sealed class DeleteImport(NpgsqlDataSource database)
{
    // A call that is under way, an asset that Cincopa is fetching or that is being finished or deleted would come back to records that are
    // not there. A record whose asset was adopted may be followed although it is imported. What an undo has still to delete is known here
    // only.
    internal const string IsOver = """
        i.state IN ('finished', 'cancelled', 'rejected') AND i.undo_ordered_at IS NULL
            AND NOT EXISTS (SELECT 1 FROM importer.import_chunk c WHERE c.import_id = i.id AND c.submitting_count + c.submitted_count > 0)
            AND NOT EXISTS (SELECT 1 FROM importer.status_poll p WHERE p.import_id = i.id)
            AND NOT EXISTS (SELECT 1 FROM importer.work_batch w WHERE w.import_id = i.id)
            AND NOT EXISTS (SELECT 1 FROM importer.record_finish f WHERE f.import_id = i.id AND f.state = 'pending')
        """;

    private static readonly string Delete = Order($"i.id = $1 AND {IsOver} AND ($4 OR i.state = 'rejected')", "state");

    /// <summary>
    /// The statement that orders it for the imports <c>i</c> of a condition, in which $1 and $4 are its own. $2 is the actor, $3 the
    /// reason.
    /// </summary>
    /// <param name="told">The column of those imports that it returns.</param>
    internal static string Order(string which, string told) => $"""
        WITH changed AS (
            UPDATE importer.import i SET state = 'deleting', reason = $3
            WHERE {which}
            RETURNING i.id, i.name, i.row_count, i.state
        ), noted AS (
            {Audit.Entry}
            SELECT now(), $2, 'import_deleted', id, NULL, concat(name, ', ', coalesce(row_count, 0), ' rows') FROM changed
        )
        SELECT {told} FROM changed
        """;

    /// <param name="mayDeleteAll">False takes only one whose manifest was rejected: it has no record, and nothing was sent.</param>
    public Task<ImportChange> RunAsync(int importId, bool mayDeleteAll, string actor, CancellationToken cancellationToken) =>
        database.OnConnectionAsync(connection => ImportChange.RunAsync(
            connection, Delete, importId,
            "only an import that has ended, and has nothing under way at Cincopa, can be deleted", cancellationToken,
            actor, $"Deleted by {actor}. Its rows are being removed.", mayDeleteAll), cancellationToken);
}
