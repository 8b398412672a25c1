namespace BulkImporter.Accounts;

[StoredAsText]
public enum CallKind
{
    Submit,
    Status,
}

/// <summary>
/// What all workers together may still call, one row per account and kind: the start time of the next free permit, how long the
/// remote side asked everyone to stay away, and how many records may still join the remote backlog. Apart from <see cref="Account"/>
/// because it changes with every wave of calls.
/// </summary>
public sealed class CallBudget
{
    public int AccountId { get; private set; }
    public required Account Account { get; init; }
    public required CallKind Kind { get; init; }

    /// <summary>Start time of the next permit that nobody holds, by the database clock.</summary>
    public DateTimeOffset NextAt { get; set; }

    /// <summary>Nobody calls before this time: a 429, a Retry-After, or a remote side that cannot be reached.</summary>
    public DateTimeOffset? BlockedUntil { get; set; }

    /// <summary>Why, for people.</summary>
    public string? BlockedReason { get; set; }

    /// <summary>Blocks in a row without a call that worked between them; the wait doubles with each.</summary>
    public int BlocksInARow { get; set; }

    /// <summary>
    /// Records that may still be submitted before the backlog limit is met; recomputed from the counters every second. Null = no limit.
    /// </summary>
    public int? BacklogRoom { get; set; }

    /// <summary>How much may still join the remote backlog, counted under the lock of the row that hands it out.</summary>
    internal const string MeasureBacklog = """
        WITH budget AS (
            SELECT account_id FROM importer.call_budget WHERE kind = 'submit' ORDER BY account_id FOR NO KEY UPDATE
        ), outstanding AS (
            SELECT a.id, a.backlog_limit, coalesce(sum(c.submitting_count + c.submitted_count), 0)::int AS count
            FROM importer.account a
            LEFT JOIN importer.import i ON i.account_id = a.id AND i.state IN ('running', 'paused', 'cancelled')
            LEFT JOIN importer.import_chunk c ON c.import_id = i.id AND c.submitting_count + c.submitted_count > 0
            GROUP BY a.id
        )
        UPDATE importer.call_budget b
        SET backlog_room = CASE WHEN o.backlog_limit > 0 THEN GREATEST(0, o.backlog_limit - o.count) END
        FROM outstanding o JOIN budget ON budget.account_id = o.id
        WHERE b.account_id = o.id AND b.kind = 'submit'
            AND b.backlog_room IS DISTINCT FROM CASE WHEN o.backlog_limit > 0 THEN GREATEST(0, o.backlog_limit - o.count) END
        """;

    /// <summary>The two of a new account, from which calls may be made at once.</summary>
    internal static CallBudget[] Of(Account account) =>
    [
        new() { Account = account, Kind = CallKind.Submit, NextAt = DateTimeOffset.UnixEpoch, BacklogRoom = account.Limits.Backlog == 0
            ? null : account.Limits.Backlog },
        new() { Account = account, Kind = CallKind.Status, NextAt = DateTimeOffset.UnixEpoch },
    ];

    public sealed class Configuration : IEntityTypeConfiguration<CallBudget>
    {
        public void Configure(EntityTypeBuilder<CallBudget> entity)
        {
            entity.ToTable("call_budget", t => t.HasCheckConstraint("call_budget_kind_is_known", EnumText<CallKind>.Check("kind")));
            entity.HasKey(b => new { b.AccountId, b.Kind });
            entity.HasOne(b => b.Account).WithMany().HasForeignKey(b => b.AccountId).OnDelete(DeleteBehavior.Cascade);
            entity.HasStorageParameter("fillfactor", 20);
        }
    }
}
