using BulkImporter.Accounts;
using BulkImporter.Data;
using Npgsql;

namespace BulkImporter.Imports;

/// <summary>
/// Review to running. While the manifest is still being parsed it is noted, and the import starts as soon as its records are there. Cincopa is
/// asked first whether the account's token may upload; an import whose account cannot send is not started, and the answer says why.
/// </summary>
public sealed class StartImport(NpgsqlDataSource database, CheckBeforeSending check)
{
    private const string ReadAccount = """
        SELECT i.account_id, a.name, i.state FROM importer.import i JOIN importer.account a ON a.id = i.account_id
        WHERE i.id = $1 AND i.state IN ('review', 'parsing')
        """;

    private const string Start = """
        WITH changed AS (
            UPDATE importer.import
            SET state = CASE state WHEN 'review' THEN 'running' ELSE state END,
                started_at = CASE state WHEN 'review' THEN coalesce(started_at, now()) ELSE started_at END,
                start_when_parsed = true
            WHERE id = $1 AND state IN ('review', 'parsing')
            RETURNING id, state
        ), noted AS (
            INSERT INTO importer.audit_entry (at, actor, action, import_id) SELECT now(), $2, 'import_started', id FROM changed
        )
        SELECT state FROM changed
        """;

    public async Task<ImportChange> RunAsync(int importId, string actor, CancellationToken cancellationToken)
    {
        var startable = await database.QueryAsync(ReadAccount,
            r => (AccountId: r.GetInt32(0), Account: r.GetString(1), State: EnumText<ImportState>.Parse(r.GetString(2))), cancellationToken, importId);
        if (startable is [var import] && await check.ObstacleAsync(import.AccountId, cancellationToken) is { } obstacle)
            return new ImportChange.Refused(import.State, $"Import {importId} was not started, for account {import.Account}: {obstacle}");

        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        return await ImportChange.RunAsync(connection, Start, importId, "only an import in review can be started", cancellationToken, actor);
    }
}
