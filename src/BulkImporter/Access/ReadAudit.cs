using BulkImporter.Data;
using Npgsql;

namespace BulkImporter.Access;

public sealed record AuditView(long Id, DateTimeOffset At, string Actor, string Action, int? ImportId, string? Account, string? Detail);

/// <summary>Who did what, the latest first.</summary>
public sealed class ReadAudit(NpgsqlDataSource database)
{
    private const string List = """
        SELECT e.id, e.at, e.actor, e.action, e.import_id, a.name, e.detail
        FROM importer.audit_entry e LEFT JOIN importer.account a ON a.id = e.account_id
        WHERE ($1::int IS NULL OR e.import_id = $1) AND ($2::bigint IS NULL OR e.id < $2)
        ORDER BY e.id DESC LIMIT $3
        """;

    /// <param name="importId">Only entries about this import, or null for all.</param>
    /// <param name="before">Only entries older than this one, or null to begin with the latest.</param>
    public async Task<IReadOnlyList<AuditView>> ListAsync(int? importId, long? before, int limit, CancellationToken cancellationToken) =>
        await database.QueryAsync(
            List, r => new AuditView(r.GetInt64(0), r.GetFieldValue<DateTimeOffset>(1), r.GetString(2), r.GetString(3), r.Number(4), r.Text(5), r.Text(6)),
            cancellationToken, importId, before, limit);
}
