using BulkImporter.Sources;

namespace BulkImporter.Records;

/// <summary>
/// Where an account's assets play: what follows from a <c>rid</c> is made here and nowhere else. The addresses are settings of the account,
/// because they are unproven: Cincopa's own apps use them, and no page of Cincopa promises them.
/// </summary>
public sealed record PlayerSettings
{
    /// <summary>What Cincopa's own mobile players load (OWN).</summary>
    public const string DefaultHls = "https://rt.cincopa.com/{rid}.m3u8";

    /// <summary>The composite id is DOC, the page 3P.</summary>
    public const string DefaultEmbed = "https://www.cincopa.com/media-platform/iframe.aspx?fid={fid}!{rid}";

    private AddressTemplate? hls;
    private AddressTemplate? embed;

    /// <summary>The address of an asset's HLS playlist, with {rid} in it.</summary>
    public string HlsAddress { get; init; } = DefaultHls;

    /// <summary>The address of the page that plays an asset, with {rid} and {fid} in it.</summary>
    public string EmbedAddress { get; init; } = DefaultEmbed;

    /// <summary>
    /// The id of the gallery or template that embeds play with; null for the gallery that the asset stands in.
    /// </summary>
    public string? PlayerTemplate { get; init; }

    /// <summary>Null for what is no film and no sound.</summary>
    /// <param name="type">As Cincopa names it; null when it has not been asked.</param>
    public string? HlsOf(string rid, string? type, string? sourceUrl)
    {
        var plays = type is null ? !MediaHints.IsStill(sourceUrl) : type is "video" or "audio";
        return plays ? (hls ??= AddressTemplate.Parse(nameof(HlsAddress), HlsAddress)).Of(rid, PlayerTemplate, null) : null;
    }

    /// <summary>Null when the address needs a gallery and there is none.</summary>
    public string? EmbedOf(string rid, string? fid) =>
        (embed ??= AddressTemplate.Parse(nameof(EmbedAddress), EmbedAddress)).Of(rid, PlayerTemplate ?? fid, null);

    internal static void Configure(ComplexPropertyBuilder<PlayerSettings> player)
    {
        player.Property(p => p.HlsAddress).HasColumnName("hls_address").HasDefaultValue(DefaultHls);
        player.Property(p => p.EmbedAddress).HasColumnName("embed_address").HasDefaultValue(DefaultEmbed);
        player.Property(p => p.PlayerTemplate).HasColumnName("player_template");
    }
}
