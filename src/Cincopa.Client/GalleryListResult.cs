namespace Cincopa.Client;

public sealed record GalleryListQuery
{
    /// <summary>Counted from 1 (OWN S8).</summary>
    public int Page { get; init; } = 1;

    /// <summary>Cincopa's own clients ask for 50 (OWN S7).</summary>
    public int ItemsPerPage { get; init; } = 50;

    /// <summary>Free text, or <c>caption=NAME</c> for an exact name (OWN S8).</summary>
    public string? Search { get; init; }

    /// <summary>Asks for <c>cache=never</c>: seen on <c>asset.list</c> only (OWN S9), here INF.</summary>
    public bool BypassCache { get; init; }
}

/// <summary>The answer to <see cref="ICincopaClient.ListGalleriesAsync"/>.</summary>
public abstract record GalleryListResult
{
    private GalleryListResult() { }

    /// <param name="Items">In the API's order. No item is left out: one without an id makes the reply unreadable.</param>
    /// <param name="Page">As the reply counts; null when not said.</param>
    /// <param name="ItemsPerPage">As the reply counts; null when not said.</param>
    /// <param name="ItemsCount">Galleries over all pages; null when not said.</param>
    /// <param name="PagesCount"><c>page_count</c> (3P S13) or <c>pages_count</c> (3P S12); null when not said.</param>
    public sealed record Ok(IReadOnlyList<RemoteGallery> Items, int? Page, int? ItemsPerPage, int? ItemsCount, int? PagesCount)
        : GalleryListResult;

    public sealed record Failed(RemoteError Error) : GalleryListResult, IFailure;
}

/// <summary>A gallery as <c>gallery.list</c> shows it (3P S12 S13); its upload address is left out, because it is a secret.</summary>
/// <param name="Name">For people; null when it has none.</param>
/// <param name="Description">For people; null when it has none.</param>
public sealed record RemoteGallery(Fid Fid, string? Name, string? Description);
