namespace Cincopa.Client;

/// <summary>A gallery as <c>gallery.list</c> shows it (OWN S8 S9).</summary>
/// <param name="Name">May be empty.</param>
public sealed record RemoteGallery(Fid Fid, string Name);

/// <summary>Which page of the account's galleries to list.</summary>
public sealed record GalleryListQuery
{
    /// <summary>Counted from 1.</summary>
    public int Page { get; init; } = 1;

    public int ItemsPerPage { get; init; } = 50;

    /// <summary>Free text, or <c>caption=NAME</c> for the exact name (OWN S8).</summary>
    public string? Search { get; init; }
}

/// <summary>The answer to <see cref="ICincopaClient.ListGalleriesAsync"/>.</summary>
public abstract record GalleryListResult
{
    private GalleryListResult() { }

    /// <param name="PagesCount"><c>page_count</c> (3P S13) or <c>pages_count</c> (3P S12); null when not said.</param>
    public sealed record Ok(IReadOnlyList<RemoteGallery> Galleries, int? PagesCount) : GalleryListResult;

    public sealed record Failed(RemoteError Error) : GalleryListResult;
}

/// <summary>The answer to <see cref="ICincopaClient.CreateGalleryAsync"/>. Not idempotent: two calls with one name make two galleries (INF).</summary>
public abstract record GalleryCreateResult
{
    private GalleryCreateResult() { }

    public sealed record Created(Fid Fid) : GalleryCreateResult;

    /// <summary>Refused, or nobody knows whether it was made: look into the list before creating it again.</summary>
    public sealed record Failed(RemoteError Error) : GalleryCreateResult;
}
