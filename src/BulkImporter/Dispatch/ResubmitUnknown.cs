using BulkImporter.Records;
using BulkImporter.Telemetry;

namespace BulkImporter.Dispatch;

/// <summary>
/// Carries out the setting <c>when unknown: resubmit</c>, after the remote side was looked through for the assets: what can be adopted need
/// not be sent. Imports that hold their unknown records are left to a person.
/// </summary>
public sealed class ResubmitUnknown(
    NpgsqlDataSource database, RecordTransitions transitions, IOptions<WorkOptions> options, ILogger<ResubmitUnknown> log)
{
    /// <summary>How many times as long a record waits that nobody can look for.</summary>
    private const int Unlooked = 6;

    private const string ReadImportsInDoubt = """
        SELECT i.id FROM importer.import i
        WHERE i.state = 'running' AND i.when_unknown = 'resubmit'
            AND EXISTS (SELECT 1 FROM importer.import_chunk c WHERE c.import_id = i.id AND c.unknown_count > 0)
        ORDER BY i.id
        """;

    /// <summary>One round. Returns the number of records that will be sent again.</summary>
    public async Task<int> RunAsync(CancellationToken cancellationToken)
    {
        var total = 0;
        var imports = await database.QueryAsync<int>(ReadImportsInDoubt, cancellationToken);
        await EachItem.RunAsync(imports, id => $"import {id}", async importId =>
        {
            var count = await transitions.ResubmittedAsync(importId, options.Value.LookAfter * Unlooked, cancellationToken);
            if (count > 0) Log.UnknownResubmitted(log, importId, count);
            total += count;
        }, cancellationToken);
        return total;
    }
}
