using BulkImporter.Access;
using BulkImporter.Accounts;
using BulkImporter.Records;
using Cincopa.Client;

namespace BulkImporter.Reconcile;

/// <summary>What became of an order to adopt an asset. Each sentence is for people.</summary>
public abstract record AdoptResult
{
    private AdoptResult() { }

    /// <summary>The record is imported, with this asset.</summary>
    public sealed record Adopted : AdoptResult;

    public sealed record NotFound(string Sentence) : AdoptResult;

    /// <summary>The record is not in doubt, or another record has the asset.</summary>
    public sealed record Refused(string Sentence) : AdoptResult;

    /// <summary>The account has no such asset.</summary>
    public sealed record NoSuchAsset(string Sentence) : AdoptResult;

    /// <summary>Whether the account has such an asset could not be learned.</summary>
    public sealed record CannotAsk(string Sentence) : AdoptResult;
}

/// <summary>
/// A person says which asset a record in doubt became: one of its candidates, or any other that the account has and no record does.
/// </summary>
public sealed class AdoptAsset(NpgsqlDataSource database, RecordTransitions transitions, AccountAccess accounts, ICincopaClient cincopa)
{
    private const int LongestRid = 200;

    private const string Read = """
        SELECT r.state, r.attempt_count AS attempt, i.account_id, EXISTS (
            SELECT 1 FROM importer.reconcile_candidate k
            WHERE k.import_id = r.import_id AND k.row_number = r.row_number AND k.attempt = r.attempt_count AND k.rid = $3) AS is_candidate
        FROM importer.import_record r JOIN importer.import i ON i.id = r.import_id
        WHERE r.import_id = $1 AND r.row_number = $2
        """;

    /// <summary>Records in doubt with one candidate that is no other record's candidate.</summary>
    private const string ReadSingle = """
        SELECT r.row_number, r.attempt_count AS attempt, k.rid, i.account_id
        FROM importer.import i
        JOIN importer.reconcile_candidate k ON k.import_id = i.id
        JOIN importer.import_record r ON r.import_id = k.import_id AND r.row_number = k.row_number AND r.state = 'unknown'
            AND r.attempt_count = k.attempt
        WHERE i.id = $1
            AND NOT EXISTS (SELECT 1 FROM importer.reconcile_candidate o WHERE o.import_id = k.import_id AND o.row_number = k.row_number
                AND o.rid <> k.rid)
            AND NOT EXISTS (
                SELECT 1 FROM importer.reconcile_candidate o JOIN importer.import oi ON oi.id = o.import_id AND oi.account_id = i.account_id
                WHERE o.rid = k.rid AND (o.import_id, o.row_number) <> (k.import_id, k.row_number))
        ORDER BY r.row_number
        """;

    private const string CountInDoubt = "SELECT coalesce(sum(unknown_count), 0)::int FROM importer.import_chunk WHERE import_id = $1";

    /// <exception cref="InvalidArgumentException">The rid cannot be one.</exception>
    public async Task<AdoptResult> RunAsync(int importId, int rowNumber, string? rid, string actor, CancellationToken cancellationToken)
    {
        if (string.IsNullOrEmpty(rid) || rid.Length > LongestRid || rid.Any(c => char.IsWhiteSpace(c) || char.IsControl(c)))
            throw new InvalidArgumentException("rid",
                $"Give the asset's rid: up to {LongestRid} characters without spaces, as Cincopa shows it.");

        var asset = new Rid(rid);
        var read = await database.QueryAsync<InDoubt>(Read, cancellationToken, importId, rowNumber, rid);
        if (read is not [var record]) return new AdoptResult.NotFound($"There is no import {importId} with a row {rowNumber}.");
        if (record.State != RecordState.Unknown)
            return new AdoptResult.Refused(
                $"Row {rowNumber} is {EnumText<RecordState>.Of(record.State)}. Only an unknown record can adopt an asset.");
        if (!record.IsCandidate && await RefusalAsync(record.AccountId, asset, cancellationToken) is { } refusal) return refusal;

        return await database.TransactionAsync<AdoptResult>(async connection =>
        {
            var (made, owners) = await transitions.AdoptedAsync(
                connection, record.AccountId, [new(importId, rowNumber, record.Attempt, asset, $"Adopted by {actor}.")], cancellationToken);
            if (owners is [var owner, ..])
                return new AdoptResult.Refused($"The asset {rid} already belongs to row {owner.RowNumber} of import {owner.ImportId}.");
            if (made.Count == 0) return new AdoptResult.Refused($"Row {rowNumber} is no longer in doubt. Look at it again.");
            await connection.NoteAsync(actor, "asset_adopted", cancellationToken, $"row {rowNumber}, asset {rid}", importId);
            return new AdoptResult.Adopted();
        }, cancellationToken);
    }

    /// <summary>
    /// Adopts for every record in doubt of the import its only candidate, where no other record has the same one. What several could be is
    /// left for a person to decide. Returns how many were adopted, and how many records are still in doubt.
    /// </summary>
    public async Task<(int Adopted, int StillInDoubt)> RunAllAsync(int importId, string actor, CancellationToken cancellationToken)
    {
        var single = await database.QueryAsync<Single>(ReadSingle, cancellationToken, importId);
        var adopted = single is [] ? 0 : await database.TransactionAsync(async connection =>
        {
            var (made, _) = await transitions.AdoptedAsync(
                connection, single[0].AccountId,
                [.. single.Select(s => new Adoption(importId, s.RowNumber, s.Attempt, s.Rid, $"The only candidate, adopted by {actor}."))],
                cancellationToken);
            if (made.Count > 0)
                await connection.NoteAsync(actor, "assets_adopted", cancellationToken,
                    $"{made.Count} records, each with its only candidate", importId);
            return made.Count;
        }, cancellationToken);
        return (adopted, (await database.QueryAsync<int>(CountInDoubt, cancellationToken, importId))[0]);
    }

    /// <summary>Null when the account has the asset.</summary>
    private async Task<AdoptResult?> RefusalAsync(int accountId, Rid rid, CancellationToken cancellationToken)
    {
        var current = await accounts.GetAsync(accountId, cancellationToken);
        var query = new AssetListQuery { Rid = rid, BypassCache = true };
        return await cincopa.ListAssetsAsync(current.Access, query, cancellationToken) switch
        {
            AssetListResult.Ok ok when ok.Items.Any(a => a.Rid == rid) => null,
            AssetListResult.Failed failed =>
                new AdoptResult.CannotAsk($"Cincopa could not be asked whether the account has the asset {rid}: {failed.Error.Message}"),
            _ => new AdoptResult.NoSuchAsset(
                $"The account has no asset {rid}. Upper and lower case matter. Cincopa shows the rid with the asset."),
        };
    }

    private sealed record InDoubt(RecordState State, short Attempt, int AccountId, bool IsCandidate);

    private sealed record Single(int RowNumber, short Attempt, Rid Rid, int AccountId);
}
