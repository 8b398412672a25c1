namespace Cincopa.Simulator.Remote;

/// <summary>The filters of <c>asset.list</c>; null means any.</summary>
internal sealed record AssetQuery
{
    /// <summary>Contained in caption or file name, any case; or <c>tag=…</c>, <c>caption=…</c> for an exact one.</summary>
    public string? Search { get; init; }

    /// <summary>Exact rid or numeric id.</summary>
    public string? Rid { get; init; }

    /// <summary>Exact.</summary>
    public string? ReferenceId { get; init; }

    public string? Tag { get; init; }

    /// <summary>Comma list of video, image, audio, other.</summary>
    public string? Types { get; init; }

    public bool IsEmpty => Search is null && Rid is null && ReferenceId is null && Tag is null && Types is null;

    public bool Fits(Asset asset) =>
        (Rid is null || asset.Rid == Rid || asset.Id == Rid)
        && (ReferenceId is null || asset["reference_id"] == ReferenceId)
        && (Tag is null || HasTag(asset, Tag))
        && (Types is null || Types.Split(',').Contains(asset.Type))
        && (Search is null || Finds(asset, Search));

    private static bool Finds(Asset asset, string search)
    {
        if (search.StartsWith("tag=", StringComparison.Ordinal))
            return HasTag(asset, search[4..]);
        if (search.StartsWith("caption=", StringComparison.Ordinal))
            return asset["caption"] == search[8..];
        return asset.FileName.Contains(search, StringComparison.OrdinalIgnoreCase)
            || asset["caption"].Contains(search, StringComparison.OrdinalIgnoreCase);
    }

    private static bool HasTag(Asset asset, string tag) => asset.WireTags.Contains($",{tag},", StringComparison.OrdinalIgnoreCase);
}
