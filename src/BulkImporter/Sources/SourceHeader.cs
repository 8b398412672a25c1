using BulkImporter.Manifests;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace BulkImporter.Sources;

/// <summary>A request header that is sent to one host of an account's sources, for media behind a login.</summary>
public sealed class SourceHeader
{
    public required int AccountId { get; init; }

    /// <summary>Where it goes, and nowhere else, as <see cref="SourceHeaders.PlaceOf"/> writes it: host and port over https, or after <c>http://</c> in clear.</summary>
    public required string Host { get; init; }

    /// <summary>For example <c>Authorization</c>. Case does not count.</summary>
    public required string Name { get; init; }

    /// <summary>Under ASP.NET Data Protection: it is a credential as a rule.</summary>
    public required string ValueProtected { get; set; }

    public required DateTimeOffset UpdatedAt { get; set; }

    public sealed class Configuration : IEntityTypeConfiguration<SourceHeader>
    {
        public void Configure(EntityTypeBuilder<SourceHeader> entity)
        {
            entity.ToTable("source_header");
            entity.HasKey(h => new { h.AccountId, h.Host, h.Name });
        }
    }
}

/// <summary>A header with its value in clear, on its way to a source. Its text does not show the value.</summary>
public sealed record SecretHeader(string Host, string Name, string Value)
{
    public override string ToString() => $"{Name} for {Host}";
}
