using BulkImporter.Access;
using BulkImporter.Sources;

namespace BulkImporter.Accounts;

/// <summary>A request header that is sent to one host of an account's sources, for media behind a login.</summary>
public sealed class SourceHeader : IAudited
{
    public required int AccountId { get; init; }
    public Account Account { get; private set; } = null!;

    /// <summary>
    /// Where it goes, and nowhere else, as <see cref="SecretHeader.PlaceOf"/> writes it: host and port over https, or after <c>http://</c>
    /// in clear.
    /// </summary>
    public required string Host { get; init; }

    /// <summary>For example <c>Authorization</c>. Case does not count.</summary>
    public required string Name { get; init; }

    /// <summary>Under ASP.NET Data Protection: it is a credential as a rule.</summary>
    public required string ValueProtected { get; set; }

    public DateTimeOffset UpdatedAt { get; set; }

    public sealed class Configuration : IEntityTypeConfiguration<SourceHeader>
    {
        public void Configure(EntityTypeBuilder<SourceHeader> entity)
        {
            entity.ToTable("source_header");
            entity.HasKey(h => new { h.AccountId, h.Host, h.Name });
            entity.HasOne(h => h.Account).WithMany().HasForeignKey(h => h.AccountId).OnDelete(DeleteBehavior.Cascade);
        }
    }
}
