namespace BulkImporter.Imports;

/// <summary>
/// A chunk's way between the queue and the worker that holds it. Each statement checks what it comes from; no row means that another was
/// there first.
/// </summary>
internal static class ChunkLease
{
    /// <summary>Within the feeder's statement that has "locked" (import_id, number): they are handed to Hangfire.</summary>
    internal const string Queue = """
        UPDATE importer.import_chunk c SET state = 'queued', queued_at = now()
        FROM locked WHERE c.import_id = locked.import_id AND c.number = locked.number
        RETURNING c.import_id, c.number, c.first_row, c.last_row
        """;

    /// <summary>
    /// Waiting or queued to running. A quarter of the account's calls in flight, so that others find some too, or all that are free where
    /// no other chunk of the account is due.
    /// </summary>
    internal const string Take = """
        WITH account AS (
            SELECT a.id, a.submit_rate, a.backlog_limit, a.updated_at,
                CASE WHEN a.max_in_flight > 0 AND a.per_host_limit >= a.max_in_flight THEN 0 ELSE a.per_host_limit END AS per_host,
                CASE WHEN a.max_in_flight = 0 THEN $5::int WHEN EXISTS (
                    SELECT 1 FROM importer.import oi CROSS JOIN LATERAL (
                        SELECT 1 FROM importer.import_chunk o
                        WHERE o.import_id = oi.id AND o.due_at <= now() AND o.state <> 'running' AND (o.import_id, o.number) <> ($1, $2)
                        ORDER BY o.due_at LIMIT 1) due
                    WHERE oi.account_id = a.id AND oi.state = 'running'
                ) THEN LEAST($5::int, ceil(a.max_in_flight / 4.0)::int) ELSE LEAST($5::int, a.max_in_flight) END AS wanted,
                CASE WHEN a.max_in_flight = 0 THEN $5::int ELSE a.max_in_flight - coalesce((
                    SELECT sum(o.lease_window) FROM importer.import_chunk o JOIN importer.import oi ON oi.id = o.import_id
                    WHERE oi.account_id = a.id AND o.state = 'running' AND o.lease_until > now()
                ), 0)::int END AS free
            FROM importer.account a JOIN importer.import i ON i.account_id = a.id
            WHERE i.id = $1 AND i.state = 'running' AND a.state = 'active'
                AND importer.opens_at(i.start_at, i.window_from, i.window_until, i.window_zone) IS NULL
        )
        UPDATE importer.import_chunk c
        SET state = 'running', lease_token = $3, lease_owner = $6, lease_until = now() + $4, fence = c.fence + 1,
            lease_window = LEAST(account.wanted, account.free)
        FROM account
        WHERE c.import_id = $1 AND c.number = $2 AND c.state IN ('waiting', 'queued') AND c.due_at <= now() AND account.free > 0
        RETURNING c.first_row, c.last_row, c.lease_window, account.id AS account_id, account.submit_rate, account.backlog_limit,
            account.updated_at, account.per_host, c.fence
        """;

    // The window does not change while the lease is held: when the account changes, the chunk gives its turn back and is leased anew.
    internal const string Renew = """
        UPDATE importer.import_chunk c
        SET lease_until = now() + $4
        WHERE c.import_id = $1 AND c.number = $2 AND c.lease_token = $3 AND c.lease_until > now()
        RETURNING
            (SELECT a.updated_at FROM importer.account a JOIN importer.import i ON i.account_id = a.id
             WHERE i.id = $1 AND i.state = 'running' AND a.state = 'active') AS account_updated_at,
            EXISTS (
                SELECT 1 FROM importer.import me
                JOIN importer.import other ON other.account_id = me.account_id AND other.id <> me.id
                WHERE me.id = $1 AND other.state = 'running' AND other.priority >= me.priority
                    AND EXISTS (SELECT 1 FROM importer.import_chunk w WHERE w.import_id = other.id AND w.state <> 'running'
                        AND w.due_at <= now())
                    AND NOT EXISTS (SELECT 1 FROM importer.import_chunk w WHERE w.import_id = other.id AND w.state = 'running')
            ) AS another_waits
        """;

    // After the lock, so that a record which became pending a moment ago is seen and the chunk does not sleep past it; and so that an
    // intent whose commit came through after we had given it up is seen too. With one the lease is left to run out: the rescue knows
    // what to do with a record that nobody will answer for.
    // Rows that were set aside ($4) do not make it due. For hosts that wait ($5, and how many rows of each, $6) the follower does, and
    // for rows that only found no place ($7) some seconds: long enough for chunks of other hosts, which the feeder
    // takes in the order of their numbers, to have their turn.
    internal const string Release = $"""
        UPDATE importer.import_chunk c
        SET state = 'waiting', lease_token = NULL, lease_owner = NULL, lease_until = NULL, lease_window = 0, waits_for = $5,
            waits_for_count = $6,
            due_at = LEAST((SELECT min(coalesce(r.next_attempt_at, now())) FROM importer.import_record r
                      WHERE r.import_id = c.import_id AND r.row_number BETWEEN c.first_row AND c.last_row AND r.state = 'pending'
                          AND {ImportTransitions.IsNotHeldBack} AND r.row_number <> ALL ($4)),
                CASE WHEN $7 THEN now() + interval '5 seconds' END)
        WHERE c.import_id = $1 AND c.number = $2 AND c.lease_token = $3 AND c.submitting_count = 0
        """;

    /// <summary>
    /// Chunks whose rows were set aside for a host. When it does not wait any more, all of them are due; when it is to be asked, one of
    /// them is, whichever, so that files of different places ask. What does not run, or not at this hour, is left alone.
    /// </summary>
    internal const string DueForHosts = """
        WITH waiting AS (
            SELECT c.import_id, c.number, c.due_at, i.account_id, w.host, h.asked_at,
                row_number() OVER (PARTITION BY i.account_id, w.host ORDER BY random()) AS place
            FROM importer.import_chunk c
            JOIN importer.import i ON i.id = c.import_id AND i.state = 'running'
                AND importer.opens_at(i.start_at, i.window_from, i.window_until, i.window_zone) IS NULL
            CROSS JOIN LATERAL unnest(c.waits_for) AS w(host)
            LEFT JOIN importer.failing_host h ON h.account_id = i.account_id AND h.host = w.host AND h.asked_at IS NOT NULL
            WHERE c.waits_for <> '{}' AND c.state <> 'running' AND (h.asked_at IS NULL OR h.asked_at <= now())
        ), chosen AS (
            SELECT DISTINCT w.import_id, w.number FROM waiting w
            WHERE w.asked_at IS NULL OR (w.place = 1 AND NOT EXISTS (
                SELECT 1 FROM waiting d WHERE d.account_id = w.account_id AND d.host = w.host AND d.due_at <= now()))
        ), locked AS MATERIALIZED (
            SELECT c.import_id, c.number FROM importer.import_chunk c JOIN chosen USING (import_id, number)
            WHERE c.state = 'waiting' AND (c.due_at IS NULL OR c.due_at > now())
            ORDER BY c.import_id, c.number FOR NO KEY UPDATE OF c SKIP LOCKED
        )
        UPDATE importer.import_chunk c SET due_at = now()
        FROM locked WHERE c.import_id = locked.import_id AND c.number = locked.number
        """;

    /// <summary>Queued to waiting, when it was not leased.</summary>
    internal const string Return =
        "UPDATE importer.import_chunk SET state = 'waiting' WHERE import_id = $1 AND number = $2 AND state = 'queued'";
}
