using BulkImporter.Data;
using BulkImporter.Records;
using BulkImporter.Telemetry;
using Npgsql;

namespace BulkImporter.Dispatch;

/// <summary>Takes back the chunks of workers that died or lost touch: what they were sending becomes unknown, the rest is due again.</summary>
public sealed class RescueLeases(NpgsqlDataSource database, RecordTransitions transitions, ILogger<RescueLeases> log)
{
    private const string ReadExpired = """
        SELECT import_id, number FROM importer.import_chunk WHERE state = 'running' AND lease_until < now() ORDER BY import_id, number LIMIT 100
        """;

    /// <summary>One round. Answers the number of chunks taken back.</summary>
    public async Task<int> RunAsync(CancellationToken cancellationToken)
    {
        var rescued = 0;
        foreach (var (importId, number) in await database.QueryAsync(ReadExpired, r => (r.GetInt32(0), r.GetInt32(1)), cancellationToken))
        {
            if (await transitions.RescuedAsync(importId, number, cancellationToken) is not { } inDoubt) continue;
            rescued++;
            Log.LeaseRescued(log, importId, number, inDoubt);
            Measures.LeaseRescued(inDoubt);
        }
        return rescued;
    }
}
