using BulkImporter.Records;
using BulkImporter.Telemetry;

namespace BulkImporter.Imports;

/// <summary>
/// Compares the counters of the chunks with a count of their records, in one snapshot, for the imports that run or ended lately. They are
/// written by one statement and cannot differ; if they do, something wrote where it must not, and a person has to hear of it.
/// </summary>
public sealed class CompareCounters(NpgsqlDataSource database, ILogger<CompareCounters> log)
{
    private static readonly string[] States = [.. EnumText<RecordState>.All.Except(["pending", "submitting"])];

    // What is on the wire is pending in its table.
    private static readonly string[] Counted = ["unanswered", .. States, .. Chunk.Arrivals];

    private static readonly string ReadDifferences = $"""
        WITH looked_at AS (
            SELECT id FROM importer.import WHERE state IN ('running', 'paused') OR (finished_at > now() - interval '1 hour'
                AND state <> 'deleting')
        ), counted AS (
            SELECT import_id, r.chunk_number, count(*) FILTER (WHERE r.state = 'pending') AS unanswered,
                {string.Join(", ", States.Select(s => $"count(*) FILTER (WHERE r.state = '{s}') AS {s}"))},
                {string.Join(", ", Chunk.Arrivals.Select(a => $"count(*) FILTER (WHERE a.arrival = '{a}') AS {a}"))}
            FROM importer.import_record r LEFT JOIN importer.record_asset a USING (import_id, row_number)
            WHERE import_id IN (SELECT id FROM looked_at)
            GROUP BY import_id, r.chunk_number
        ), failed AS (
            SELECT r.import_id, r.chunk_number, r.error_code AS code, count(*) AS count
            FROM importer.import_record r WHERE r.import_id IN (SELECT id FROM looked_at) AND r.error_code IS NOT NULL
                AND r.state IN ('failed', 'unknown')
            GROUP BY r.import_id, r.chunk_number, r.error_code
        ), by_host AS (
            SELECT r.import_id, r.chunk_number, importer.host_of(r.source_url) AS host, date_trunc('hour', r.finished_at, 'UTC') AS hour,
                CASE WHEN r.state = 'imported' THEN '' ELSE r.error_code END AS code, count(*) AS count
            FROM importer.import_record r WHERE r.import_id IN (SELECT id FROM looked_at) AND r.state IN ('imported', 'failed', 'unknown')
            GROUP BY 1, 2, 3, 4, 5
        )
        SELECT c.import_id, c.number
        FROM importer.import_chunk c
        LEFT JOIN counted n ON n.import_id = c.import_id AND n.chunk_number = c.number
        WHERE c.import_id IN (SELECT id FROM looked_at)
            AND ({string.Join(", ", Counted.Select(c => $"c.{c}_count"))})
                IS DISTINCT FROM ({string.Join(", ", Counted.Select(c => $"n.{c}"))})
        UNION
        SELECT c.import_id, c.number
        FROM importer.import_chunk c CROSS JOIN LATERAL unnest(c.on_wire) AS w(row_number)
        LEFT JOIN importer.import_record r ON r.import_id = c.import_id AND r.row_number = w.row_number AND r.state = 'pending'
        WHERE c.import_id IN (SELECT id FROM looked_at) AND r.row_number IS NULL
        UNION
        SELECT import_id, chunk_number
        FROM (SELECT * FROM importer.chunk_failure WHERE import_id IN (SELECT id FROM looked_at) AND count <> 0) f
        FULL JOIN failed n USING (import_id, chunk_number, code)
        WHERE f.count IS DISTINCT FROM n.count
        UNION
        SELECT import_id, chunk_number
        FROM (SELECT * FROM importer.chunk_host WHERE import_id IN (SELECT id FROM looked_at) AND count <> 0) h
        FULL JOIN (SELECT * FROM by_host WHERE host IS NOT NULL AND code IS NOT NULL) n USING (import_id, chunk_number, host, hour, code)
        WHERE h.count IS DISTINCT FROM n.count
        ORDER BY 1, 2 LIMIT 100
        """;

    /// <summary>One round. Returns the number of chunks whose counters are wrong.</summary>
    public Task<int> RunAsync(CancellationToken cancellationToken) => database.OnConnectionAsync(async connection =>
    {
        var differences = await connection.QueryLongAsync<Difference>(ReadDifferences, cancellationToken);
        foreach (var (importId, chunk) in differences) Log.CountersDiffer(log, importId, chunk);
        Measures.CountersDiffered(differences.Count);
        return differences.Count;
    }, cancellationToken);

    private sealed record Difference(int ImportId, int Number);
}
