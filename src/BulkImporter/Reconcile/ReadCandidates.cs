using BulkImporter.Accounts;
using BulkImporter.Imports;
using BulkImporter.Records;

namespace BulkImporter.Reconcile;

/// <summary>An asset that may be the record's.</summary>
/// <param name="Type"><c>video</c>, <c>image</c>, <c>audio</c> or <c>other</c>; null when Cincopa does not say.</param>
/// <param name="Reason">The evidence that the record became this asset, for people.</param>
/// <param name="EmbedUrl">The page that plays it; null when no gallery or template is known for it.</param>
/// <param name="HlsUrl">Its playlist; null for what is no video and no audio.</param>
/// <param name="IsLikeliest">There is more evidence for it than for any other. A person still has to decide.</param>
public sealed record CandidateView(
    string Rid, string FileName, long? SizeBytes, DateTimeOffset UploadedAt, string? Caption, string? Type, string Reason,
    bool IsLikeliest, string? EmbedUrl = null, string? HlsUrl = null);

/// <summary>What is known about the asset of a record in doubt.</summary>
/// <param name="Items">The latest first; none for a record that is not unknown.</param>
/// <param name="LookedAt">When the account's assets were last looked through for it; null when they were not yet.</param>
/// <param name="Problem">Why the account's assets cannot be looked through at present; null when they can.</param>
/// <param name="AttemptedAt">When the attempt began that may have made it; null when there was none.</param>
/// <param name="SizeBytes">Bytes of the source, when they are known; null when not.</param>
public sealed record CandidatesView(
    IReadOnlyList<CandidateView> Items, DateTimeOffset? LookedAt, string? Problem, DateTimeOffset? AttemptedAt, long? SizeBytes)
{
    /// <summary>The same, judged with the size that the source says now.</summary>
    public CandidatesView Of(long sourceSize) =>
        this with { SizeBytes = sourceSize, Items = CompareCandidates.Judged(Items, AttemptedAt, sourceSize) };
}

public sealed class ReadCandidates(IDbContextFactory<ImporterDb> contexts)
{
    /// <summary>Null when the import has no such row.</summary>
    public async Task<CandidatesView?> FindAsync(int importId, int rowNumber, CancellationToken cancellationToken)
    {
        await using var db = contexts.CreateDbContext();
        var records = db.Set<ImportRecord>().Where(r => r.ImportId == importId && r.RowNumber == rowNumber);
        var look = await (
            from r in records
            join i in db.Set<Import>() on r.ImportId equals i.Id
            join a in db.Set<Account>() on i.AccountId equals a.Id
            join t in db.Set<Attempt>()
                on new { r.ImportId, r.RowNumber, Number = r.AttemptCount } equals new { t.ImportId, t.RowNumber, t.Number } into attempts
            from t in attempts.DefaultIfEmpty()
            join l in db.Set<AccountLook>() on i.AccountId equals l.AccountId into looks
            from l in looks.DefaultIfEmpty()
            select new { t.LookedAt, l.Problem, StartedAt = (DateTimeOffset?)t.StartedAt, t.SizeBytes, a.Player, i.Settings.Fid })
            .SingleOrDefaultAsync(cancellationToken);
        if (look is null) return null;
        var items = await (
            from r in records
            where r.State == RecordState.Unknown
            join k in db.Set<Candidate>()
                on new { r.ImportId, r.RowNumber, Attempt = r.AttemptCount } equals new { k.ImportId, k.RowNumber, k.Attempt }
            orderby k.UploadedAt descending, k.Rid
            select new CandidateView(k.Rid, k.FileName, k.SizeBytes, k.UploadedAt, k.Caption, k.Type, "", false))
            .ToListAsync(cancellationToken);
        items = items.ConvertAll(k => k with
        {
            EmbedUrl = look.Player.EmbedOf(k.Rid, look.Fid),
            HlsUrl = look.Player.HlsOf(k.Rid, k.Type, k.FileName),
        });
        return new(CompareCandidates.Judged(items, look.StartedAt, look.SizeBytes), look.LookedAt, look.Problem, look.StartedAt,
            look.SizeBytes);
    }
}
