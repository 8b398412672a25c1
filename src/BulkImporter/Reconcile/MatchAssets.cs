using BulkImporter.Records;
using Cincopa.Client;

namespace BulkImporter.Reconcile;

/// <summary>A record whose last attempt ended in doubt.</summary>
/// <param name="StartedAt">When the attempt began; its asset came after that.</param>
/// <param name="SizeBytes">Null when not known.</param>
/// <param name="IsPushed">The name is the row's alone.</param>
/// <param name="ReferenceId">The row's, which the asset has when we finished it and forgot (a database that was restored).</param>
internal sealed record Doubt(
    int ImportId, int RowNumber, short Attempt, string FileName, DateTimeOffset StartedAt, long? SizeBytes, bool IsPushed = false,
    string? ReferenceId = null)
{
    public AttemptKey Key => new(ImportId, RowNumber, Attempt);
}

/// <summary>An attempt of any record that may have made an asset of this name which no record has yet.</summary>
/// <param name="StartedAt">Null while it is being sent.</param>
internal sealed record Claim(int ImportId, int RowNumber, string FileName, DateTimeOffset? StartedAt);

/// <param name="Candidates">Assets that may be the record's, the latest first.</param>
/// <param name="IsCertain">The one candidate is the record's: it has the very name, and no other attempt can have made it.</param>
internal sealed record Match(Doubt Doubt, IReadOnlyList<RemoteAsset> Candidates, bool IsCertain);

/// <summary>
/// Which assets may have come of which attempts in doubt. The file name is all that ties the two together (the API shows no source URL
/// and takes no key of ours), so certainty needs that everything else with the same name is ruled out.
/// </summary>
internal static class MatchAssets
{
    /// <param name="claims">Of all records of the account, those in doubt included.</param>
    /// <param name="assets">Those that no record has.</param>
    public static IReadOnlyList<Match> Of(
        IReadOnlyList<Doubt> doubts, IReadOnlyList<Claim> claims, IEnumerable<RemoteAsset> assets, TimeSpan clockSkew)
    {
        var all = assets.ToList();
        var assetsByReference = all.Where(a => !string.IsNullOrEmpty(a.ReferenceId)).ToLookup(a => a.ReferenceId!, StringComparer.Ordinal);
        var doubtsByReference = doubts.Where(d => d.ReferenceId is not null).ToLookup(d => d.ReferenceId!, StringComparer.Ordinal);
        var assetsByName = all.Where(a => a is { FileName: not null, Uploaded: not null }).ToLookup(a => a.FileName!, SourceName.Alike);
        var claimsByName = claims.ToLookup(c => c.FileName, SourceName.Alike);
        // By the reference id first: we write it, and only to the asset of the row that has it. Two rows may say the same, so it must be
        // the only one.
        var byReference = new Dictionary<Doubt, RemoteAsset>();
        foreach (var same in doubtsByReference)
        {
            if (same.ToList() is [var doubt] && assetsByReference[same.Key].ToList() is [var ours] && CameOf(doubt.StartedAt, ours)
                && FitsSize(doubt, ours))
                byReference[doubt] = ours;
        }
        var taken = byReference.Values.Select(a => a.Rid).ToHashSet();
        return [.. doubts.Select(doubt =>
        {
            if (byReference.TryGetValue(doubt, out var its)) return new Match(doubt, [its], IsCertain: true);
            List<RemoteAsset> candidates = [.. assetsByName[doubt.FileName]
                .Where(a => !taken.Contains(a.Rid) && CameOf(doubt.StartedAt, a) && FitsSize(doubt, a)).OrderByDescending(a => a.Uploaded)];
            return new Match(doubt, candidates, candidates is [var only] && only.FileName == doubt.FileName
                && !IsClaimedByAnother(doubt, only));
        })];

        bool CameOf(DateTimeOffset startedAt, RemoteAsset asset) => asset.Uploaded >= startedAt - clockSkew;

        bool IsClaimedByAnother(Doubt doubt, RemoteAsset asset) => claimsByName[doubt.FileName].Any(c =>
            (c.ImportId, c.RowNumber) != (doubt.ImportId, doubt.RowNumber)
                && (c.StartedAt is not { } startedAt || CameOf(startedAt, asset)));
    }

    private static bool FitsSize(Doubt doubt, RemoteAsset asset) =>
        doubt.SizeBytes is not { } size || asset.FileSize is not { } other || size == other;
}
