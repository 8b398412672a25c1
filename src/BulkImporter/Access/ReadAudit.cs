using BulkImporter.Data;
using Npgsql;

namespace BulkImporter.Access;

public sealed record AuditView(long Id, DateTimeOffset At, string Actor, string Action, int? ImportId, string? Account, string? Detail);

/// <summary>Which entries; null does not narrow.</summary>
/// <param name="Actor">The whole name, in any case.</param>
/// <param name="Account">An account's name.</param>
public sealed record AuditFilter(string? Actor = null, int? ImportId = null, string? Account = null);

/// <summary>Who did what, the latest first.</summary>
public sealed class ReadAudit(NpgsqlDataSource database)
{
    private const string List = """
        SELECT e.id, e.at, e.actor, e.action, e.import_id, a.name, e.detail
        FROM importer.audit_entry e LEFT JOIN importer.account a ON a.id = e.account_id
        WHERE ($1::int IS NULL OR e.import_id = $1) AND ($2::bigint IS NULL OR e.id < $2)
            AND ($4::text IS NULL OR lower(e.actor) = lower($4)) AND ($5::text IS NULL OR a.name = $5)
        ORDER BY e.id DESC LIMIT $3
        """;

    /// <param name="importId">Only entries about this import, or null for all.</param>
    /// <param name="before">Only entries older than this one, or null to begin with the latest.</param>
    public async Task<IReadOnlyList<AuditView>> ListAsync(int? importId, long? before, int limit, CancellationToken cancellationToken) =>
        await ListAsync(new AuditFilter(ImportId: importId), before, limit, cancellationToken);

    /// <param name="before">Only entries older than this one, or null to begin with the latest.</param>
    public async Task<Page<AuditView>> PageAsync(AuditFilter filter, int? before, int limit, CancellationToken cancellationToken) =>
        Page<AuditView>.Of(await ListAsync(filter, before, limit + 1, cancellationToken), limit, e => checked((int)e.Id));

    private Task<List<AuditView>> ListAsync(AuditFilter filter, long? before, int limit, CancellationToken cancellationToken) => database.QueryAsync(
        List, r => new AuditView(r.GetInt64(0), r.GetFieldValue<DateTimeOffset>(1), r.GetString(2), r.GetString(3), r.Number(4), r.Text(5), r.Text(6)),
        cancellationToken, filter.ImportId, before, limit, filter.Actor, filter.Account);
}
