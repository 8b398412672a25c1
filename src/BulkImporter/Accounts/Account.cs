using BulkImporter.Data;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace BulkImporter.Accounts;

[StoredAsText]
public enum AccountState
{
    /// <summary>Calls may be made.</summary>
    Active,

    /// <summary>No call is made until a person resumes it or replaces the token: the credential was rejected or the quota is used up.</summary>
    Suspended,
}

/// <summary>A Cincopa account that imports run for: where to call, as whom, and how hard.</summary>
public sealed class Account
{
    public int Id { get; private set; }
    public required string Name { get; set; }
    public required string BaseUrl { get; set; }

    /// <summary>The API token under ASP.NET Data Protection; never leaves the process in clear except as the remote call's query argument.</summary>
    public required string TokenProtected { get; set; }

    public AccountState State { get; set; } = AccountState.Active;

    /// <summary>Why the account is suspended, for people.</summary>
    public string? Reason { get; set; }

    /// <summary>Credentials rejected since the last accepted call; the third suspends the account.</summary>
    public int RejectedInARow { get; set; }

    /// <summary>Submit calls per second over all workers; 0 = no limit.</summary>
    public double SubmitRate { get; set; }

    /// <summary>Status calls per second over all workers; 0 = no limit.</summary>
    public double StatusRate { get; set; }

    /// <summary>Submit calls in flight over all workers; 0 = no limit. The default is small: no limit is published (UNK).</summary>
    public int MaxInFlight { get; set; } = 5;

    /// <summary>Records accepted by Cincopa and not finished at any time; 0 = no limit.</summary>
    public int BacklogLimit { get; set; } = 1000;

    public DateTimeOffset CreatedAt { get; init; }
    public DateTimeOffset UpdatedAt { get; set; }

    public sealed class Configuration : IEntityTypeConfiguration<Account>
    {
        public void Configure(EntityTypeBuilder<Account> entity)
        {
            entity.ToTable("account", t =>
            {
                t.HasCheckConstraint("account_state_is_known", EnumText<AccountState>.Check("state"));
                t.HasCheckConstraint("account_limits_are_not_negative", "submit_rate >= 0 AND status_rate >= 0 AND max_in_flight >= 0 AND backlog_limit >= 0");
            });
            entity.HasKey(a => a.Id);
            entity.HasIndex(a => a.Name).IsUnique();
        }
    }
}
