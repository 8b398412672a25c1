using BulkImporter.Data;
using Microsoft.Extensions.Options;
using Npgsql;

namespace BulkImporter.Manifests;

/// <summary>Removes uploads that broke and manifests that no import came to refer to.</summary>
public sealed class SweepManifests(NpgsqlDataSource database, IOptions<ManifestOptions> options)
{
    private const string Sweep = """
        DELETE FROM importer.manifest m
        WHERE coalesce(m.received_at, m.created_at) < now() - $1::interval
            AND NOT EXISTS (SELECT 1 FROM importer.import i WHERE i.manifest_id = m.id)
        """;

    /// <summary>Answers how many were removed.</summary>
    public Task<int> RunAsync(CancellationToken cancellationToken) =>
        database.ExecuteAsync(Sweep, cancellationToken, options.Value.KeepUnused);
}
