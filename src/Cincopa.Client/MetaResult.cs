namespace Cincopa.Client;

/// <summary>What <c>asset.set_meta</c> writes (OWN S7 S8 S9). Null leaves a field as it is.</summary>
public sealed record AssetMeta
{
    public string? Caption { get; init; }
    public string? Description { get; init; }
    public string? LongDescription { get; init; }
    public string? RelatedLinkText { get; init; }
    public string? RelatedLinkUrl { get; init; }

    /// <summary>Free text of the integrator; not unique, and nothing tells how long it may be (UNK).</summary>
    public string? ReferenceId { get; init; }

    /// <summary>Comma list. Whether it replaces the earlier tags or joins them is not known (UNK).</summary>
    public string? Tags { get; init; }
}

/// <summary>
/// The answer to a call that changes something and may be repeated: <c>asset.set_meta</c>, <c>asset.delete</c>, <c>gallery.add_item</c>.
/// </summary>
public abstract record ChangeResult
{
    private ChangeResult() { }

    public sealed record Ok : ChangeResult;

    /// <summary>Refused, or nobody knows: the error's kind tells which. The same call again is taken as harmless (INF).</summary>
    public sealed record Failed(RemoteError Error) : ChangeResult, IFailure;
}
