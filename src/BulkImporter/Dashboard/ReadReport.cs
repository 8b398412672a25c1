using BulkImporter.Imports;

namespace BulkImporter.Dashboard;

/// <summary>What a report tells of an import.</summary>
/// <param name="HighestRate">Records at their end per second, over a ninetieth of the time; null when it was too short to say.</param>
public sealed record ImportReport(ImportView Import, IReadOnlyList<HostFailures> Hosts, double? HighestRate, DateTimeOffset WrittenAt)
{
    /// <summary>From start to end, or until now; null when it was not started.</summary>
    public TimeSpan? Duration => Import.StartedAt is { } started ? (Import.FinishedAt ?? WrittenAt) - started : null;

    /// <summary>Records that came to their end per second, from start to end; null when that says nothing.</summary>
    public double? MeanRate => Duration is { TotalSeconds: > 0 } time ? Import.Counts.Ended / time.TotalSeconds : null;
}

public sealed class ReadReport(ReadImports imports, ReadHosts hosts, TimeProvider clock)
{
    private const int RatePoints = 90;
    private const int MostHosts = 100;

    /// <summary>Null when there is no such import.</summary>
    public async Task<ImportReport?> FindAsync(int importId, CancellationToken cancellationToken)
    {
        if (await imports.FindAsync(importId, cancellationToken) is not { } import) return null;
        var rates = await imports.RatesAsync(importId, RatePoints, cancellationToken);
        return new(import, await hosts.FailingAsync(importId, MostHosts, cancellationToken),
            rates.Count == 0 ? null : rates.Max(r => r.FinishedPerSecond), clock.GetUtcNow());
    }
}
