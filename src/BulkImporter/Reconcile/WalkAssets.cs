using BulkImporter.Accounts;
using Cincopa.Client;

namespace BulkImporter.Reconcile;

/// <summary>How a walk over an account's assets ended.</summary>
internal abstract record Walk
{
    private Walk() { }

    /// <param name="Assets">Those that were looked for, each once.</param>
    public sealed record Complete(IReadOnlyCollection<RemoteAsset> Assets, int Pages) : Walk;

    /// <summary>A call did not work: what was seen until then says nothing about what was not seen.</summary>
    public sealed record Failed(RemoteError Error) : Walk;

    /// <summary>The account has no permit to give at this moment.</summary>
    public sealed record NoPermit : Walk;
}

/// <summary>Walks over an account's assets page by page, past every cache, back to a time.</summary>
internal sealed class WalkAssets(ICincopaClient cincopa)
{
    /// <summary>
    /// Assets asked for with one call: Cincopa's own clients ask for 50, a third party caps at 100. A test asks for fewer.
    /// </summary>
    internal int ItemsPerPage { get; init; } = 50;

    /// <summary>A list that does not end by then is no list.</summary>
    private const int MostPages = 200_000;

    /// <param name="since">The walk may end where older assets begin.</param>
    /// <param name="isWanted">Assets to bring back.</param>
    /// <param name="turned">Called with every page.</param>
    public async Task<Walk> RunAsync(
        AccountCalls calls, DateTimeOffset since, Func<RemoteAsset, bool> isWanted, Func<Task> turned, CancellationToken cancellationToken)
    {
        var wanted = new Dictionary<Rid, RemoteAsset>();
        var previous = new HashSet<Rid>();
        // Nothing says that the newest come first (UNK). So an old one ends the walk only while every asset so far was older than the one
        // before.
        var newestFirst = true;
        var last = DateTimeOffset.MaxValue;
        for (var page = 1; page <= MostPages; page++)
        {
            if (!await calls.MayCallAsync()) return new Walk.NoPermit();
            var query = new AssetListQuery { Page = page, ItemsPerPage = ItemsPerPage, Details = "reference_id", BypassCache = true };
            var result = await cincopa.ListAssetsAsync(calls.Access, query, cancellationToken);
            if (result is AssetListResult.Failed failed) return new Walk.Failed(failed.Error);
            var ok = (AssetListResult.Ok)result;
            await turned();

            foreach (var asset in ok.Items.Where(isWanted)) wanted[asset.Rid] = asset;
            // New assets push the others on, so that the next page repeats the end of this one.
            var fresh = ok.Items.Where(a => !previous.Contains(a.Rid)).ToList();
            previous = [.. ok.Items.Select(a => a.Rid)];
            foreach (var uploaded in fresh.Select(a => a.Uploaded).OfType<DateTimeOffset>())
            {
                newestFirst &= uploaded <= last;
                last = uploaded;
            }
            var isLast = ok.Items.Count == 0 || (ok.PagesCount is { } pages ? page >= pages : fresh.Count == 0);
            if (isLast || (newestFirst && last < since)) return new Walk.Complete(wanted.Values, page);
        }
        return new Walk.Failed(
            new RemoteError(RemoteErrorKind.UnreadableReply, null, $"The list of assets has not ended after {MostPages} pages.", null));
    }
}
