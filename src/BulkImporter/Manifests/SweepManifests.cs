using BulkImporter.Telemetry;

namespace BulkImporter.Manifests;

/// <summary>Removes uploads that broke and manifests that no import came to refer to.</summary>
public sealed class SweepManifests(NpgsqlDataSource database)
{
    /// <summary>
    /// How long an upload that broke, or a manifest that no import refers to, is kept: a person may still be looking at its preview.
    /// </summary>
    internal static readonly TimeSpan KeepUnused = TimeSpan.FromDays(1);

    private const string Unused = """
        SELECT m.id FROM importer.manifest m
        WHERE coalesce(m.received_at, m.created_at) < now() - $1::interval
            AND NOT EXISTS (SELECT 1 FROM importer.import i WHERE i.manifest_id = m.id)
        """;

    // An import may have come to refer to it meanwhile.
    private const string Remove =
        "DELETE FROM importer.manifest m WHERE m.id = $1 AND NOT EXISTS (SELECT 1 FROM importer.import i WHERE i.manifest_id = m.id)";

    /// <summary>Returns how many were removed.</summary>
    public async Task<int> RunAsync(CancellationToken cancellationToken)
    {
        var removed = 0;
        var unused = await database.QueryAsync<int>(Unused, cancellationToken, KeepUnused);
        await EachItem.RunAsync(unused, id => $"manifest {id}", async id =>
            removed += await database.ExecuteAsync(Remove, cancellationToken, id), cancellationToken);
        return removed;
    }
}
