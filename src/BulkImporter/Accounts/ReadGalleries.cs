using Cincopa.Client;

namespace BulkImporter.Accounts;

/// <param name="Fid">What an import's gallery setting takes.</param>
public sealed record GalleryView(string Fid, string? Name, string? Description);

/// <summary>What became of asking for an account's galleries.</summary>
public abstract record GalleriesResult
{
    private GalleriesResult() { }

    /// <param name="Next">The page to ask for next; null when this is the last.</param>
    public sealed record Page(IReadOnlyList<GalleryView> Items, int? Next) : GalleriesResult;

    public sealed record NotFound : GalleriesResult;

    /// <summary>Cincopa did not list them; the sentence is for people.</summary>
    public sealed record CannotAsk(string Sentence) : GalleriesResult;
}

/// <summary>An account's galleries as Cincopa lists them at this moment, for whoever chooses one. Nothing of it is kept.</summary>
public sealed class ReadGalleries(ReadAccounts accounts, AccountAccess access, ICincopaClient cincopa)
{
    /// <summary>Galleries on one page: what Cincopa's own clients ask for (OWN S7).</summary>
    public const int PageSize = 50;

    /// <param name="search">Part of the gallery's name; null for all.</param>
    /// <param name="page">From 1.</param>
    public async Task<GalleriesResult> RunAsync(string name, string? search, int page, CancellationToken cancellationToken)
    {
        if (await accounts.FindAsync(name, cancellationToken) is not { } account) return new GalleriesResult.NotFound();
        var (current, problem) = await access.TryAsync(account.Id, cancellationToken);
        if (current is null) return new GalleriesResult.CannotAsk(problem);
        var query = new GalleryListQuery
        { Page = page, ItemsPerPage = PageSize, Search = string.IsNullOrWhiteSpace(search) ? null : search.Trim(), BypassCache = true };
        return await cincopa.ListGalleriesAsync(current.Access, query, cancellationToken) switch
        {
            GalleryListResult.Ok ok => new GalleriesResult.Page(
                [.. ok.Items.Select(g => new GalleryView(g.Fid.Value, g.Name, g.Description))],
                ok.Items.Count > 0 && (ok.PagesCount is { } pages ? page < pages : ok.Items.Count == PageSize) ? page + 1 : null),
            GalleryListResult.Failed failed =>
                new GalleriesResult.CannotAsk($"Cincopa did not list the galleries of account '{name}': {failed.Error.Message}"),
            var other => throw new InvalidOperationException($"Unexpected answer to a list: {other}"),
        };
    }
}
