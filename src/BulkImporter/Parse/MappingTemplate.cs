using BulkImporter.Access;
using BulkImporter.Accounts;
using BulkImporter.Manifests;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace BulkImporter.Parse;

/// <summary>
/// A column mapping that is kept for an account under a name, with the header that it was made for. A manifest of the account with the same
/// header, for which nobody names a mapping, is read by it.
/// </summary>
public sealed class MappingTemplate : IAudited
{
    public int Id { get; private set; }
    public required int AccountId { get; init; }
    public Account Account { get; private set; } = null!;
    public required string Name { get; set; }

    /// <summary>The header's names in their order, as the file had them.</summary>
    public string[] Columns { get; set; } = [];

    /// <summary>
    /// The header as one text in which case, the kind of white space and what nobody sees do not count: what is compared.
    /// </summary>
    public string Header { get; set; } = "";

    /// <summary><c>url=OriginalURL,caption=Title</c>.</summary>
    public string Mapping { get; set; } = "";

    public string CreatedBy { get; set; } = "";
    public DateTimeOffset CreatedAt { get; set; }

    /// <summary>
    /// The form in which two headers are compared. The names' order counts: a mapping names columns, but a person who sees another order
    /// expects another file.
    /// </summary>
    internal static string HeaderOf(IEnumerable<string> columns) =>
        string.Join('\n', columns.Select(c => ManifestFormat.Plain(c).ToLowerInvariant()));

    public sealed class Configuration : IEntityTypeConfiguration<MappingTemplate>
    {
        public void Configure(EntityTypeBuilder<MappingTemplate> entity)
        {
            entity.ToTable("mapping_template");
            entity.HasKey(t => t.Id);
            entity.HasIndex(t => new { t.AccountId, t.Name }).IsUnique();
            entity.HasOne(t => t.Account).WithMany().HasForeignKey(t => t.AccountId).OnDelete(DeleteBehavior.Cascade);
        }
    }
}
