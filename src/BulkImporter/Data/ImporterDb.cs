using System.Reflection;
using System.Runtime.ExceptionServices;
using Microsoft.AspNetCore.DataProtection.EntityFrameworkCore;

namespace BulkImporter.Data;

/// <summary>
/// The EF Core model of schema <c>importer</c>. It names no feature: each entity carries its own configuration as a nested class,
/// and <see cref="DbContext.Set{TEntity}()"/> is how a feature reaches its tables. What is set-based, fenced or claims work speaks SQL
/// through the same data source (docs/adr/0042).
/// </summary>
public sealed class ImporterDb(DbContextOptions<ImporterDb> options) : DbContext(options), IDataProtectionKeyContext
{
    public const string Schema = "importer";

    /// <summary>The key ring that protects account tokens and cookies, shared by all processes.</summary>
    public DbSet<DataProtectionKey> DataProtectionKeys => Set<DataProtectionKey>();

    /// <summary>
    /// For SQL that belongs to the same transaction as what is loaded and saved here. It is open while <see cref="DbContext.Database"/> has
    /// a transaction.
    /// </summary>
    public NpgsqlConnection Connection => (NpgsqlConnection)Database.GetDbConnection();

    /// <summary>
    /// What the database refused is thrown as it is from a statement of SQL, so that whoever waits for it knows one exception and not two.
    /// </summary>
    public override async Task<int> SaveChangesAsync(bool acceptAllChangesOnSuccess, CancellationToken cancellationToken = default)
    {
        try
        {
            return await base.SaveChangesAsync(acceptAllChangesOnSuccess, cancellationToken);
        }
        catch (DbUpdateException e) when (e is not DbUpdateConcurrencyException && e.InnerException is { } refusal)
        {
            ExceptionDispatchInfo.Throw(refusal);
            throw;
        }
    }

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
