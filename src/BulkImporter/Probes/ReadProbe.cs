using BulkImporter.Data;
using Microsoft.EntityFrameworkCore;

namespace BulkImporter.Probes;

/// <summary>How far an import's latest probe is.</summary>
public sealed class ReadProbe(IDbContextFactory<ImporterDb> contexts)
{
    /// <summary>One file that cannot be had says little about its host, three in three say a lot.</summary>
    private const int LeastChecked = 3;

    private const int MostDarkHosts = 20;

    /// <summary>Null when the import was never probed, or was read again since.</summary>
    public async Task<ProbeView?> FindAsync(int importId, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        return await db.Set<Probe>().Where(p => p.ImportId == importId)
            .Select(p => new ProbeView(p.State, p.Sample, p.TotalCount, p.ProbedCount, p.ProblemCount, p.StartedAt, p.FinishedAt,
                db.Set<ProbeHost>().Where(h => h.ImportId == importId && h.ProbedCount >= LeastChecked && h.ProblemCount == h.ProbedCount)
                    .OrderByDescending(h => h.ProbedCount).ThenBy(h => h.Host).Take(MostDarkHosts)
                    .Select(h => new DarkHost(h.Host, h.ProbedCount)).ToList()))
            .SingleOrDefaultAsync(cancellationToken);
    }
}
