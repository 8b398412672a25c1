using BulkImporter.Data;
using Npgsql;

namespace BulkImporter.Probes;

/// <summary>How far an import's latest probe is.</summary>
public sealed class ReadProbe(NpgsqlDataSource database)
{
    private const string Find = """
        SELECT state, sample, total_count, probed_count, problem_count, started_at, finished_at FROM importer.probe WHERE import_id = $1
        """;

    /// <summary>Null when the import was never probed, or was read again since.</summary>
    public async Task<ProbeView?> FindAsync(int importId, CancellationToken cancellationToken) =>
        (await database.QueryAsync(Find, r => new ProbeView(
            r.GetString(0), r.IsDBNull(1) ? null : r.GetInt32(1), r.GetInt32(2), r.GetInt32(3), r.GetInt32(4),
            r.GetFieldValue<DateTimeOffset>(5), r.IsDBNull(6) ? null : r.GetFieldValue<DateTimeOffset>(6)), cancellationToken, importId)).FirstOrDefault();
}
