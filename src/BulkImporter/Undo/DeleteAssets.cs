using BulkImporter.Accounts;
using BulkImporter.Records;
using BulkImporter.Telemetry;
using Cincopa.Client;

namespace BulkImporter.Undo;

/// <summary>
/// Deletes the assets in Cincopa that undos were ordered for. Every worker does so; a claim is nothing but a next_at moved ahead. Only an
/// answer that says so, or a list without the asset, makes a record deleted. Its calls come out of the account's status budget.
/// </summary>
internal sealed class DeleteAssets(RoundNeeds needs, RecordTransitions transitions, RetrySchedule retries, ILogger<DeleteAssets> log)
    : AccountRound<DeleteAssets.Due, DeleteAssets.End>(needs, Loop)
{
    public const string Loop = "asset deleter";

    /// <summary>Another record has the same asset, so it stays.</summary>
    public const string AssetShared = "asset_shared";

    public const string Unexpected = "unexpected_error";

    /// <summary>How long an asset waits whose turn did not come, or broke off, for no reason of its own.</summary>
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(2);

    // The try counts from here on, and is taken back when it did not fail. A call may be on its way from here on too.
    private static readonly string Claim = $"""
        WITH {WorkBatch.Due("importer.record_undo", columns: ", in_doubt")}
        UPDATE importer.record_undo u
        SET next_at = now() + $2, failed_count = u.failed_count + 1, in_doubt = true
        FROM due
        WHERE u.import_id = due.import_id AND u.row_number = due.row_number
        RETURNING u.import_id, u.row_number, u.account_id, u.rid, u.failed_count AS tries, due.in_doubt
        """;

    // The claim's row is ours as long as it is pending; what somebody else did in the meantime was the same.
    private const string Write = """
        WITH ended AS MATERIALIZED (SELECT *, 'pending' AS before FROM unnest($1::importer.undo_end[]))
        UPDATE importer.record_undo u
        SET state = e.state, next_at = now() + e.wait, failed_count = e.failed_count, in_doubt = e.in_doubt, error_code = e.code,
            error_message = e.message
        FROM ended e
        WHERE u.import_id = e.import_id AND u.row_number = e.row_number AND u.rid = e.rid AND u.state = e.before
        """;

    /// <summary>Tries after which an asset stays: with waits that double, about as long as Cincopa was ever down.</summary>
    internal int Attempts { get; init; } = 8;

    protected override int CallsInFlight => 8;

    // Each record takes up to three calls: twice as long as a chunk is left to its worker.
    protected override TimeSpan ClaimFor => Work.LeaseDuration * 2;

    protected override async Task<IReadOnlyList<Due>> ClaimAsync(CancellationToken cancellationToken)
    {
        var due = await Database.QueryByKeyAsync<Due>(Claim, cancellationToken, ClaimLimits(100));
        // Asked in every round, and not only when the undo is ordered: another record may have come by one of the assets since.
        var claimed = new List<Due>(due.Count);
        foreach (var account in due.GroupBy(d => d.AccountId))
        {
            var owners = (await transitions.OwnersAsync(account.Key, [.. account.Select(d => d.Rid)], cancellationToken))
                .Where(o => o.State != RecordState.Deleted).ToLookup(o => o.Rid);
            claimed.AddRange(account.Select(d => d with
            {
                Other = owners[d.Rid].FirstOrDefault(o => (o.ImportId, o.RowNumber) != (d.ImportId, d.RowNumber)),
            }));
        }
        return claimed;
    }

    protected override int AccountOf(Due item) => item.AccountId;

    protected override string NameOf(Due item) => $"import {item.ImportId} row {item.RowNumber}";

    protected override async Task<End?> WorkAsync(Due item, AccountCalls calls, CancellationToken stop)
    {
        if (item.Tries > Attempts)
            return Failed(item, Unexpected,
                $"It was started {Attempts} times, and its result could not be saved. The log says why; then undo again.");
        if (item.Other is { } other)
            return Failed(item, AssetShared,
                $"Row {other.RowNumber} of import {other.ImportId} has the same asset, so it stays.");
        var end = await DeleteAsync(item, calls);
        if (end.State == UndoState.Done) calls.Worked();
        return end;
    }

    // What the database does for a while is no failure of the undo.
    protected override End? Broken(Due item, Exception error)
    {
        var asset = item with { InDoubt = true };
        return error.MayPass() ? Later(asset) : Again(asset, Unexpected, error.Reason());
    }

    protected override async Task WriteAsync(List<End> ends)
    {
        var gone = ends.FindAll(e => e.State == UndoState.Done);
        if (gone.Count > 0)
        {
            var moved = await transitions.DeletedAsync(
                gone.ConvertAll(e => new AssetGone(e.Asset.ImportId, e.Asset.RowNumber, e.Asset.Rid)), CancellationToken.None);
            if (moved > 0) Log.AssetsDeleted(log, gone[0].Asset.AccountId, moved);
        }
        EndRow[] stay = [.. ends.Where(e => e.State != UndoState.Done).Select(EndRow.Of)];
        if (stay.Length > 0) await Database.ExecuteByKeyAsync(Write, CancellationToken.None, [stay]);
    }

    protected override End Unstorable(End end) =>
        end with { State = UndoState.Failed, GiveBack = false, Code = Unexpected, Message = Outcome.UnstorableMessage };

    private async Task<End> DeleteAsync(Due asset, AccountCalls calls)
    {
        // 1. An earlier call may have done it: that is found out before it is made again.
        if (asset.InDoubt && await AskAsync(asset, calls) is { } known) return known;

        // 2. The call.
        if (!await calls.MayCallAsync()) return Later(asset);
        if (await Cincopa.DeleteAssetAsync(calls.Access, asset.Rid, CancellationToken.None) is not ChangeResult.Failed { Error: var error })
            return Done(asset);

        // 3. Whatever was said, or not said: what counts is whether the asset is still there.
        asset = asset with { InDoubt = true };
        if (await calls.BlameAsync(error)) return Later(asset);
        return await AskAsync(asset, calls) ?? Refused(asset, error);
    }

    /// <summary>Null when Cincopa still has the asset, else what its answer, or its silence, makes of it.</summary>
    private async Task<End?> AskAsync(Due asset, AccountCalls calls)
    {
        if (!await calls.MayCallAsync()) return Later(asset);
        var query = new AssetListQuery { Rid = asset.Rid, BypassCache = true };
        switch (await Cincopa.ListAssetsAsync(calls.Access, query, CancellationToken.None))
        {
            case AssetListResult.Failed failed:
                return await calls.BlameAsync(failed.Error) ? Later(asset) : Refused(asset, failed.Error);
            case AssetListResult.Ok { Items: [] }:
                return Done(asset);
            case AssetListResult.Ok ok when ok.Items.Any(a => a.Rid == asset.Rid):
                return null;
            default:
                // A list of other assets does not say that this one is gone.
                return Again(asset, EnumText<FailureCode>.Of(FailureCode.ReplyUnreadable),
                    "Cincopa was asked for this asset and listed others, so nobody knows whether it is still there.");
        }
    }

    /// <summary>A refusal for good ends it; the rest is tried again.</summary>
    private End Refused(Due asset, RemoteError error) => error.Code() switch
    {
        // A token may be allowed to upload and not to delete: that must not suspend an account that imports.
        FailureCode.TokenRejected or FailureCode.PermissionMissing =>
            Failed(asset, EnumText<FailureCode>.Of(FailureCode.PermissionMissing),
                $"The token does not allow this: {error.Message} Give it asset.delete and asset.read, then undo again."),
        FailureCode.InvalidInput => Failed(asset, EnumText<FailureCode>.Of(FailureCode.InvalidInput), error.Message),
        var code => Again(asset, EnumText<FailureCode>.Of(code), error.Message, error.RetryAfter),
    };

    private static End Done(Due asset) => new(asset, UndoState.Done, TimeSpan.Zero, GiveBack: true, null, null);

    /// <summary>Not tried, or not to the end, for no reason of its own.</summary>
    private static End Later(Due asset) => new(asset, UndoState.Pending, Pause, GiveBack: true, null, null);

    private End Again(Due asset, string code, string message, TimeSpan? retryAfter = null) => asset.Tries >= Attempts
        ? Failed(asset, code, message)
        : new(asset, UndoState.Pending, retries.Wait(asset.Tries, retryAfter), GiveBack: false, code, message);

    private End Failed(Due asset, string code, string message)
    {
        Log.AssetNotDeleted(log, asset.ImportId, asset.RowNumber, code, message);
        return new(asset, UndoState.Failed, TimeSpan.Zero, GiveBack: false, code, message);
    }

    /// <param name="Tries">This one included.</param>
    /// <param name="InDoubt">A call to delete it may have been received.</param>
    internal sealed record Due(int ImportId, int RowNumber, int AccountId, Rid Rid, short Tries, bool InDoubt)
    {
        /// <summary>Another record that has the asset.</summary>
        public AssetOwner? Other { get; init; }
    }

    /// <param name="GiveBack">The try did not fail; it was not made, or not to its end, for no reason of the record's.</param>
    internal sealed record End(Due Asset, UndoState State, TimeSpan Wait, bool GiveBack, string? Code, string? Message);

    /// <summary>The same, as the statement takes it.</summary>
    [StoredAsRow("undo_end")]
    internal sealed record EndRow(
        int ImportId, int RowNumber, string Rid, string State, TimeSpan Wait, short FailedCount, bool InDoubt, string? Code,
        string? Message)
    {
        public static EndRow Of(End e) => new(
            e.Asset.ImportId, e.Asset.RowNumber, e.Asset.Rid.Value, EnumText<UndoState>.Of(e.State), e.Wait,
            (short)(e.GiveBack ? e.Asset.Tries - 1 : e.Asset.Tries), e.Asset.InDoubt, e.Code, e.Message);
    }
}
