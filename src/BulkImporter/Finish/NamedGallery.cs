using BulkImporter.Accounts;

namespace BulkImporter.Finish;

/// <summary>A gallery that a manifest names: looked for once, made once, whoever needs it.</summary>
public sealed class NamedGallery
{
    public required int AccountId { get; init; }
    public required string Name { get; init; }

    /// <summary>Null until it is known.</summary>
    public string? Fid { get; set; }

    /// <summary>Until then one worker looks for it or makes it; the others come again later.</summary>
    public required DateTimeOffset ClaimedUntil { get; set; }

    public sealed class Configuration : IEntityTypeConfiguration<NamedGallery>
    {
        public void Configure(EntityTypeBuilder<NamedGallery> entity)
        {
            entity.ToTable("named_gallery");
            entity.HasKey(g => new { g.AccountId, g.Name });
            entity.HasOne<Account>().WithMany().HasForeignKey(g => g.AccountId).OnDelete(DeleteBehavior.Cascade);
        }
    }
}
