using BulkImporter.Data;
using BulkImporter.Imports;
using BulkImporter.Records;
using Microsoft.EntityFrameworkCore;

namespace BulkImporter.Reconcile;

/// <summary>An asset that may be the record's.</summary>
public sealed record CandidateView(string Rid, string FileName, long? SizeBytes, DateTimeOffset UploadedAt, string? Caption);

/// <summary>What is known about the asset of a record in doubt.</summary>
/// <param name="Items">The latest first; none for a record that is not unknown.</param>
/// <param name="LookedAt">When the account's assets were last looked through for it; null when they were not yet.</param>
/// <param name="Problem">Why the account's assets cannot be looked through at present; null when they can.</param>
public sealed record CandidatesView(IReadOnlyList<CandidateView> Items, DateTimeOffset? LookedAt, string? Problem);

public sealed class ReadCandidates(IDbContextFactory<ImporterDb> contexts)
{
    /// <summary>Null when the import has no such row.</summary>
    public async Task<CandidatesView?> FindAsync(int importId, int rowNumber, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        var records = db.Set<ImportRecord>().Where(r => r.ImportId == importId && r.RowNumber == rowNumber);
        var look = await (
            from r in records
            join i in db.Set<Import>() on r.ImportId equals i.Id
            join t in db.Set<Attempt>() on new { r.ImportId, r.RowNumber, Number = r.AttemptCount } equals new
            {
                t.ImportId,
                t.RowNumber,
                t.Number
            } into attempts
            from t in attempts.DefaultIfEmpty()
            join l in db.Set<AccountLook>() on i.AccountId equals l.AccountId into looks
            from l in looks.DefaultIfEmpty()
            select new { t.LookedAt, l.Problem }).SingleOrDefaultAsync(cancellationToken);
        if (look is null) return null;
        var items = await (
            from r in records
            where r.State == RecordState.Unknown
            join k in db.Set<Candidate>() on new { r.ImportId, r.RowNumber, Attempt = r.AttemptCount } equals new
            {
                k.ImportId,
                k.RowNumber,
                k.Attempt
            }
            orderby k.UploadedAt descending, k.Rid
            select new CandidateView(k.Rid, k.FileName, k.SizeBytes, k.UploadedAt, k.Caption)).ToListAsync(cancellationToken);
        return new(items, look.LookedAt, look.Problem);
    }
}
