using BulkImporter.Access;
using BulkImporter.Records;

namespace BulkImporter.Accounts;

[StoredAsText]
public enum AccountState
{
    /// <summary>Calls may be made.</summary>
    Active,

    /// <summary>
    /// No call is made until a person resumes it or replaces the token: the credential was rejected or the quota is used up.
    /// </summary>
    Suspended,
}

/// <summary>How <c>upload_from_url</c> is called for an account.</summary>
[StoredAsText]
public enum VerbSetting
{
    /// <summary>GET, as every client that was seen to work calls it (3P S11); POST as soon as GET is answered 405.</summary>
    Auto,
    Get,
    Post,
}

/// <summary>A Cincopa account that imports run for: where to call, as whom, and how hard.</summary>
public sealed class Account : IAudited
{
    public int Id { get; private set; }
    public required string Name { get; set; }
    public required string BaseUrl { get; set; }

    /// <summary>
    /// The API token under ASP.NET Data Protection; never leaves the process in clear except as the remote call's query argument.
    /// </summary>
    public required string TokenProtected { get; set; }

    public AccountState State { get; set; } = AccountState.Active;

    /// <summary>Why the account is suspended, for people.</summary>
    public string? Reason { get; set; }

    /// <summary>How submit calls are made, as a person set it. Default auto.</summary>
    public VerbSetting SubmitVerb { get; set; }

    /// <summary>How they are made now: with auto it changes when Cincopa refuses the first calls by it.</summary>
    public Cincopa.Client.SubmitVerb VerbInUse { get; set; }

    /// <summary>
    /// When Cincopa first accepted a submit call of this account, at this address and by this verb; null = not yet. Until then a 405, or a
    /// reply that is not the API's, is the account's trouble and not the row's.
    /// </summary>
    public DateTimeOffset? FirstAcceptedAt { get; set; }

    /// <summary>What Cincopa last said that the token may do, as <c>asset.read|gallery.*</c>; null when it has not said.</summary>
    public string? Permissions { get; set; }

    /// <summary>
    /// Calls in a row that were rejected for the credential, or whose replies were not the API's, since the last accepted one; the third
    /// suspends the account.
    /// </summary>
    public int RejectedInARow { get; set; }

    public AccountLimits Limits { get; set; } = new();

    /// <summary>Where its assets play.</summary>
    public PlayerSettings Player { get; set; } = new();

    public DateTimeOffset CreatedAt { get; init; }

    /// <summary>
    /// The account's version: with each order and suspension it is another. Whoever changes an account says which one he saw.
    /// </summary>
    public DateTimeOffset UpdatedAt { get; set; }

    /// <summary>Calls may be made again.</summary>
    internal void Activate() => (State, Reason, RejectedInARow) = (AccountState.Active, null, 0);

    internal static Task<int?> IdAsync(ImporterDb db, string name, CancellationToken cancellationToken) =>
        db.Set<Account>().Where(a => a.Name == name).Select(a => (int?)a.Id).SingleOrDefaultAsync(cancellationToken);

    public sealed class Configuration : IEntityTypeConfiguration<Account>
    {
        public void Configure(EntityTypeBuilder<Account> entity)
        {
            entity.ToTable("account", t =>
            {
                t.HasCheckConstraint("account_state_is_known", EnumText<AccountState>.Check("state"));
                t.HasCheckConstraint("account_verbs_are_known",
                    $"{EnumText<VerbSetting>.Check("submit_verb")} AND {EnumText<Cincopa.Client.SubmitVerb>.Check("verb_in_use")}");
                t.HasCheckConstraint("account_limits_are_not_negative",
                    "submit_rate >= 0 AND status_rate >= 0 AND max_in_flight >= 0 AND per_host_limit >= 0 AND backlog_limit >= 0");
            });
            entity.HasKey(a => a.Id);
            entity.HasIndex(a => a.Name).IsUnique();
            entity.ComplexProperty(a => a.Limits, AccountLimits.Configure);
            entity.ComplexProperty(a => a.Player, PlayerSettings.Configure);
            entity.Property(a => a.UpdatedAt).IsConcurrencyToken();
            entity.Property(a => a.SubmitVerb).HasDefaultValue(VerbSetting.Auto);
            entity.Property(a => a.VerbInUse).HasConversion<EnumTextConverter<Cincopa.Client.SubmitVerb>>()
                .HasDefaultValue(Cincopa.Client.SubmitVerb.Get);
        }
    }
}
