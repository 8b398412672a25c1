using BulkImporter.Access;
using BulkImporter.Imports;
using BulkImporter.Records;

namespace BulkImporter.Undo;

/// <summary>Why an undo leaves what a record has, or may have, at Cincopa.</summary>
[StoredAsText]
public enum LeftReason
{
    /// <summary>The asset was found for the record while it was in doubt.</summary>
    Adopted,

    /// <summary>The source may be at Cincopa twice.</summary>
    PossiblyDuplicated,

    /// <summary>Another record has the same asset.</summary>
    Shared,

    /// <summary>Nobody knows whether there is an asset.</summary>
    Unknown,

    /// <summary>The same, and a person has given the record up.</summary>
    GivenUp,
}

/// <summary>Records that an undo leaves as they are.</summary>
/// <param name="Sentence">The reason, for people.</param>
/// <param name="RowNumbers">Their rows, at most the first hundred.</param>
public sealed record LeftRecords(LeftReason Reason, int Count, string Sentence, IReadOnlyList<int> RowNumbers);

/// <summary>The undo was ordered, or would be.</summary>
/// <param name="ToDelete">Assets that are deleted in Cincopa from now on, or would be.</param>
/// <param name="Left">What is left there, by reason.</param>
public sealed record UndoDone(int ToDelete, IReadOnlyList<LeftRecords> Left) : ImportChange;

/// <summary>
/// Orders that the assets which an import has made are deleted in Cincopa. Only those that its own calls made, by the word of Cincopa, and
/// that no other record of the account has; the rest is listed and left. The deletions are durable: <see cref="DeleteAssets"/> makes them.
/// </summary>
public sealed class UndoImport(NpgsqlDataSource database)
{
    private const int MostRowsTold = 100;

    // The lock is waited for here, so that the next statement sees what whoever held it has done.
    private const string LockImport =
        "SELECT name, account_id FROM importer.import WHERE id = $1 AND state <> 'deleting' FOR NO KEY UPDATE";

    private const string IsOver = $"SELECT 1 FROM importer.import i WHERE i.id = $1 AND {DeleteImport.IsOver}";

    private const string MakePlan =
        "CREATE TEMP TABLE undo_plan (row_number int PRIMARY KEY, rid text, reason text) ON COMMIT DROP";

    private static readonly string AddToPlan = $"""
        INSERT INTO undo_plan
        SELECT r.row_number, r.rid, CASE
            WHEN r.state = 'unknown' THEN '{EnumText<LeftReason>.Of(LeftReason.Unknown)}'
            WHEN r.possibly_duplicated THEN '{EnumText<LeftReason>.Of(LeftReason.PossiblyDuplicated)}'
            WHEN r.state = 'failed' THEN '{EnumText<LeftReason>.Of(LeftReason.GivenUp)}'
            WHEN r.is_adopted THEN '{EnumText<LeftReason>.Of(LeftReason.Adopted)}' END
        FROM importer.import_record r
        WHERE r.import_id = $1 AND r.row_number = ANY($2) AND r.row_number BETWEEN $3 AND $4
        """;

    // Looks at every record of the account, once: no index holds the rid.
    private static readonly string LeaveShared = $"""
        UPDATE undo_plan p SET reason = '{EnumText<LeftReason>.Of(LeftReason.Shared)}'
        FROM importer.import i JOIN importer.import_record o ON o.import_id = i.id
        WHERE i.account_id = $2 AND p.reason IS NULL AND o.rid = p.rid AND o.state <> 'deleted'
            AND (o.import_id, o.row_number) <> ($1, p.row_number)
        """;

    private static readonly string CountLeft = $"""
        SELECT reason, count(*)::int AS count, (array_agg(row_number ORDER BY row_number))[1:{MostRowsTold}] AS row_numbers
        FROM undo_plan WHERE reason IS NOT NULL GROUP BY reason
        """;

    private const string CountToDelete = "SELECT count(*)::int FROM undo_plan WHERE reason IS NULL";

