namespace BulkImporter.Access;

/// <summary>Where people find the pages.</summary>
public sealed class WebOptions
{
    public const string Section = "BulkImporter:Web";

    /// <summary>
    /// The URL at which people open these pages, as in <c>https://imports.example/</c>: links to sign in are written with it, and
    /// notifications link to their import. A path in it (<c>https://tools.example/media/import/</c>) is one of another site, under which
    /// all our pages are found.
    /// </summary>
    public Uri? PageBaseUrl { get; set; }

    /// <summary>
    /// Proxies that are trusted about the caller's address, scheme and host: addresses and networks, separated by commas.
    /// </summary>
    public string? TrustedProxies { get; set; }

    /// <summary>
    /// Hosts whose pictures the pages may load, once a person has turned pictures on: schemes and hosts, separated by commas. That
    /// thumbnails are on these hosts is unproven; those on other hosts are not shown.
    /// </summary>
    public string PictureHosts { get; set; } = "https://*.cincopa.com";
}
