namespace BulkImporter.Status;

/// <summary>
/// A submitted record whose end is still to be learned. Narrow, because it is rewritten with every poll; gone when the record ends.
/// </summary>
public sealed class StatusPoll
{
    public required int ImportId { get; init; }
    public required int RowNumber { get; init; }

    /// <summary>The attempt that was accepted.</summary>
    public required short Attempt { get; init; }

    public required int AccountId { get; init; }
    public required string StatusId { get; init; }
    public required DateTimeOffset SubmittedAt { get; init; }

    /// <summary>
    /// When to ask next. A poller that claims the row moves this ahead first, so that a dead poller's claim simply runs out.
    /// </summary>
    public required DateTimeOffset NextPollAt { get; set; }

    public short? ProgressPercent { get; set; }
    public long? ProgressBytes { get; set; }
    public long? TotalBytes { get; set; }

    /// <summary>When the progress last changed; the stall timer counts from here.</summary>
    public required DateTimeOffset MovedAt { get; set; }

    /// <summary>
    /// Since when the status call has found nothing to name: it does not know this ticket, or says that it is done and names no asset.
    /// </summary>
    public DateTimeOffset? NotFoundSince { get; set; }

    /// <summary>
    /// When to ask Cincopa (again) to abort it, where that was ordered; moved ahead by whoever asks. Null before the first time.
    /// </summary>
    public DateTimeOffset? NextAbortAt { get; set; }

    /// <summary>What Cincopa said to that order; goes to the attempt when that is over.</summary>
    public string? Note { get; set; }

    /// <summary>When Cincopa answered the order to abort; the status is still what tells the end.</summary>
    public DateTimeOffset? AbortAnsweredAt { get; set; }

    public sealed class Configuration : IEntityTypeConfiguration<StatusPoll>
    {
        public void Configure(EntityTypeBuilder<StatusPoll> entity)
        {
            entity.ToTable("status_poll");
            entity.HasKey(p => new { p.ImportId, p.RowNumber });
            entity.HasIndex(p => new { p.AccountId, p.NextPollAt });
            entity.HasStorageParameter("fillfactor", 60);
            entity.HasStorageParameter("autovacuum_vacuum_scale_factor", 0.02);
            entity.HasStorageParameter("autovacuum_vacuum_cost_delay", 0);
        }
    }
}
