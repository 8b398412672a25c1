namespace BulkImporter.Records;

/// <content>A person's orders about a selection: to give up what is in doubt, and to try again.</content>
public sealed partial class RecordTransitions
{
    /// <summary>Unknown to failed, by a person. What was seen last stays in the message and on the attempt.</summary>
    private const string GiveUp = """
        UPDATE importer.import_record r
        SET state = 'failed', error_code = 'given_up', finished_at = now(),
            error_message = left(concat_ws(' ', $2, 'Before: ' || r.error_code || '.', r.error_message), 500)
        WHERE r.import_id = $1 AND r.row_number = ANY($3) AND r.row_number BETWEEN $4 AND $5 AND r.state = 'unknown'
        """;

    /// <summary>
    /// Gives the selected records in doubt up, in the caller's transaction. Returns how many: those that are not in doubt any more are left
    /// alone.
    /// </summary>
    /// <param name="sentence">Who did it, for people; the beginning of the records' message.</param>
    public async Task<int> GaveUpAsync(
        NpgsqlConnection connection, int importId, RecordFilter filter, string sentence, CancellationToken cancellationToken)
    {
        await connection.ExecuteAsync(LockChunksInDoubt, cancellationToken, importId);
        var givenUp = 0;
        await foreach (var rows in filter.RowsAsync(connection, importId, r => r.State == RecordState.Unknown, cancellationToken))
            givenUp += await connection.ExecuteLongAsync(GiveUp, cancellationToken, importId, sentence, rows, rows[0], rows[^1]);
        return givenUp;
    }

    /// <summary>
    /// Failed, cancelled and (when asked for) unknown, duplicate and deleted to pending with all attempts again, and pushed from then on if
    /// that is asked for. The attempts that were made are kept.
    /// </summary>
    // Of a duplicate that a result file called imported, the address is stored as it is shown: where that hides something, it cannot be
    // sent.
    private const string MakePendingAgain = $"""
        UPDATE importer.import_record r SET {Afresh}, is_push = r.is_push OR $3
        FROM importer.import i
        WHERE i.id = $1 AND r.import_id = $1 AND r.row_number = ANY($5) AND r.row_number BETWEEN $6 AND $7 AND r.state = ANY($2)
            AND ($4 OR r.error_code IS DISTINCT FROM 'given_up')
            AND (r.state <> 'duplicate' OR r.source_url !~ '//\*\*\*@|…$')
        """;

    /// <summary>
    /// Imported to pending, where what arrived differs from what was expected and a person wants another asset. The one that there is stays
    /// in Cincopa: a row of the attempt names it, and the record is marked, for its source may now be there twice.
    /// </summary>
    private static readonly string SendDiffering = $"""
        WITH differing AS MATERIALIZED (
            SELECT r.import_id, r.row_number, r.attempt_count, r.submitted_at, r.status_id, r.finished_at, r.rid
            FROM importer.import_record r
            JOIN importer.record_asset a ON a.import_id = r.import_id AND a.row_number = r.row_number AND a.rid = r.rid
            WHERE r.import_id = $1 AND r.row_number = ANY($3) AND r.row_number BETWEEN $4 AND $5 AND r.state = 'imported'
                AND a.arrival <> 'verified'
                AND NOT EXISTS (SELECT 1 FROM importer.work_batch w
                    WHERE w.import_id = $1 AND w.step = 'finish' AND r.row_number = ANY (w.rows))
                AND NOT EXISTS (SELECT 1 FROM importer.record_undo u
                    WHERE u.import_id = r.import_id AND u.row_number = r.row_number AND u.state = 'pending')
        ), moved AS (
            UPDATE importer.import_record r
            SET {Afresh}, is_adopted = false, possibly_duplicated = true, is_push = r.is_push OR $2
            FROM importer.import i, differing d
            WHERE i.id = $1 AND r.import_id = d.import_id AND r.row_number = d.row_number AND r.state = 'imported'
            RETURNING d.*
        ), {LeaveAsset("""
            'Its asset ' || rid || ' differs from what was expected. It stays in Cincopa, and the row was sent again.'
            """)}, undone AS (
            DELETE FROM importer.record_undo u USING moved m WHERE u.import_id = m.import_id AND u.row_number = m.row_number
        )
        SELECT count(*)::int FROM moved
        """;

