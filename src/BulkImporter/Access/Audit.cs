using Microsoft.EntityFrameworkCore.Diagnostics;

namespace BulkImporter.Access;

/// <summary>An entity of which every change that is tracked and saved is somebody's deed.</summary>
public interface IAudited;

/// <summary>
/// The two ways to write the audit log: beside what is saved of entities, and beside what SQL does. Both are in the transaction of the
/// deed.
/// </summary>
public static class Audit
{
    /// <summary>For a statement that must note what it does itself; the query with the values follows.</summary>
    internal const string Entry = "INSERT INTO importer.audit_entry (at, actor, action, import_id, account_id, detail)";

    private const string Insert = $"{Entry} VALUES (now(), $1, $2, $3, $4, $5)";

    /// <summary>Notes what the next save changes.</summary>
    public static void Note(
        this ImporterDb db, string actor, string action, string? detail = null, int? importId = null, int? accountId = null) =>
        db.Add(new AuditEntry { Actor = actor, Action = action, Detail = detail, ImportId = importId, AccountId = accountId });

    /// <summary>Notes what SQL does in the connection's transaction.</summary>
    public static Task NoteAsync(
        this NpgsqlConnection connection, string actor, string action, CancellationToken cancellationToken, string? detail = null,
        int? importId = null, int? accountId = null) =>
        connection.ExecuteAsync(Insert, cancellationToken, actor, action, importId, accountId, detail);
}

/// <summary>
/// Keeps the audit log: gives each entry its time, lets none be changed, and saves no change of an <see cref="IAudited"/> entity that is
/// not noted. A new one may be noted in a second save, when its number is known.
/// </summary>
internal sealed class KeepAudit(TimeProvider clock) : SaveChangesInterceptor
{
    public override ValueTask<InterceptionResult<int>> SavingChangesAsync(
        DbContextEventData eventData, InterceptionResult<int> result, CancellationToken cancellationToken = default)
    {
        var changes = eventData.Context!.ChangeTracker;
        var isNoted = false;
        foreach (var entry in changes.Entries<AuditEntry>().Where(e => e.State is not EntityState.Unchanged))
        {
            if (entry.State is not EntityState.Added) throw new InvalidOperationException("An entry of the audit log is never changed.");
            entry.Property(e => e.At).CurrentValue = clock.GetUtcNow();
            isNoted = true;
        }
        if (!isNoted && changes.Entries<IAudited>()
            .FirstOrDefault(e => e.State is EntityState.Modified or EntityState.Deleted) is { } unnoted)
            throw new InvalidOperationException($"Nobody said who changes the {unnoted.Metadata.ClrType.Name} (Audit.Note).");
        return ValueTask.FromResult(result);
    }
}
