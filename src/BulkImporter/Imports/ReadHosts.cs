using BulkImporter.Records;

namespace BulkImporter.Imports;

/// <summary>A host of which files failed.</summary>
/// <param name="Host">With its port when the addresses name one.</param>
/// <param name="Tried">Records of this host that came to an end, good or bad.</param>
/// <param name="Failed">Those of them that failed or are in doubt.</param>
/// <param name="Causes">Why, the most frequent first.</param>
/// <param name="Hours">Hours in which something of it ended, the earliest first.</param>
public sealed record HostFailures(string Host, int Tried, int Failed, IReadOnlyList<HostCause> Causes, IReadOnlyList<HostHour> Hours)
{
    /// <summary>Those of which files failed with this code, the one with the most of them first.</summary>
    internal static List<(HostFailures Host, HostCause Cause)> With(string code, IEnumerable<HostFailures> hosts) =>
    [
        .. hosts.SelectMany(h => h.Causes.Where(c => c.Code == code), (host, cause) => (host, cause))
            .OrderByDescending(h => h.cause.Count),
    ];
}

/// <param name="Code">A <see cref="FailureCode"/> as text.</param>
/// <param name="Since">When the first of them failed.</param>
public sealed record HostCause(string Code, int Count, DateTimeOffset Since);

/// <param name="Hour">Its beginning.</param>
public sealed record HostHour(DateTimeOffset Hour, int Imported, int Failed);

/// <summary>
/// From where the files come that fail, by the counters of <see cref="ChunkHost"/>: exact, and the same cost while it runs.
/// </summary>
public sealed class ReadHosts(NpgsqlDataSource database)
{
    private const string Read = """
        WITH failing AS (
            SELECT host, sum(count) AS failed FROM importer.chunk_host WHERE import_id = $1 AND code <> '' AND count > 0
            GROUP BY host ORDER BY failed DESC, host LIMIT $2
        )
        SELECT h.host, h.code, h.hour, sum(h.count)::int AS count, min(h.first_at) AS since
        FROM importer.chunk_host h JOIN failing f ON f.host = h.host
        WHERE h.import_id = $1 AND h.count > 0
        GROUP BY h.host, h.code, h.hour, f.failed
        ORDER BY f.failed DESC, h.host, h.hour
        """;

    /// <summary>Those with the most failures first.</summary>
    public async Task<IReadOnlyList<HostFailures>> FailingAsync(int importId, int limit, CancellationToken cancellationToken)
    {
        var counted = await database.QueryAsync<Counted>(Read, cancellationToken, importId, limit);
        return [.. counted.GroupBy(c => c.Host).Select(host => new HostFailures(
            host.Key,
            host.Sum(c => c.Count),
            host.Where(IsFailure).Sum(c => c.Count),
            [.. host.Where(IsFailure).GroupBy(c => c.Code)
                .Select(cause => new HostCause(cause.Key, cause.Sum(c => c.Count), cause.Min(c => c.Since)))
                .OrderByDescending(cause => cause.Count).ThenBy(cause => cause.Code, StringComparer.Ordinal)],
            [.. host.GroupBy(c => c.Hour).Select(hour => new HostHour(
                hour.Key, hour.Where(c => !IsFailure(c)).Sum(c => c.Count), hour.Where(IsFailure).Sum(c => c.Count)))]))];
    }

    private static bool IsFailure(Counted counted) => counted.Code != ChunkHost.Imported;

    private sealed record Counted(string Host, string Code, DateTimeOffset Hour, int Count, DateTimeOffset Since);
}