    /// <summary>
    /// Invalid to pending, pushed from then on: rows of which nothing was found but that Cincopa cannot fetch them. Their addresses are
    /// stored whole (<c>RowBatch</c>; older rows have them masked), and a source that another row has, or had first, is left out.
    /// </summary>
    private const string PushInvalid = $"""
        UPDATE importer.import_record r SET {Afresh}, is_push = true
        FROM importer.import i
        WHERE i.id = $1 AND r.import_id = $1 AND r.row_number = ANY($2) AND r.row_number BETWEEN $3 AND $4 AND r.state = 'invalid'
            AND r.error_code IN ('url_host_private', 'url_too_long')
            AND r.source_url NOT LIKE '%…%'
            AND NOT EXISTS (SELECT 1 FROM importer.finding f WHERE f.import_id = $1 AND f.row_number = r.row_number AND f.severity = 'error'
                AND f.code NOT IN ('url_host_private', 'url_too_long'))
            AND NOT EXISTS (SELECT 1 FROM importer.import_record o WHERE o.import_id = $1 AND o.source_url = r.source_url
                AND o.row_number <> r.row_number
                AND (o.state <> 'invalid' OR o.row_number < r.row_number))
        """;

    /// <summary>
    /// Makes the selected records pending again, in the caller's transaction. Returns how many, and how many of the selection were left
    /// as they are in each state. What was given up counts as in doubt here.
    /// </summary>
    /// <param name="named">What of unknown, duplicate, deleted and (where what arrived differs) imported the person has named, and so takes
    /// part.</param>
    public async Task<(int Moved, IReadOnlyDictionary<RecordState, int> Left)> PendingAgainAsync(
        NpgsqlConnection connection, int importId, RecordFilter filter,
        IReadOnlyCollection<RecordState> named, bool push, CancellationToken cancellationToken)
    {
        RecordState[] eligible = [RecordState.Failed, RecordState.Cancelled, .. named.Where(s => s != RecordState.Imported)];
        var unknownToo = named.Contains(RecordState.Unknown);
        await connection.ExecuteAsync(LockChunksOfImport, cancellationToken, importId);
        await using var db = Contexts.On(connection);
        var selected = await ReadRecords.CountByStateAsync(db, importId, filter, cancellationToken);

        var states = eligible.Select(EnumText<RecordState>.Of).ToArray();
        var moved = 0;
        await foreach (var rows in filter.RowsAsync(connection, importId, r => eligible.Contains(r.State), cancellationToken))
            moved += await connection.ExecuteLongAsync(MakePendingAgain, cancellationToken, importId, states, push, unknownToo, rows,
                rows[0], rows[^1]);
        var left = selected.Where(s => !eligible.Contains(s.Key)).ToDictionary();
        // The chunks are locked, so what is eligible and did not move are those that were given up or, where duplicates take part, those of
        // them without an address that can be sent.
        var stayed = selected.Where(s => eligible.Contains(s.Key)).Sum(s => s.Value) - moved;
        if (stayed > 0) left[named.Contains(RecordState.Duplicate) ? RecordState.Duplicate : RecordState.Failed] = stayed;
        if (named.Contains(RecordState.Imported))
        {
            await foreach (var rows in filter.RowsAsync(connection, importId, r => r.State == RecordState.Imported, cancellationToken))
            {
                var again = (await connection.QueryLongAsync<int>(
                    SendDiffering, cancellationToken, importId, push, rows, rows[0], rows[^1])).Single();
                moved += again;
                if ((left[RecordState.Imported] -= again) == 0) left.Remove(RecordState.Imported);
            }
        }
        var pushed = 0;
        if (push)
        {
            // Whoever selects what failed means these too: neither was sent, and for the same reason.
            var its = filter.State == RecordState.Failed ? filter with { State = RecordState.Invalid } : filter;
            await foreach (var rows in its.RowsAsync(connection, importId, r => r.State == RecordState.Invalid, cancellationToken))
                pushed += await connection.ExecuteLongAsync(PushInvalid, cancellationToken, importId, rows, rows[0], rows[^1]);
            if (left.TryGetValue(RecordState.Invalid, out var invalid) && (left[RecordState.Invalid] = invalid - pushed) == 0)
                left.Remove(RecordState.Invalid);
        }
        return (moved + pushed, left);
    }
}
