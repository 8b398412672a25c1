using System.Collections.Concurrent;
using BulkImporter.Accounts;
using Cincopa.Client;

namespace BulkImporter.Finish;

/// <summary>What became of the question which gallery a name means.</summary>
internal abstract record GalleryNamed
{
    private GalleryNamed() { }

    public sealed record Known(Fid Fid) : GalleryNamed;

    /// <summary>Another worker looks for it or makes it at this moment, or no call may be made now.</summary>
    public sealed record Busy : GalleryNamed;

    public sealed record Failed(RemoteError Error) : GalleryNamed;
}

/// <summary>
/// The gallery of a name. One row per account and name is claimed by whoever asks first: he looks through the account's galleries, and
/// makes it only when there is none. Creating is not repeatable; after a reply that was lost, or a death, the next one looks again and
/// finds it. The claim is short, because those who wait for a dead worker wait for its end, and renewed before every call.
/// </summary>
internal sealed class NameGallery(NpgsqlDataSource database, ICincopaClient cincopa, ILogger<NameGallery> log)
{
    private const int MostPages = 1000;

    /// <summary>With more names than this, all are asked of the database again.</summary>
    private const int MostRemembered = 10_000;

    /// <summary>
    /// The name is a key here, and an argument of the call. A manifest's checks let none in that is longer; records of older imports may
    /// have one.
    /// </summary>
    internal const int LongestName = 250;

    /// <summary>Longer than one call may take.</summary>
    private static readonly TimeSpan ClaimFor = TimeSpan.FromSeconds(90);

    /// <summary>How long the name rests after a failure, so that a creation whose reply was lost shows in the list.</summary>
    private static readonly TimeSpan RestFor = TimeSpan.FromSeconds(5);

    private const string Read = "SELECT fid FROM importer.named_gallery WHERE account_id = $1 AND name = $2 AND fid IS NOT NULL";

    private const string Claim = """
        INSERT INTO importer.named_gallery AS g (account_id, name, claimed_until) VALUES ($1, $2, clock_timestamp() + $3)
        ON CONFLICT (account_id, name) DO UPDATE SET claimed_until = excluded.claimed_until
        WHERE g.fid IS NULL AND g.claimed_until <= clock_timestamp()
        RETURNING claimed_until
        """;

    // The end of a claim tells whose it is: another one's ends elsewhere.
    private const string Renew = """
        UPDATE importer.named_gallery SET claimed_until = clock_timestamp() + $4
        WHERE account_id = $1 AND name = $2 AND fid IS NULL AND claimed_until = $3
        RETURNING claimed_until
        """;

    private const string Settle = "UPDATE importer.named_gallery SET fid = $3 WHERE account_id = $1 AND name = $2 AND fid IS NULL";

    private const string Rest = """
        UPDATE importer.named_gallery SET claimed_until = clock_timestamp() + $4
        WHERE account_id = $1 AND name = $2 AND fid IS NULL AND claimed_until = $3
        """;

    /// <summary>By account and name: what is being found out for all who ask meanwhile, and then is known, because it stays so.</summary>
    private readonly ConcurrentDictionary<(int AccountId, string Name), Lazy<Task<GalleryNamed>>> asked = new();

    public async Task<GalleryNamed> RunAsync(int accountId, AccountCalls calls, string name)
    {
        if (name.Length > LongestName)
        {
            var sentence = string.Create(CultureInfo.InvariantCulture,
                $"The gallery's name has {name.Length:N0} characters; {LongestName} are possible.");
            return new GalleryNamed.Failed(new RemoteError(RemoteErrorKind.InvalidInput, null, sentence, null));
        }
        if (asked.Count >= MostRemembered) asked.Clear();
        var asking = asked.GetOrAdd((accountId, name), _ => new(() => AskAsync(accountId, calls, name)));
        var isKnown = false;
        try
        {
            var named = await asking.Value;
            isKnown = named is GalleryNamed.Known;
            return named;
        }
        finally
        {
            if (!isKnown) asked.TryRemove(new((accountId, name), asking));
        }
    }

    private async Task<GalleryNamed> AskAsync(int accountId, AccountCalls calls, string name)
    {
        if (await database.QueryAsync<Fid>(Read, CancellationToken.None, accountId, name) is [var fid]) return new GalleryNamed.Known(fid);
        if (await database.QueryAsync<DateTimeOffset>(Claim, CancellationToken.None, accountId, name, ClaimFor) is not [var until])
            return new GalleryNamed.Busy();

        var claim = new Held(until);
        var isSettled = false;
        try
        {
            var named = await FindOrCreateAsync(accountId, calls, name, claim);
            if (named is not GalleryNamed.Known known) return named;
            await database.ExecuteAsync(Settle, CancellationToken.None, accountId, name, known.Fid.Value);
            isSettled = true;
            return named;
        }
        finally
        {
            // The other workers' records of this gallery wait for the end of the claim.
            if (!isSettled) await database.ExecuteAsync(Rest, CancellationToken.None, accountId, name, claim.Until, RestFor);
        }
    }

    private async Task<GalleryNamed> FindOrCreateAsync(int accountId, AccountCalls calls, string name, Held claim)
    {
        for (var page = 1; page <= MostPages; page++)
        {
            if (!await MayCallAsync()) return new GalleryNamed.Busy();
            var result = await cincopa.ListGalleriesAsync(calls.Access, new GalleryListQuery
            { Page = page, Search = "caption=" + name, BypassCache = true }, CancellationToken.None);
            // Of several galleries of this name the first that is listed.
            if (result is GalleryListResult.Failed failed) return new GalleryNamed.Failed(failed.Error);
            var ok = (GalleryListResult.Ok)result;
            if (ok.Items.FirstOrDefault(g => g.Name == name) is { } found)
            {
                Log.GalleryFound(log, accountId, name, found.Fid.Value);
                return new GalleryNamed.Known(found.Fid);
            }
            if (ok.Items.Count == 0 || page >= (ok.PagesCount ?? page)) break;
        }

        if (!await MayCallAsync()) return new GalleryNamed.Busy();
        var made = await cincopa.CreateGalleryAsync(calls.Access, name, CancellationToken.None);
        if (made is not GalleryCreateResult.Created created) return new GalleryNamed.Failed(((GalleryCreateResult.Failed)made).Error);
        Log.GalleryCreated(log, accountId, name, created.Fid.Value);
        return new GalleryNamed.Known(created.Fid);

        // The claim is renewed after a wait for the permit, so that it outlasts the call.
        async Task<bool> MayCallAsync()
        {
            if (!await calls.MayCallAsync()) return false;
            if (await database.QueryAsync<DateTimeOffset>(Renew, CancellationToken.None, accountId, name, claim.Until,
                ClaimFor) is not [var renewed]) return false;
            claim.Until = renewed;
            return true;
        }
    }

    private sealed class Held(DateTimeOffset until)
    {
        public DateTimeOffset Until { get; set; } = until;
    }
}
