using BulkImporter.Records;

namespace BulkImporter.Imports;

[StoredAsText]
public enum ChunkState
{
    /// <summary>In nobody's hands. Due at <see cref="Chunk.DueAt"/>; never, when that is null.</summary>
    Waiting,

    /// <summary>Handed to Hangfire. A job takes the lease; if none does for a while, the feeder enqueues it again.</summary>
    Queued,

    /// <summary>A worker holds the lease. When it runs out, the rescue takes the chunk back.</summary>
    Running,
}

/// <summary>
/// A contiguous key range of an import's records: the unit of a Hangfire job, the outbox entry that the feeder enqueues,
/// and the holder of its records' counters. The counters are written by the database triggers <c>count_record_states</c> and
/// <c>count_arrivals</c> in the same statement that changes a record or what is known of its asset, so they are exact at every commit;
/// those of its failures by code stand in <see cref="ChunkFailure"/>.
/// </summary>
public sealed class Chunk
{
    /// <summary>What a chunk counts, each in a column (<c>pending_count</c>): states of records, and arrivals of assets.</summary>
    internal static readonly IReadOnlyList<string> States = EnumText<RecordState>.All;

    internal static readonly string[] Differences = ["size_differs", "duration_differs", "md5_differs"];

    internal static readonly string[] Arrivals = ["verified", .. Differences];

    public required int ImportId { get; init; }
    public required int Number { get; init; }
    public required int FirstRow { get; init; }
    public required int LastRow { get; init; }
    public ChunkState State { get; set; } = ChunkState.Waiting;

    /// <summary>
    /// The earliest time at which one of its records is due; null when none can become due. Kept by the trigger and by the release of the
    /// lease.
    /// </summary>
    public DateTimeOffset? DueAt { get; set; }

    public DateTimeOffset? QueuedAt { get; set; }

    public string? LeaseOwner { get; set; }
    public Guid? LeaseToken { get; set; }
    public DateTimeOffset? LeaseUntil { get; set; }

    /// <summary>Calls in flight that the lease allows; the sum over an account's leases stays within its limit.</summary>
    public int LeaseWindow { get; set; }

    /// <summary>Counts the leases of this chunk.</summary>
    public long Fence { get; set; }

    /// <summary>
    /// Row numbers of the records that may be on the wire: their intent is committed, their answer is not. Until it is, this is all that is
    /// written of it: the record itself is pending in its table, and <c>submitting</c> to everybody who reads (the view <c>record_now</c>).
    /// Empty without a lease.
    /// </summary>
    public int[] OnWire { get; set; } = [];

    /// <summary>Since when each of <see cref="OnWire"/> may be there.</summary>
    public DateTimeOffset[] OnWireSince { get; set; } = [];

    /// <summary>
    /// Hosts that waited when the chunk was last given back, and for which rows of it were set aside. Others of its rows were sent.
    /// </summary>
    public string[] WaitsFor { get; set; } = [];

    /// <summary>How many rows were set aside for each of <see cref="WaitsFor"/>.</summary>
    public int[] WaitsForCount { get; set; } = [];

    /// <summary>Records that are pending in their table: not sent, or on the wire.</summary>
    public int UnansweredCount { get; set; }

    public int PendingCount { get; private set; }
    public int SubmittingCount { get; private set; }
    public int SubmittedCount { get; set; }
    public int ImportedCount { get; set; }
    public int FailedCount { get; set; }
    public int UnknownCount { get; set; }
    public int CancelledCount { get; set; }
    public int InvalidCount { get; set; }
    public int DuplicateCount { get; set; }
    public int DeletedCount { get; set; }

    /// <summary>Assets of its records by their <see cref="Arrival"/>; those that cannot be compared are not counted.</summary>
    public int VerifiedCount { get; set; }

    public int SizeDiffersCount { get; set; }
    public int DurationDiffersCount { get; set; }
    public int Md5DiffersCount { get; set; }

    /// <summary>The sums of counters over some chunks, as columns that are called as what they count.</summary>
    internal static string Sums(IEnumerable<string> counted) =>
        string.Join(", ", counted.Select(c => $"coalesce(sum({c}_count), 0)::int AS {c}"));

    public sealed class Configuration : IEntityTypeConfiguration<Chunk>
    {
        public void Configure(EntityTypeBuilder<Chunk> entity)
        {
            entity.ToTable("import_chunk", t =>
            {
                t.HasCheckConstraint("chunk_state_is_known", EnumText<ChunkState>.Check("state"));
                t.HasCheckConstraint("chunk_leased_iff_running",
                    "(state = 'running') = (lease_token IS NOT NULL) AND (lease_token IS NULL) = (lease_until IS NULL) AND (lease_token "
                        + "IS NULL) = (lease_owner IS NULL)");
                t.HasCheckConstraint("chunk_counts_are_not_negative",
                    string.Join(" AND ", States.Concat(Arrivals).Select(c => $"{c}_count >= 0")));
                t.HasCheckConstraint("chunk_counts_sum_to_its_rows",
                    $"{string.Join(" + ", States.Select(c => $"{c}_count"))} = last_row - first_row + 1");
            });
            entity.HasKey(c => new { c.ImportId, c.Number });
            entity.Property(c => c.DeletedCount).HasDefaultValue(0);
            entity.Property(c => c.VerifiedCount).HasDefaultValue(0);
            entity.Property(c => c.SizeDiffersCount).HasDefaultValue(0);
            entity.Property(c => c.DurationDiffersCount).HasDefaultValue(0);
            entity.Property(c => c.Md5DiffersCount).HasColumnName("md5_differs_count").HasDefaultValue(0);
            entity.Property(c => c.OnWire).HasDefaultValueSql("'{}'");
            entity.Property(c => c.OnWireSince).HasDefaultValueSql("'{}'");
            entity.Property(c => c.WaitsFor).HasDefaultValueSql("'{}'");
            entity.Property(c => c.WaitsForCount).HasDefaultValueSql("'{}'");
            entity.Property(c => c.PendingCount).HasComputedColumnSql("unanswered_count - cardinality(on_wire)", stored: true);
            entity.Property(c => c.SubmittingCount).HasComputedColumnSql("cardinality(on_wire)", stored: true);
            // They stay small: the chunks at work, the chunks that wait for their time, and those that wait for a host.
            entity.HasIndex(c => new { c.ImportId, c.Number }, "chunk_at_work").HasFilter("state <> 'waiting'");
            entity.HasIndex(c => new { c.ImportId, c.DueAt }, "chunk_due").HasFilter("due_at IS NOT NULL");
            entity.HasIndex(c => new { c.ImportId, c.Number }, "chunk_waits_for_host").HasFilter("waits_for <> '{}'");
            entity.HasStorageParameter("fillfactor", 40);
            entity.HasStorageParameter("autovacuum_vacuum_scale_factor", 0.05);
        }
    }
}
