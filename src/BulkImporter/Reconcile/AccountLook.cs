using BulkImporter.Accounts;

namespace BulkImporter.Reconcile;

/// <summary>The looking through one account's assets: whose turn it is, and why it did not work the last time.</summary>
public sealed class AccountLook
{
    public required int AccountId { get; init; }

    /// <summary>
    /// Nobody looks before this time. A worker that looks keeps moving it ahead, so that a dead one's claim simply runs out.
    /// </summary>
    public required DateTimeOffset NextAt { get; set; }

    /// <summary>When the assets were last looked through to the end.</summary>
    public DateTimeOffset? LookedAt { get; set; }

    public int FailedInARow { get; set; }

    /// <summary>Why the last one did not work, for people; null when it did.</summary>
    public string? Problem { get; set; }

    public sealed class Configuration : IEntityTypeConfiguration<AccountLook>
    {
        public void Configure(EntityTypeBuilder<AccountLook> entity)
        {
            entity.ToTable("reconcile_look");
            entity.HasKey(l => l.AccountId);
            entity.Property(l => l.AccountId).ValueGeneratedNever();
            entity.HasOne<Account>().WithMany().HasForeignKey(l => l.AccountId).OnDelete(DeleteBehavior.Cascade);
        }
    }
}
