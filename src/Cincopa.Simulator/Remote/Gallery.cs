namespace Cincopa.Simulator.Remote;

/// <summary>A gallery and the assets in it, in display order.</summary>
internal sealed class Gallery(string fid, string name, string description, DateTimeOffset createdAt)
{
    public string Fid => fid;

    public string Name { get; set; } = name;

    public string Description { get; set; } = description;

    public string[] Tags { get; set; } = [];

    /// <summary>The gallery whose looks it has; null for its own.</summary>
    public string? Master { get; set; }

    public DateTimeOffset Modified { get; set; } = createdAt;

    public List<Asset> Items { get; } = [];
}