    // What an earlier undo could not delete is tried anew, and what its calls may have done is not forgotten.
    private const string Order = """
        INSERT INTO importer.record_undo (import_id, row_number, account_id, rid, state, next_at, failed_count, in_doubt)
        SELECT $1, row_number, $2, rid, 'pending', now(), 0, false FROM undo_plan WHERE reason IS NULL
        ON CONFLICT (import_id, row_number) DO UPDATE
        SET state = 'pending', next_at = now(), failed_count = 0, error_code = NULL, error_message = NULL
        """;

    /// <param name="name">The import's name, as the person gave it: whoever does not know which import it is must not do this.</param>
    /// <param name="isDryRun">Only tells what would be deleted, and needs no name.</param>
    /// <param name="cancellationToken">Cancels the order, not the deletions.</param>
    /// <exception cref="InvalidArgumentException">It is not the import's name.</exception>
    public Task<ImportChange> RunAsync(
        int importId, RecordFilter filter, string? name, bool isDryRun, string actor, CancellationToken cancellationToken) =>
        database.TransactionAsync<ImportChange>(async connection =>
    {
        // 1. It is the import that is meant, and nothing is under way that would make or delete its assets.
        if (await connection.QueryAsync<Found>(LockImport, cancellationToken, importId) is not [var import])
            return new ImportChange.NotFound(importId);
        if (!isDryRun && name != import.Name)
            throw new InvalidArgumentException("name",
                $"To undo import {importId}, give its name: '{import.Name}'. Its assets are then deleted in Cincopa for good.");
        if (await connection.QueryAsync<int>(IsOver, cancellationToken, importId) is [])
            return await ImportChange.RefusalAsync(connection, importId,
                "only an import that has ended, and has nothing under way at Cincopa, can be undone", cancellationToken);

        // 2. What it has at Cincopa, or may have.
        await connection.ExecuteAsync(MakePlan, cancellationToken);
        await foreach (var rows in filter.RowsAsync(connection, importId, r => r.State == RecordState.Imported
            || r.State == RecordState.Unknown || r.PossiblyDuplicated || (r.State == RecordState.Failed && r.ErrorCode == GivenUp),
            cancellationToken))
        {
            await connection.ExecuteLongAsync(AddToPlan, cancellationToken, importId, rows, rows[0], rows[^1]);
        }
        await connection.ExecuteLongAsync("ANALYZE undo_plan", cancellationToken);
        await connection.ExecuteLongAsync(LeaveShared, cancellationToken, importId, import.AccountId);
        var left = (await connection.QueryAsync<Left>(CountLeft, cancellationToken))
            .OrderBy(l => l.Reason).Select(l => new LeftRecords(l.Reason, l.Count, Sentence(l.Reason), l.RowNumbers)).ToList();
        var count = (await connection.QueryAsync<int>(CountToDelete, cancellationToken)).Single();
        if (isDryRun || count == 0) return new UndoDone(count, left);

        // 3. The order.
        await connection.ExecuteLongAsync(Order, cancellationToken, importId, import.AccountId);
        await connection.ExecuteAsync(ImportTransitions.UndoOrdered, cancellationToken, importId);
        var more = left.Sum(l => l.Count) is > 0 and var others ? $"; {others} left" : "";
        await connection.NoteAsync(actor, "import_undone", cancellationToken, $"{count} assets to be deleted, of {filter}{more}", importId);
        return new UndoDone(count, left);
    }, cancellationToken);

    private static readonly string GivenUp = EnumText<FailureCode>.Of(FailureCode.GivenUp);

    private static string Sentence(LeftReason reason) => reason switch
    {
        LeftReason.Adopted => "The asset was found for a record in doubt, so nobody knows for certain that this import made it.",
        LeftReason.PossiblyDuplicated => "Cincopa may have the file twice. Look there which of the assets should go.",
        LeftReason.Shared => "Another record has the same asset.",
        LeftReason.Unknown => "Cincopa may have an asset of it or not. Adopt it, send it again or give it up first.",
        LeftReason.GivenUp => "It was given up while in doubt: Cincopa may have an asset of it or not.",
    };

    private sealed record Found(string Name, int AccountId);

    private sealed record Left(LeftReason Reason, int Count, int[] RowNumbers);
}
