namespace Cincopa.Simulator.Remote;

/// <summary>A file that arrived, by URL or by push.</summary>
public sealed class Asset
{
    private Dictionary<string, string>? meta;

    /// <summary>Counts submits and pushed files together, from 0.</summary>
    public required int Number { get; init; }

    public required string Id { get; init; }

    public required string Rid { get; init; }

    public required string FileName { get; init; }

    /// <summary>The URL that it came from; null when it was pushed. The API never shows it.</summary>
    public string? Input { get; init; }

    /// <summary>The gallery named on the submit or in the upload URL.</summary>
    public string? Fid { get; init; }

    public required long Size { get; init; }

    public required DateTimeOffset Uploaded { get; init; }

    /// <summary>Of the pushed bytes, in lower-case hexadecimal; null when imported by URL.</summary>
    public string? Sha256 { get; init; }

    public DateTimeOffset Modified { get; internal set; }

    public bool Deleted { get; internal set; }

    public string Type => FileNames.KindOf(FileName);

    /// <summary>A field of <c>asset.set_meta</c>; empty when never set.</summary>
    public string this[string field]
    {
        get => meta?.GetValueOrDefault(field) ?? "";
        internal set => (meta ??= new Dictionary<string, string>(StringComparer.Ordinal))[field] = value;
    }

    /// <summary>The names that <c>asset.set_meta</c> takes (OWN).</summary>
    public static IReadOnlyList<string> MetaFields { get; } =
        ["caption", "description", "long_description", "related_link_text", "related_link_url", "reference_id", "tags"];

    /// <summary>The tags as they come back: with a comma before and after (DOC); empty without tags.</summary>
    public string WireTags => Tags is [] ? "" : $",{string.Join(',', Tags)},";

    public string[] Tags => this["tags"].Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
}
