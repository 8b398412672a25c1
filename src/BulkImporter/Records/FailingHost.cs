namespace BulkImporter.Records;

/// <summary>
/// A host whose files failed one after another, for one account. Its first file that works takes the row away, so most hosts have none.
/// After <see cref="FailingHosts.FailuresThatWait"/> failures the host waits: its pending rows stay what they are, and one of them asks
/// again at <see cref="AskedAt"/>. Nothing is written to the rows: who shows them looks here.
/// </summary>
public sealed class FailingHost
{
    public required int AccountId { get; init; }

    /// <summary>With its port when the address names one, as <c>importer.host_of</c> cuts it out.</summary>
    public required string Host { get; init; }

    /// <summary>Files that failed since one worked.</summary>
    public int FailedInARow { get; set; }

    /// <summary>When the first of them failed.</summary>
    public DateTimeOffset Since { get; set; }

    public DateTimeOffset LastFailedAt { get; set; }

    /// <summary>A <see cref="FailureCode"/> as text, of the last one.</summary>
    public required string Code { get; set; }

    /// <summary>When one file of it is sent to see whether it works again; null as long as it does not wait.</summary>
    public DateTimeOffset? AskedAt { get; set; }

    /// <summary>How often it was asked; the wait doubles with each.</summary>
    public int AskedCount { get; set; }

    public sealed class Configuration : IEntityTypeConfiguration<FailingHost>
    {
        public void Configure(EntityTypeBuilder<FailingHost> entity)
        {
            // No foreign key to the account: a row that nothing asks for any more is forgotten after a day.
            entity.ToTable("failing_host");
            entity.HasKey(h => new { h.AccountId, h.Host });
            entity.Property(h => h.AskedCount).HasDefaultValue(0);
        }
    }
}
