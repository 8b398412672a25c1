using Cincopa.Client;

namespace BulkImporter.Records;

/// <summary>A record that has an asset, or had it until an undo deleted it.</summary>
public sealed record AssetOwner(Rid Rid, int ImportId, int RowNumber, RecordState State);

/// <content>The ways out of doubt without a person's order for each record.</content>
public sealed partial class RecordTransitions
{
    private const string ReadOwners = """
        SELECT r.rid, r.import_id, r.row_number, r.state
        FROM importer.import i JOIN importer.import_record r ON r.import_id = i.id
        WHERE i.account_id = $1 AND r.rid = ANY($2)
        """;

    /// <summary>The records of the account that have one of these assets. Looks at every record of the account.</summary>
    public async Task<IReadOnlyList<AssetOwner>> OwnersAsync(
        int accountId, IReadOnlyCollection<Rid> rids, CancellationToken cancellationToken)
    {
        if (rids.Count == 0) return [];
        return await database.OnConnectionAsync(
            connection => OwnersAsync(connection, accountId, rids, cancellationToken), cancellationToken);
    }

    private static Task<List<AssetOwner>> OwnersAsync(
        NpgsqlConnection connection, int accountId, IEnumerable<Rid> rids, CancellationToken cancellationToken) =>
        connection.QueryLongAsync<AssetOwner>(ReadOwners, cancellationToken, accountId, rids.Select(r => r.Value).ToArray());

    /// <summary>Adoptions of one account take turns, so that two of them cannot take the same asset.</summary>
    private const string LockAdoption = "SELECT 1 FROM pg_advisory_xact_lock(hashtext('bulkimporter.adopt'), $1)";

    /// <summary>
    /// Unknown to imported: the asset was found. What the attempt had ended with is kept in its message. The asset is nobody else's
    /// candidate any more.
    /// </summary>
    private static readonly string Adopt = $"""
        WITH adoption AS (
            SELECT * FROM unnest($2::importer.outcome[])
        ), moved AS (
            UPDATE importer.import_record r
            SET state = 'imported', rid = a.rid, is_adopted = true, error_code = NULL, error_message = NULL, finished_at = now()
            FROM adoption a
            WHERE r.import_id = a.import_id AND r.row_number = a.row_number AND r.attempt_count = a.attempt AND r.state = 'unknown'
            RETURNING r.import_id, r.row_number, r.attempt_count, r.state, r.rid, r.caption, r.reference_id, r.is_push, a.message,
                a.size_bytes
        ), finishing AS (
            {BeginFinishing}
        ), uploaded AS (
            DELETE FROM importer.push_upload u USING moved m WHERE u.import_id = m.import_id AND u.row_number = m.row_number
            RETURNING u.import_id, u.row_number, m.rid, u.total_bytes
        ), sent AS (
            INSERT INTO importer.record_asset (import_id, row_number, rid, sent_bytes)
            SELECT import_id, row_number, rid, total_bytes FROM uploaded WHERE total_bytes IS NOT NULL
            ON CONFLICT (import_id, row_number) DO NOTHING
        ), closed AS (
            UPDATE importer.attempt t
            SET finished_at = now(), outcome = 'reconciled', message = concat_ws(' ', t.outcome || ':', t.message, m.message)
            FROM moved m
            WHERE t.import_id = m.import_id AND t.row_number = m.row_number AND t.number = m.attempt_count
        ), settled AS (
            DELETE FROM importer.reconcile_candidate k USING moved m WHERE k.import_id = m.import_id AND k.row_number = m.row_number
        ), taken AS (
            DELETE FROM importer.reconcile_candidate k USING moved m, importer.import i
            WHERE k.rid = m.rid AND i.id = k.import_id AND i.account_id = $1
                AND (k.import_id, k.row_number) <> (m.import_id, m.row_number)
        )
        SELECT import_id, row_number, attempt_count AS attempt FROM moved
        """;

