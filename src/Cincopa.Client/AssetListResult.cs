namespace Cincopa.Client;

/// <summary>What to list. Cincopa documents no sort order and no filter by file name, date or size (UNK).</summary>
public sealed record AssetListQuery
{
    /// <summary>Counted from 1 (OWN S7).</summary>
    public int Page { get; init; } = 1;

    /// <summary>Cincopa's own clients ask for 50 (OWN S7); a third party caps at 100 (3P S12).</summary>
    public int ItemsPerPage { get; init; } = 50;

    /// <summary>Free text over the metadata, or <c>field=value</c> (OWN S7 S8 S9). Whether file names match is not known.</summary>
    public string? Search { get; init; }

    /// <summary>Exactly this asset (DOC S3).</summary>
    public Rid? Rid { get; init; }

    /// <summary>Exactly this reference id (3P S13 S15).</summary>
    public string? ReferenceId { get; init; }

    /// <summary>Comma list of fields to be told beside the usual ones, e.g. <c>reference_id</c> (DOC S3).</summary>
    public string? Details { get; init; }

    /// <summary>Asks for <c>cache=never</c>: reads may otherwise be old (OWN S9).</summary>
    public bool BypassCache { get; init; }
}

/// <summary>The answer to <see cref="ICincopaClient.ListAssetsAsync"/>.</summary>
public abstract record AssetListResult
{
    private AssetListResult() { }

    /// <param name="Items">In the API's order. No item is left out: one without an id makes the reply unreadable.</param>
    /// <param name="Page">As the reply counts; null when not said.</param>
    /// <param name="ItemsPerPage">As the reply counts; null when not said.</param>
    /// <param name="ItemsCount">Items over all pages; null when not said.</param>
    /// <param name="PagesCount"><c>pages_count</c> (OWN S7 S9) or <c>page_count</c> (3P S13); null when not said.</param>
    public sealed record Ok(IReadOnlyList<RemoteAsset> Items, int? Page, int? ItemsPerPage, int? ItemsCount, int? PagesCount)
        : AssetListResult;

    public sealed record Failed(RemoteError Error) : AssetListResult, IFailure;
}

/// <summary>An asset as <c>asset.list</c> shows it (DOC S3). No field holds the source URL of a pulled asset. Null = not said.</summary>
/// <param name="FileName">The file's name, with extension; from the original version when the asset itself does not say.</param>
/// <param name="FileSize">Bytes of the file as it came in; from the original version when the asset itself does not say (DOC S3 for the
/// fields; that <c>filesize</c> does not count renditions is INF).</param>
/// <param name="Uploaded">When the file came in; a time without zone is taken as UTC (INF).</param>
/// <param name="Caption">The caption; may be empty.</param>
/// <param name="ReferenceId">Free text of the integrator, not unique; may be empty.</param>
/// <param name="Type"><c>video</c>, <c>image</c>, <c>audio</c>, <c>other</c> (OWN S9).</param>
/// <param name="SyncStatus"><c>synced</c> when the renditions are ready (OWN S7).</param>
/// <param name="FileUrl">Its original file, else its content, else any version that is no picture (DOC S3 S4).</param>
/// <param name="ThumbnailUrl">A small picture of it (OWN S7; <c>value</c> in events, DOC S4).</param>
/// <param name="Duration">How long it plays (OWN S7; as <c>duration</c> in events, DOC S4).</param>
public sealed record RemoteAsset(
    Rid Rid, string? FileName, long? FileSize, DateTimeOffset? Uploaded, string? Caption, string? ReferenceId, string? Type,
    string? SyncStatus, string? FileUrl = null, string? ThumbnailUrl = null, TimeSpan? Duration = null);
