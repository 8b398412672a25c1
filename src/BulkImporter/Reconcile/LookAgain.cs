using BulkImporter.Access;
using BulkImporter.Records;

namespace BulkImporter.Reconcile;

/// <summary>What became of an order to look for the asset of a record in doubt.</summary>
public abstract record LookResult
{
    private LookResult() { }

    /// <param name="DueAt">When a worker begins: at once, unless Cincopa must be given time to list the asset, or the last look has just
    /// been, or did not work.</param>
    public sealed record Ordered(DateTimeOffset DueAt) : LookResult;

    public sealed record NotFound(string Sentence) : LookResult;

    /// <summary>The record is not in doubt.</summary>
    public sealed record Refused(RecordState State, string Sentence) : LookResult;
}

/// <summary>
/// A person wants the account's assets looked through for a record in doubt now, and not only when its turn comes. The grace that a new
/// asset is given to show up holds all the same: without it a pushed file would be taken for lost.
/// </summary>
public sealed class LookAgain(NpgsqlDataSource database, IOptions<WorkOptions> options)
{
    private const string Order = $"""
        WITH asked AS (
            {Attempt.LookAgain}
            RETURNING r.finished_at
        )
        SELECT greatest(now(), asked.finished_at + $3, l.next_at)
        FROM asked JOIN importer.import i ON i.id = $1 LEFT JOIN importer.reconcile_look l ON l.account_id = i.account_id
        """;

    private const string Read = "SELECT state FROM importer.import_record WHERE import_id = $1 AND row_number = $2";

    public Task<LookResult> RunAsync(
        int importId, int rowNumber, string actor, CancellationToken cancellationToken) =>
        database.TransactionAsync<LookResult>(async connection =>
    {
        if (await connection.QueryAsync<DateTimeOffset>(
            Order, cancellationToken, importId, rowNumber, options.Value.LookAfter) is [var dueAt])
        {
            await connection.NoteAsync(actor, "assets_looked_for", cancellationToken, $"row {rowNumber}", importId);
            return new LookResult.Ordered(dueAt);
        }
        return await connection.QueryAsync<RecordState>(Read, cancellationToken, importId, rowNumber) is [var state]
            ? new LookResult.Refused(state,
                $"Row {rowNumber} is {EnumText<RecordState>.Of(state)}. Assets are looked for only while a record is unknown.")
            : new LookResult.NotFound($"There is no import {importId} with a row {rowNumber}.");
    }, cancellationToken);
}
