using BulkImporter.Records;
using BulkImporter.Telemetry;

namespace BulkImporter.Dispatch;

/// <summary>
/// Takes back the chunks of workers that died or lost touch: what they were sending becomes unknown, the rest is due again.
/// </summary>
public sealed class RescueLeases(NpgsqlDataSource database, RecordTransitions transitions, ILogger<RescueLeases> log)
{
    private const string ReadExpired = """
        SELECT import_id, number FROM importer.import_chunk WHERE state = 'running' AND lease_until < now() ORDER BY import_id, number
            LIMIT 100
        """;

    /// <summary>One round. Returns the number of chunks taken back.</summary>
    public async Task<int> RunAsync(CancellationToken cancellationToken)
    {
        var rescued = 0;
        var expired = await database.QueryAsync<ExpiredLease>(ReadExpired, cancellationToken);
        await EachItem.RunAsync(expired, c => $"import {c.ImportId} chunk {c.Number}", async chunk =>
        {
            if (await transitions.RescuedAsync(chunk.ImportId, chunk.Number, cancellationToken) is not { } inDoubt) return;
            rescued++;
            Log.LeaseRescued(log, chunk.ImportId, chunk.Number, inDoubt);
            Measures.LeaseRescued(inDoubt);
        }, cancellationToken);
        return rescued;
    }

    private sealed record ExpiredLease(int ImportId, int Number);
}
