using BulkImporter.Imports;

namespace BulkImporter.Probes;

/// <summary>
/// The latest probe of an import: how far it is. What it found are findings. The row is the outbox of its Hangfire job, too.
/// </summary>
public sealed class Probe
{
    public required int ImportId { get; init; }

    /// <summary>
    /// <c>running</c>, <c>finished</c>, or <c>stopped</c>: the import left review, or the account's source headers cannot be decrypted.
    /// </summary>
    public required string State { get; init; }

    /// <summary>Sources that were asked for at most; null = all.</summary>
    public int? Sample { get; init; }

    /// <summary>Every how many-th record is taken, by a hash of its row, so that a sample is spread over the file.</summary>
    public required int Step { get; init; }

    public required int TotalCount { get; init; }
    public required int ProbedCount { get; init; }
    public required int ProblemCount { get; init; }

    /// <summary>The row up to which sources were asked: a job that died is gone on with from here.</summary>
    public required int LastRow { get; init; }

    /// <summary>Counts the jobs that were enqueued for it; only the latest one's writes count.</summary>
    public required int Run { get; init; }

    /// <summary>When its job was enqueued, or last gave a sign of life; null while none was.</summary>
    public DateTimeOffset? QueuedAt { get; init; }

    public required DateTimeOffset StartedAt { get; init; }
    public DateTimeOffset? FinishedAt { get; init; }

    public sealed class Configuration : IEntityTypeConfiguration<Probe>
    {
        public void Configure(EntityTypeBuilder<Probe> entity)
        {
            entity.ToTable("probe", t => t.HasCheckConstraint("probe_state_is_known", "state IN ('running', 'finished', 'stopped')"));
            entity.HasKey(p => p.ImportId);
            entity.Property(p => p.ImportId).ValueGeneratedNever();
            entity.HasOne<Import>().WithMany().HasForeignKey(p => p.ImportId).OnDelete(DeleteBehavior.Cascade);
        }
    }
}

/// <summary>What the latest probe found of one host's files.</summary>
public sealed class ProbeHost
{
    public required int ImportId { get; init; }

    /// <summary>With its port when the addresses name one, as <c>importer.host_of</c> cuts it out.</summary>
    public required string Host { get; init; }

    public required int ProbedCount { get; init; }
    public required int ProblemCount { get; init; }

    public sealed class Configuration : IEntityTypeConfiguration<ProbeHost>
    {
        public void Configure(EntityTypeBuilder<ProbeHost> entity)
        {
            entity.ToTable("probe_host");
            entity.HasKey(h => new { h.ImportId, h.Host });
            entity.HasOne<Probe>().WithMany().HasForeignKey(h => h.ImportId).OnDelete(DeleteBehavior.Cascade);
        }
    }
}

/// <summary>A probe as every door shows it.</summary>
/// <param name="State"><c>running</c>, <c>finished</c>, or <c>stopped</c>: the import left review, or the account's source headers cannot
/// be decrypted.</param>
/// <param name="Total">Sources that are, or will be, asked.</param>
/// <param name="Problems">Those with a problem; the findings say which.</param>
/// <param name="DarkHosts">Hosts of which several files were asked for and every one has a problem.</param>
public sealed record ProbeView(
    string State, int? Sample, int Total, int Probed, int Problems, DateTimeOffset StartedAt, DateTimeOffset? FinishedAt,
    IReadOnlyList<DarkHost> DarkHosts);

/// <param name="Checked">Files of it that were asked for; all of them have a problem.</param>
public sealed record DarkHost(string Host, int Checked);

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
