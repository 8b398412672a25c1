using Cincopa.Client;

namespace BulkImporter.Records;

/// <summary>An asset that Cincopa no longer has, and the record that it was made for.</summary>
public sealed record AssetGone(int ImportId, int RowNumber, Rid Rid);

/// <content>An undo deletes assets in Cincopa.</content>
public sealed partial class RecordTransitions
{
    /// <summary>
    /// Imported to deleted; the rid is the guard. What the record told of the attempt that made the asset goes to a row of the attempt, and
    /// what was known of the asset, or still to be written to it, is forgotten.
    /// </summary>
    private static readonly string Delete = $"""
        WITH gone AS MATERIALIZED (
            SELECT * FROM unnest($1::importer.outcome[])
        ), before AS MATERIALIZED (
            SELECT r.import_id, r.row_number, r.attempt_count, r.submitted_at, r.status_id, r.finished_at, r.rid
            FROM gone g JOIN importer.import_record r ON r.import_id = g.import_id AND r.row_number = g.row_number
            WHERE r.state = 'imported' AND r.rid = g.rid
            FOR NO KEY UPDATE OF r
        ), moved AS (
            UPDATE importer.import_record r SET state = 'deleted', finished_at = now()
            FROM before b
            WHERE r.import_id = b.import_id AND r.row_number = b.row_number AND r.state = 'imported'
            RETURNING b.*
        ), {LeaveAsset("'An undo has deleted its asset ' || rid || ' in Cincopa.'")}, undone AS (
            DELETE FROM importer.record_undo u USING gone g
            WHERE u.import_id = g.import_id AND u.row_number = g.row_number AND u.rid = g.rid
        )
        SELECT count(*) FROM moved
        """;

    /// <summary>Writes that Cincopa no longer has these assets. Returns how many records that moved; the rest had moved before.</summary>
    public async Task<long> DeletedAsync(IReadOnlyList<AssetGone> assets, CancellationToken cancellationToken)
    {
        var moved = 0L;
        foreach (var its in assets.GroupBy(a => a.ImportId))
        {
            OutcomeRow[] rows = [.. its.Select(a =>
                OutcomeRow.Of(new AttemptKey(a.ImportId, a.RowNumber, 0)) with { Rid = a.Rid.Value })];
            moved += await CountAsync(Delete, rows, [], cancellationToken);
        }
        return moved;
    }
}
