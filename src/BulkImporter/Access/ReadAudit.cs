namespace BulkImporter.Access;

public sealed record AuditView(long Id, DateTimeOffset At, string Actor, string Action, int? ImportId, string? Account, string? Detail);

/// <summary>Which entries; null does not narrow.</summary>
/// <param name="Actor">The whole name, in any case.</param>
/// <param name="Account">An account's name.</param>
public sealed record AuditFilter(string? Actor = null, int? ImportId = null, string? Account = null);

/// <summary>Who did what, the latest first.</summary>
public sealed class ReadAudit(NpgsqlDataSource database)
{
    /// <param name="before">Only entries older than this one, or null to begin with the latest.</param>
    public async Task<Page<AuditView>> PageAsync(AuditFilter filter, int? before, int limit, CancellationToken cancellationToken) =>
        Page<AuditView>.Of(await ListAsync(filter, before, limit + 1, cancellationToken), limit, e => checked((int)e.Id));

    /// <summary>As a person walks the log: <paramref name="after"/> the last entry of the page before, <paramref name="before"/> the first
    /// one of the page behind, both null for the latest.</summary>
    public Task<ListedPage<AuditView>> WalkAsync(
        AuditFilter filter, int? after, int? before, int limit, CancellationToken cancellationToken) =>
        ListedPage<AuditView>.WalkAsync(
            after, before, limit, e => checked((int)e.Id), null,
            (id, count) => ListAsync(filter, id, count, cancellationToken, isNewer: true),
            (id, count) => ListAsync(filter, id, count, cancellationToken));

    /// <param name="isNewer">Those that are newer than <paramref name="before"/>, the oldest of them first.</param>
    private Task<List<AuditView>> ListAsync(
        AuditFilter filter, long? before, int limit, CancellationToken cancellationToken, bool isNewer = false)
    {
        var parameters = new List<object?> { limit };
        // Only what is asked for stands in the statement: the entries of one import are then found by their index, however long the log is.
        var conditions = "";
        if (filter.ImportId is { } import) conditions += $" AND e.import_id = {Next(import)}";
        if (before is { } id) conditions += $" AND e.id {(isNewer ? ">" : "<")} {Next(id)}";
        if (filter.Actor is { } actor) conditions += $" AND lower(e.actor) = lower({Next(actor)})";
        if (filter.Account is { } account)
            conditions += $" AND e.account_id = (SELECT id FROM importer.account WHERE name = {Next(account)})";
        return database.QueryAsync<AuditView>(
            $"""
            SELECT e.id, e.at, e.actor, e.action, e.import_id, a.name AS account, e.detail
            FROM importer.audit_entry e LEFT JOIN importer.account a ON a.id = e.account_id
            WHERE true{conditions}
            ORDER BY e.id {(isNewer ? "ASC" : "DESC")} LIMIT $1
            """,
            cancellationToken, [.. parameters]);

        string Next(object value)
        {
            parameters.Add(value);
            return $"${parameters.Count}";
        }
    }
}
