using System.Reflection;
using Microsoft.AspNetCore.DataProtection.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore;

namespace BulkImporter.Data;

/// <summary>
/// The EF Core model of schema <c>importer</c>. It names no feature: each entity carries its own configuration as a nested class,
/// and <see cref="DbContext.Set{TEntity}()"/> is how a feature reaches its tables. Hot paths speak SQL through the same data source.
/// </summary>
public sealed class ImporterDb(DbContextOptions<ImporterDb> options) : DbContext(options), IDataProtectionKeyContext
{
    public const string Schema = "importer";

    /// <summary>The key ring that protects account tokens and cookies, shared by all processes.</summary>
    public DbSet<DataProtectionKey> DataProtectionKeys => Set<DataProtectionKey>();

    protected override void OnModelCreating(ModelBuilder model)
    {
        model.HasDefaultSchema(Schema);
        model.ApplyConfigurationsFromAssembly(Assembly.GetExecutingAssembly());
        model.Entity<DataProtectionKey>().ToTable("data_protection_key");
    }

    protected override void ConfigureConventions(ModelConfigurationBuilder conventions)
    {
        foreach (var type in Assembly.GetExecutingAssembly().GetTypes().Where(t => t.IsEnum && t.IsDefined(typeof(StoredAsTextAttribute))))
            conventions.Properties(type).HaveConversion(typeof(EnumTextConverter<>).MakeGenericType(type));
    }
}

/// <summary>Marks an enum whose members stand in the database as text (see <see cref="EnumText{T}"/>).</summary>
[AttributeUsage(AttributeTargets.Enum)]
public sealed class StoredAsTextAttribute : Attribute;
