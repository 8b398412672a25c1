using BulkImporter.Access;
using BulkImporter.Accounts;
using BulkImporter.Records;
using BulkImporter.Sources;

namespace BulkImporter.Imports;

/// <summary>
/// Review to running. While the manifest is still being parsed it is noted, and the import starts as soon as its records are there. Cincopa
/// is asked first whether the account's token may upload; an import whose account cannot send is not started, and the answer says why. When
/// another import of the account has started since the rows were compared with the account's imports, they are compared again: the manifest
/// is read once more and starts then, or both would send what they have in common. So it is when its own keys are of an older generation.
/// </summary>
public sealed class StartImport(NpgsqlDataSource database, RecordTransitions transitions, CheckBeforeSending check)
{
    private const string ReadAccount = """
        SELECT i.account_id, a.name AS account, i.state FROM importer.import i JOIN importer.account a ON a.id = i.account_id
        WHERE i.id = $1 AND i.state IN ('review', 'parsing')
        """;

    // As in the comparison itself: the two cannot overlook each other.
    private const string LockAccount = """
        SELECT 1 FROM importer.import i, pg_advisory_xact_lock(hashtext('bulkimporter.sources'), i.account_id) WHERE i.id = $1
            AND i.state = 'review'
        """;

    private const string IsOvertaken = """
        SELECT 1 FROM importer.import i
        WHERE i.id = $1 AND i.state = 'review' AND ((i.already_imported = 'skip' AND EXISTS (
                SELECT 1 FROM importer.import o
                WHERE o.account_id = i.account_id AND o.id <> i.id AND o.started_at > i.checked_at
                    AND o.state IN ('running', 'paused', 'finished', 'cancelled')))
            OR EXISTS (SELECT 1 FROM importer.source_key_block b WHERE b.import_id = i.id AND b.generation < $2))
        """;

    private const string Start = $"""
        WITH changed AS (
            UPDATE importer.import
            SET state = CASE WHEN $3 THEN 'parsing' WHEN state = 'review' THEN 'running' ELSE state END,
                started_at = CASE WHEN state = 'review' AND NOT $3 THEN coalesce(started_at, clock_timestamp()) ELSE started_at END,
                row_count = CASE WHEN NOT $3 THEN row_count END,
                parsed_rows = CASE WHEN $3 THEN 0 ELSE parsed_rows END,
                parse_queued_at = CASE WHEN NOT $3 THEN parse_queued_at END,
                start_when_parsed = true, reason = NULL, trial_count = $4
            WHERE id = $1 AND state IN ('review', 'parsing')
            RETURNING id, state
        ), noted AS (
            {Audit.Entry} SELECT now(), $2, 'import_started', id, NULL, $5 FROM changed
        )
        SELECT state FROM changed
        """;

    /// <param name="first">Sends only so many records; when they have ended, the import is paused until somebody sends the rest. Null
    /// sends all.</param>
    /// <exception cref="InvalidArgumentException"><paramref name="first"/> is less than 1.</exception>
    public async Task<ImportChange> RunAsync(int importId, string actor, CancellationToken cancellationToken, int? first = null)
    {
        if (first < 1) throw new InvalidArgumentException("first", "'first' must be 1 or more. Leave it out to send all records.");
        var startable = await database.QueryAsync<Startable>(ReadAccount, cancellationToken, importId);
        if (startable is [var import] && await check.ObstacleAsync(import.AccountId, cancellationToken) is { } obstacle)
            return new ImportChange.Refused(import.State, $"Import {importId} was not started, for account {import.Account}: {obstacle}");

        return await database.OnConnectionAsync(async connection =>
        {
            await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
            await connection.ExecuteLongAsync(LockAccount, cancellationToken, importId);
            var again = (await connection.QueryAsync<int>(IsOvertaken, cancellationToken, importId, SourceKey.Generation)).Count > 0;
            if (again) await ForgetRows.RunAsync(connection, importId, cancellationToken);
            var change = await ImportChange.RunAsync(connection, Start, importId, "only an import in review can be started",
                cancellationToken, actor, again, first, first is null ? null : $"the first {first} only");
            if (change is ImportChange.Done(ImportState.Running))
            {
                await connection.ExecuteLongAsync(ImportTransitions.HoldRest, cancellationToken, importId);
                await transitions.RenewedAsync(connection, importId, cancellationToken);
            }
            if (change is ImportChange.Done) await transaction.CommitAsync(cancellationToken);
            return change;
        }, cancellationToken);
    }

    private sealed record Startable(int AccountId, string Account, ImportState State);
}
