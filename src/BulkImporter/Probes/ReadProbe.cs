using BulkImporter.Data;
using Microsoft.EntityFrameworkCore;

namespace BulkImporter.Probes;

/// <summary>How far an import's latest probe is.</summary>
public sealed class ReadProbe(IDbContextFactory<ImporterDb> contexts)
{
    /// <summary>Null when the import was never probed, or was read again since.</summary>
    public async Task<ProbeView?> FindAsync(int importId, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        return await db.Set<Probe>().Where(p => p.ImportId == importId)
            .Select(p => new ProbeView(p.State, p.Sample, p.TotalCount, p.ProbedCount, p.ProblemCount, p.StartedAt, p.FinishedAt))
            .SingleOrDefaultAsync(cancellationToken);
    }
}
