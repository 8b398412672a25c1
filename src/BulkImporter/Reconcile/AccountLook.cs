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

    /// <summary>
    /// Since when every look has failed; null when the last one worked. Looks that were given up, because the process ends or the account
    /// may not be called, do not count, and after a time in which nobody looked it begins anew.
    /// </summary>
    public DateTimeOffset? FailingSince { get; set; }

    /// <summary>Why the last one failed, for people; null when it worked, and while somebody looks.</summary>
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
