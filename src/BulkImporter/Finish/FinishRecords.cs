using System.Collections.Concurrent;
using BulkImporter.Accounts;
using BulkImporter.Manifests;
using BulkImporter.Records;
using BulkImporter.Telemetry;
using Cincopa.Client;

namespace BulkImporter.Finish;

/// <summary>
/// Stage 6: writes caption, texts, tags and reference id to the assets of imported records, puts them into the galleries that their rows
/// name, and looks what arrived where something was expected: the first time as the batch in which they were imported, then each by itself.
/// Every worker does so; a claim is nothing but a next_at moved ahead. All of it may be done twice, and nothing of it submits an asset. Its
/// calls come out of the account's status budget.
/// </summary>
internal sealed class FinishRecords(
    RoundNeeds needs, NameGallery galleries, RetrySchedule retries, IOptions<ManifestOptions> manifests, ILogger<FinishRecords> log)
    : AccountRound<FinishRecords.Due, FinishRecords.End>(needs, Loop)
{
    public const string Loop = "finisher";

    /// <summary>The asset has a reference id that is not ours, which is never overwritten.</summary>
    public const string ReferenceIdTaken = "reference_id_taken";

    /// <summary>A value is too long for the call's query.</summary>
    public const string ValueTooLong = "value_too_long";

    /// <summary>Something that nobody foresaw.</summary>
    public const string Unexpected = "unexpected_error";

    /// <summary>Assets that join a gallery with one call: their ids take less than half of what its query may hold.</summary>
    internal const int MostToJoin = 50;

    /// <summary>Cincopa does not list the asset.</summary>
    private static readonly string NotListed = EnumText<FailureCode>.Of(FailureCode.AssetUnnamed);

    /// <summary>How long a record waits for another worker that looks for its gallery.</summary>
    private static readonly TimeSpan GalleryWait = TimeSpan.FromSeconds(2);

    // The try counts from here on, and is taken back when it did not fail. So one whose end can never be written ends too.
    private static readonly string ClaimOwn = $"""
        WITH {WorkBatch.Due("importer.record_finish")}
        UPDATE importer.record_finish f
        SET next_at = now() + $2, failed_count = f.failed_count + 1
        FROM due
        JOIN importer.import_record r ON r.import_id = due.import_id AND r.row_number = due.row_number
        LEFT JOIN importer.record_meta m ON m.import_id = due.import_id AND m.row_number = due.row_number
        WHERE f.import_id = due.import_id AND f.row_number = due.row_number
        RETURNING NULL::bigint AS batch_id, f.import_id, f.row_number, f.account_id, f.rid, f.failed_count AS tries,
            f.only_looks, {Texts}
        """;

    private static readonly string ClaimBatches = $"""
        WITH {WorkBatch.Claim(BatchStep.Finish)}
        SELECT c.batch_id, c.import_id, c.row_number, c.account_id, r.rid, c.tries, false AS only_looks, {Texts}
        FROM claimed c
        JOIN importer.import_record r ON r.import_id = c.import_id AND r.row_number = c.row_number
        LEFT JOIN importer.record_meta m ON m.import_id = c.import_id AND m.row_number = c.row_number
        """;

    private const string Texts = $"""
        {RecordAsset.IsToBeSeen} AS is_to_be_seen, r.caption, r.reference_id, r.is_push, r.source_url,
            m.description, m.long_description, m.tags, m.related_link_text, m.related_link_url, m.gallery, m.file_name
        """;

    // The claim's row is ours as long as it is pending; what somebody else did in the meantime was the same.
    private const string RemoveDone = """
        WITH ended AS MATERIALIZED (SELECT *, 'pending' AS before FROM unnest($1::importer.finish_end[]))
        DELETE FROM importer.record_finish f USING ended e
        WHERE e.state = 'done' AND f.import_id = e.import_id AND f.row_number = e.row_number AND f.state = e.before
        """;

    private const string Write = """
        WITH ended AS MATERIALIZED (SELECT *, 'pending' AS before FROM unnest($1::importer.finish_end[]))
        UPDATE importer.record_finish f
        SET state = e.state, next_at = now() + e.wait, failed_count = e.failed_count, error_code = e.code, error_message = e.message
        FROM ended e
        WHERE e.state <> 'done' AND f.import_id = e.import_id AND f.row_number = e.row_number AND f.state = e.before
        """;

    // The first try, that of the batch, did not do it.
    private const string Begin = """
        INSERT INTO importer.record_finish (import_id, row_number, account_id, rid, state, next_at, failed_count, error_code, error_message)
        SELECT import_id, row_number, account_id, rid, state, now() + wait, failed_count, code, message
        FROM unnest($1::importer.finish_end[])
        ON CONFLICT (import_id, row_number) DO NOTHING
        """;

    /// <summary>
    /// Tries after which a record's finishing counts as failed: with waits that double, about as long as Cincopa was ever down.
    /// </summary>
    internal int Attempts { get; init; } = 8;

    // Each of them makes its calls one after the other; the account's status rate is what limits.
    protected override int CallsInFlight => 8;

    // Each record takes several calls: twice as long as a chunk is left to its worker.
    protected override TimeSpan ClaimFor => Work.LeaseDuration * 2;

    protected override async Task<IReadOnlyList<Due>> ClaimAsync(CancellationToken cancellationToken) =>
        await Database.QueryByKeyAsync<Due>([ClaimBatches, ClaimOwn], cancellationToken, ClaimLimits(100));

    protected override int AccountOf(Due item) => item.AccountId;

    protected override string NameOf(Due item) => $"import {item.ImportId} row {item.RowNumber}";

    protected override async Task<End?> WorkAsync(Due item, AccountCalls calls, CancellationToken stop)
    {
        if (item.Tries > Attempts)
            return Failed(item, Unexpected,
                $"It was started {Attempts} times, and its result could not be saved. The log says why; then finish these records again.");
        var seen = new List<RemoteAsset>(1);
        var end = (await FinishAsync(item, calls, seen)) with { Asset = seen is [var asset] ? asset : null };
        if (end is { State: FinishState.Done, Joins: null }) calls.Worked();
        return end;
    }

    // Into the galleries, with one call for all that join the same one, in the order of their rows.
    protected override async Task<IReadOnlyCollection<End>> TogetherAsync(
        IReadOnlyCollection<End> ends, AccountCalls calls, ParallelOptions limits, ConcurrentBag<FailedItem> failed)
    {
        var joined = new ConcurrentBag<End>(ends.Where(e => e.Joins is null));
        var joining = ends.Where(e => e.Joins is not null).OrderBy(e => (e.Record.ImportId, e.Record.RowNumber))
            .GroupBy(e => e.Joins!.Value).SelectMany(its => its.Chunk(MostToJoin), (its, some) => (Fid: its.Key, Some: some));
        await Parallel.ForEachAsync(joining, limits, async (one, _) =>
        {
            try
            {
                foreach (var end in await JoinAsync(one.Fid, one.Some, calls)) joined.Add(end);
            }
            catch (Exception e)
            {
                failed.Add(new(NameOf(one.Some[0].Record), e));
                foreach (var end in one.Some) joined.Add(Broken(end.Record, e)! with { Asset = end.Asset });
            }
        });
        return joined;
    }

    private async Task<IReadOnlyList<End>> JoinAsync(Fid fid, End[] some, AccountCalls calls)
    {
        if (!await calls.MayCallAsync()) return [.. some.Select(e => Later(e.Record) with { Asset = e.Asset })];
        var rids = Array.ConvertAll(some, e => e.Record.Rid);
        if (await Cincopa.AddGalleryItemsAsync(calls.Access, fid, rids, CancellationToken.None) is not ChangeResult.Failed refused)
        {
            calls.Worked();
            return some;
        }
        if (some is [var one]) return [await FailedAsync(one.Record, calls, refused.Error) with { Asset = one.Asset }];
        if (await calls.BlameAsync(refused.Error)) return [.. some.Select(e => Later(e.Record) with { Asset = e.Asset })];
        // It may be about one of them, and must not be the others' trouble.
        var ends = new List<End>(some.Length);
        foreach (var end in some) ends.AddRange(await JoinAsync(fid, [end], calls));
        return ends;
    }

    // What the database does for a while is no failure of the record.
    protected override End? Broken(Due item, Exception error) =>
        error.MayPass() ? Later(item) : Again(item, Unexpected, error.Reason());

    // One import at a time, as RecordTransitions says of its locks: what is kept of assets locks their chunks, too.
    protected override async Task WriteAsync(List<End> ends)
    {
        foreach (var its in ends.GroupBy(e => e.Record.ImportId)) await WriteOneAsync([.. its]);
        Log.RecordsFinished(log, ends.Count(e => e.State == FinishState.Done));
    }

    private async Task WriteOneAsync(IReadOnlyList<End> ends)
    {
        var rows = ends.ToLookup(e => e.Record.BatchId is null, EndRow.Of);
        EndRow[] own = [.. rows[true]], first = [.. rows[false].Where(e => e.State != EnumText<FinishState>.Of(FinishState.Done))];
        // What the listing said besides costs no call.
        SeenAsset[] seen = [.. ends.Where(e => e.Asset is not null)
            .Select(e => SeenAsset.Of(e.Record.ImportId, e.Record.RowNumber, e.Asset!))];
        SeenAsset[] gone = [.. ends.Where(e => e.Code == NotListed)
            .Select(e => SeenAsset.Unlisted(e.Record.ImportId, e.Record.RowNumber, e.Record.Rid))];
        await Database.ExecuteBatchByKeyAsync(Commands, CancellationToken.None);

        IEnumerable<NpgsqlBatchCommand> Commands()
        {
            foreach (var command in RecordAsset.Keep(seen, gone)) yield return command;
            if (own.Length > 0)
            {
                yield return Sql.BatchCommand(RemoveDone, [own]);
                yield return Sql.BatchCommand(Write, [own]);
            }
            if (first.Length > 0) yield return Sql.BatchCommand(Begin, [first]);
            foreach (var command in WorkBatch.Leave(ends.Select(e => (e.Record.BatchId, e.Record.RowNumber)))) yield return command;
        }
    }

    protected override End Unstorable(End end) =>
        end with { State = FinishState.Failed, GiveBack = false, Code = Unexpected, Message = Outcome.UnstorableMessage, Asset = null };

    /// <param name="seen">Gets the asset as it was listed, when it had to be listed.</param>
    private async Task<End> FinishAsync(Due record, AccountCalls calls, List<RemoteAsset> seen)
    {
        // 1. The gallery that the row names. First of all: a record that must wait for it makes no call that could fail it.
        GalleryNamed? gallery = null;
        if (record is { Gallery: { } name, OnlyLooks: false })
        {
            gallery = await galleries.RunAsync(record.AccountId, calls, name);
            if (gallery is GalleryNamed.Busy) return Later(record);
        }

        // 2. What the asset is, where something was expected of it; and the reference id that it has: one that is not ours stays.
        var meta = record.ToMeta();
        string? taken = null;
        RemoteError? unlooked = null;
        if (meta.ReferenceId is not null || record.IsToBeSeen || record.OnlyLooks)
        {
            if (!await calls.MayCallAsync()) return Later(record);
            var query = new AssetListQuery
            { Rid = record.Rid, Details = meta.ReferenceId is null ? null : "reference_id", BypassCache = true };
            var listed = await Cincopa.ListAssetsAsync(calls.Access, query, CancellationToken.None);
            // A token that may not look must not keep the texts away from the asset; with a reference id nothing is written unlooked.
            if (listed is AssetListResult.Failed { Error: var error })
            {
                if (meta.ReferenceId is not null || record.OnlyLooks
                    || error.Code() is not (FailureCode.PermissionMissing or FailureCode.TokenRejected))
                    return await FailedAsync(record, calls, error);
                unlooked = error;
            }
            else if (((AssetListResult.Ok)listed).Items.FirstOrDefault(a => a.Rid == record.Rid) is not { } asset)
                return Again(record, NotListed,
                    "Cincopa does not list the asset (yet), so it is not known what arrived, and whether it has a reference id.");
            else
            {
                seen.Add(asset);
                if (record.OnlyLooks) return new(record, FinishState.Done, TimeSpan.Zero, GiveBack: true, null, null);
                if (meta.ReferenceId is { } reference && !string.IsNullOrEmpty(asset.ReferenceId) && asset.ReferenceId != reference)
                {
                    taken = asset.ReferenceId;
                    meta = meta with { ReferenceId = null };
                }
            }
        }

        // 3. The texts, in as many calls as they need.
        var texts = MetaCalls.Of(meta, manifests.Value.MaxEncodedText, out var tooLong);
        foreach (var call in texts)
        {
            if (!await calls.MayCallAsync()) return Later(record);
            if (await Cincopa.SetMetaAsync(calls.Access, record.Rid, call, CancellationToken.None) is ChangeResult.Failed failed)
                return await FailedAsync(record, calls, failed.Error);
        }

        // 4. What cannot be done however often it is tried. When the gallery could not be named, the texts are there all the same.
        if (gallery is GalleryNamed.Failed unnamed) return await FailedAsync(record, calls, unnamed.Error);
        var end = unlooked is not null ? await FailedAsync(record, calls, unlooked)
            : taken is not null ? Failed(record, ReferenceIdTaken,
                $"The asset has the reference id '{taken}', which is not this row's and is not overwritten.")
            : tooLong is [var (field, length), ..] ? Failed(record, ValueTooLong,
                string.Create(CultureInfo.InvariantCulture,
                    $"The {field} takes {length} characters in Cincopa's call, which is assumed to allow {manifests.Value.MaxEncodedText} "
                        + $"(BulkImporter:Manifests:MaxEncodedLength). The rest was written; set it in Cincopa, or shorten it."))
            : new End(record, FinishState.Done, TimeSpan.Zero, GiveBack: true, null, null);

        // 5. It joins its gallery together with others of this round, and has not ended before.
        return end with { Joins = (gallery as GalleryNamed.Known)?.Fid };
    }

    /// <summary>
    /// What an error means: trouble of the account closes the round and is nobody's failure; a refusal for good ends the finishing; the
    /// rest is tried again.
    /// </summary>
    private async Task<End> FailedAsync(Due record, AccountCalls calls, RemoteError error)
    {
        if (await calls.BlameAsync(error)) return Later(record);
        return error.Code() switch
        {
            // A token may be allowed to upload and not to write: that must not suspend an account that imports.
            FailureCode.TokenRejected or FailureCode.PermissionMissing =>
                Failed(record, EnumText<FailureCode>.Of(FailureCode.PermissionMissing),
                $"The token does not allow this: {error.Message} Give it asset.read, asset.write and gallery.write, then finish these "
                    + "records again."),
            FailureCode.InvalidInput => Failed(record, EnumText<FailureCode>.Of(FailureCode.InvalidInput), error.Message),
            var code => Again(record, EnumText<FailureCode>.Of(code), error.Message, error.RetryAfter),
        };
    }

    /// <summary>Not tried, or not to the end, for no reason of its own.</summary>
    private static End Later(Due record) => new(record, FinishState.Pending, GalleryWait, GiveBack: true, null, null);

    private End Again(Due record, string code, string message, TimeSpan? retryAfter = null) => record.Tries >= Attempts
        ? Failed(record, code, message)
        : new(record, FinishState.Pending, retries.Wait(record.Tries, retryAfter), GiveBack: false, code, message);

    private End Failed(Due record, string code, string message)
    {
        Log.FinishFailed(log, record.ImportId, record.RowNumber, code, message);
        return new(record, FinishState.Failed, TimeSpan.Zero, GiveBack: false, code, message);
    }

    /// <param name="BatchId">The batch that it waits in for its first try; null when it has a row of its own.</param>
    /// <param name="Tries">This one included.</param>
    /// <param name="OnlyLooks">A person asked what arrived; nothing is written.</param>
    /// <param name="IsToBeSeen">Something was expected of the asset that is not confirmed yet.</param>
    internal sealed record Due(
        long? BatchId, int ImportId, int RowNumber, int AccountId, Rid Rid, short Tries, bool OnlyLooks, bool IsToBeSeen, string? Caption,
        string? ReferenceId, bool IsPush, string SourceUrl, string? Description, string? LongDescription, string? Tags,
        string? RelatedLinkText, string? RelatedLinkUrl, string? Gallery, string? FileName)
    {
        public AssetMeta ToMeta()
        {
            // A pushed file carries a key in its name; without a caption the asset would show it.
            var caption = Caption ?? (IsPush ? Path.GetFileNameWithoutExtension(FileName ?? SourceName.Of(SourceUrl)) : null);
            return new AssetMeta
            {
                Caption = string.IsNullOrEmpty(caption) ? null : caption,
                ReferenceId = ReferenceId,
                Description = Description,
                LongDescription = LongDescription,
                Tags = Tags,
                RelatedLinkText = RelatedLinkText,
                RelatedLinkUrl = RelatedLinkUrl,
            };
        }
    }

    /// <param name="GiveBack">The try did not fail; it was not made, or not to its end, for no reason of the record's.</param>
    /// <param name="Asset">As it was listed; null when it did not have to be.</param>
    /// <param name="Joins">The gallery that the asset joins before this is true.</param>
    internal sealed record End(
        Due Record, FinishState State, TimeSpan Wait, bool GiveBack, string? Code, string? Message, RemoteAsset? Asset = null,
        Fid? Joins = null);

    /// <summary>The same, as the statement takes it.</summary>
    [StoredAsRow("finish_end")]
    internal sealed record EndRow(
        int ImportId, int RowNumber, string State, TimeSpan Wait, short FailedCount, string? Code, string? Message, int AccountId,
        string Rid)
    {
        public static EndRow Of(End e) => new(
            e.Record.ImportId, e.Record.RowNumber, EnumText<FinishState>.Of(e.State), e.Wait,
            (short)(e.GiveBack ? e.Record.Tries - 1 : e.Record.Tries), e.Code, e.Message, e.Record.AccountId, e.Record.Rid.Value);
    }
}
