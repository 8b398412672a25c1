namespace Cincopa.Simulator.Remote;

/// <summary>A gallery and the assets in it, in display order.</summary>
internal sealed class Gallery(string fid, string name, string description, DateTimeOffset createdAt)
{
    public string Fid => fid;

    public string Name => name;

    public string Description => description;

    public DateTimeOffset Modified { get; set; } = createdAt;

    public List<Asset> Items { get; } = [];
}