    /// <summary>
    /// Takes assets for records in doubt, in the caller's transaction. Returns the adoptions that were made, and the records of the account
    /// that have one of the assets already: such an asset is nobody else's. The rest had moved on before.
    /// </summary>
    /// <param name="adoptions">Each with another asset.</param>
    public async Task<(IReadOnlyList<Adoption> Made, IReadOnlyList<AssetOwner> Owners)> AdoptedAsync(
        NpgsqlConnection connection, int accountId, IReadOnlyList<Adoption> adoptions, CancellationToken cancellationToken)
    {
        await connection.ExecuteAsync(LockAdoption, cancellationToken, accountId);
        var owners = await OwnersAsync(connection, accountId, adoptions.Select(a => a.Rid), cancellationToken);
        var free = adoptions.Where(a => owners.TrueForAll(o => o.Rid != a.Rid)).ToList();
        OutcomeRow[] rows = [.. free.Select(a => OutcomeRow.Of(a))];
        await connection.LeaveOnlyKeysAsync(cancellationToken);
        await connection.ExecuteAsync(LockChunksOfRows, cancellationToken, [rows]);
        var made = (await connection.QueryAsync<AttemptKey>(Adopt, cancellationToken, accountId, rows)).ToHashSet();
        return (free.FindAll(a => made.Contains(new(a.ImportId, a.RowNumber, a.Attempt))), owners);
    }

    /// <summary>Unknown to pending: a pushed file that is not there under its name, which is its row's alone, did not arrive.</summary>
    private const string PushAgain = """
        UPDATE importer.import_record r
        SET state = 'pending', next_attempt_at = NULL, finished_at = NULL
        FROM unnest($1::importer.outcome[]) p
        WHERE r.import_id = p.import_id AND r.row_number = p.row_number AND r.attempt_count = p.attempt AND r.state = 'unknown'
            AND r.is_push AND r.attempts_left > 0
        """;

    /// <summary>Makes pushes in doubt pending again whose files were looked for and are not there. Returns how many.</summary>
    public async Task<int> PushedAgainAsync(IReadOnlyList<AttemptKey> pushes, CancellationToken cancellationToken)
    {
        var moved = 0;
        foreach (var its in pushes.GroupBy(p => p.ImportId))
        {
            OutcomeRow[] rows = [.. its.Select(p => OutcomeRow.Of(p))];
            moved += await database.ExecuteBatchByKeyAsync(
                () => [Sql.BatchCommand(LockChunksOfRows, [rows]), Sql.BatchCommand(PushAgain, [rows])], cancellationToken);
        }
        return moved;
    }

    /// <summary>
    /// Unknown to pending, by the import's own setting: while attempts are left, only while the import runs, and not while candidates wait
    /// for a person. Not before the remote side was looked through for the asset, unless every look has failed for so long, the last one
    /// just now, and nobody looks at this moment.
    /// </summary>
    private const string ResubmitUnknown = """
        UPDATE importer.import_record r
        SET state = 'pending', next_attempt_at = NULL, finished_at = NULL
        FROM importer.import_chunk c JOIN importer.import i ON i.id = c.import_id AND i.state = 'running' AND i.when_unknown = 'resubmit'
        WHERE c.import_id = $1 AND c.unknown_count > 0
            AND r.import_id = $1 AND r.row_number BETWEEN c.first_row AND c.last_row
            AND r.state = 'unknown' AND r.attempts_left > 0
            AND (EXISTS (
                SELECT 1 FROM importer.attempt t
                WHERE t.import_id = r.import_id AND t.row_number = r.row_number AND t.number = r.attempt_count AND t.looked_at IS NOT NULL)
                OR (r.finished_at <= now() - $2 AND EXISTS (
                    SELECT 1 FROM importer.reconcile_look l JOIN importer.account a ON a.id = l.account_id
                    WHERE a.id = i.account_id AND a.state = 'active'
                        AND l.failing_since <= now() - $2 AND l.problem IS NOT NULL AND l.next_at > now())))
            AND NOT EXISTS (
                SELECT 1 FROM importer.reconcile_candidate k
                WHERE k.import_id = r.import_id AND k.row_number = r.row_number AND k.attempt = r.attempt_count)
        """;

    /// <summary>
    /// Makes the unknown records of an import pending again that were looked for and not found, if the import's setting prefers a duplicate
    /// to a gap. Returns how many.
    /// </summary>
    /// <param name="unlooked">
    /// When every look has failed for this long, those go too that nobody could look for. A look that is only late, because a worker died
    /// or stopped in it, the account is suspended or has many assets, is waited for.
    /// </param>
    public Task<int> ResubmittedAsync(int importId, TimeSpan unlooked, CancellationToken cancellationToken) =>
        database.TransactionAsync(async connection =>
    {
        await connection.ExecuteAsync(LockChunksInDoubt, cancellationToken, importId);
        return await connection.ExecuteAsync(ResubmitUnknown, cancellationToken, importId, unlooked);
    }, cancellationToken);
}
