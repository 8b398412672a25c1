namespace BulkImporter.Sources;

/// <summary>A link to a page that shows a file.</summary>
/// <param name="Host">Whose it is, in lower case.</param>
/// <param name="Direct">The address of the file itself, where the host documents how it is made of this link; else null.</param>
/// <param name="Advice">What a person does who has such a link; null where there is nothing to do, because the link works as it is.</param>
internal sealed record ShareLink(string Host, string? Direct, string? Advice);

/// <summary>
/// The one table of hosts that show a shared file in a page of their own: which of their links are such pages, how the link of the file is
/// made of one, and what to do where that is not possible. A rule makes a link only as its host documents it. A link that is not a page is
/// left alone, so what a rule makes is not touched again.
/// </summary>
internal static class ShareLinks
{
    /// <param name="Host">In lower case.</param>
    /// <param name="Path">As written, with its first slash.</param>
    /// <param name="Query">As written, without the question mark.</param>
    private readonly record struct Link(string Host, string Path, string Query)
    {
        public string[] Segments => Path.Split('/', StringSplitOptions.RemoveEmptyEntries);

        public bool Begins(string path) => Path.StartsWith(path, StringComparison.Ordinal);

        public string? Argument(string name) =>
            Query.Split('&').FirstOrDefault(p => p.StartsWith(name + "=", StringComparison.Ordinal))?[(name.Length + 1)..];

        /// <summary>The same address with one argument set, the others as they were.</summary>
        public string With(string name, string value) =>
            $"https://{Host}{Path}?{string.Join('&', [.. Query.Split('&', StringSplitOptions.RemoveEmptyEntries)
                .Where(p => !p.StartsWith(name + "=", StringComparison.Ordinal)), $"{name}={value}"])}";
    }

    /// <param name="IsPage">Whether a link of the host is a page about a file.</param>
    /// <param name="Direct">The link of the file, or null where it cannot be made of this one.</param>
    /// <param name="Advice">For what stays a page.</param>
    private sealed record Site(Func<Link, bool> IsPage, Func<Link, string?> Direct, string? Advice);

    private static readonly Func<Link, string?> Never = _ => null;

    private static readonly Site SharePoint = new(
        IsSharePointPage,
        // Links to one file; a folder (/:f:/) has none.
        l => l.Path is ['/', ':', not 'f', ':', '/', ..] ? l.With("download", "1") : null,
        "SharePoint shows this page, or asks to sign in. In SharePoint, share the file with anyone who has the link and use that link.");

    // docs.cloud.google.com/storage: an object is at https://storage.googleapis.com/BUCKET/KEY.
    private static readonly Site GoogleCloud = new(
        l => (l.Host == "console.cloud.google.com" && l.Begins("/storage/")) || l.Host == "storage.cloud.google.com", DirectGcs,
        "This is a page of Google's console. Use the public address of the object, or a signed link where it is not public.");

    private static readonly ByDomain<Site> Sites = new(new Dictionary<string, Site>
    {
        // help.dropbox.com, "How to force a shared link to download": dl=1. Cincopa's own example is a Dropbox link, so one that is left as
        // it is needs no warning.
        ["dropbox.com"] = new(
            l => l.Host is "dropbox.com" or "www.dropbox.com" && l.Argument("dl") != "1" && l.Argument("raw") != "1"
                && !l.Begins("/s/raw/") && !l.Begins("/s/dl/"),
            l => l.Begins("/s/") || l.Begins("/scl/fi/") ? l.With("dl", "1") : null,
            "This is a folder or a page of Dropbox. Share each file and use its own link."),
        // developers.google.com/drive, webContentLink; Google Docs Editors Help, links that download or export as PDF.
        ["google.com"] = new(IsGooglePage, DirectGoogle,
            "Google shows a page here. For a file, share it with anyone who has the link and use the link of the file, not of its folder. "
                + "Google Photos has no link to a file: download the photos and push them."),
        ["goo.gl"] = new(l => l.Host == "photos.app.goo.gl", Never,
            "Google Photos has no link to a file. Download the photos and push them (push FILE…)."),
        // learn.microsoft.com, OneDrive API, "Accessing shared items": the share is named by its link in base64. Newer links ask to sign
        // in.
        ["1drv.ms"] = new(_ => true, l => l.Segments is [_, ['s', '!', ..]] ? OneDriveShare(l) : null, OneDriveAdvice),
        ["live.com"] = new(l => l.Host == "onedrive.live.com" && !l.Begins("/download"),
            l => l.Begins("/embed") && l.Argument("resid") is not null ? $"https://{l.Host}/download?{l.Query}"
                : l.Begins("/redir") && l.Argument("authkey") is not null ? OneDriveShare(l) : null, OneDriveAdvice),
        ["sharepoint.com"] = SharePoint,
        ["sharepoint.us"] = SharePoint,
        ["sharepoint.cn"] = SharePoint,
        ["sharepoint-mil.us"] = SharePoint,
        // developer.box.com: a direct link (download_url) has the file's extension in it, which the shared link does not tell.
        ["box.com"] = new(
            l => l.Begins("/s/") || l.Begins("/v/") || l.Begins("/file/") || l.Begins("/folder/") || l.Begins("/embed/"), Never,
            "Box shows this page. In Box, open the link settings of the file and copy its direct link (box.com/shared/static/…)."),
        // docs.github.com: the raw form of a file in a repository.
        ["github.com"] = new(
            l => l.Segments is [_, _, "blob" or "tree", ..] && l.Argument("raw") is not ("true" or "1"),
            l => l.Segments is [_, _, "blob", _, _, ..] ? $"https://{l.Host}{Replaced(l.Path, "/blob/", "/raw/")}" : null,
            "GitHub shows this page. Use the link behind Raw."),
        ["gitlab.com"] = GitLab,
        // huggingface.co/docs/hub: files are resolved under /resolve/.
        ["huggingface.co"] = new(l => l.Path.Contains("/blob/", StringComparison.Ordinal),
            l => $"https://{l.Host}{Replaced(l.Path, "/blob/", "/resolve/")}", null),
        // www.mediawiki.org, Help:Linking to files: Special:FilePath gives the file, in a wiki of any language.
        ["wikimedia.org"] = Wikimedia,
        ["wikipedia.org"] = Wikimedia,
        // archive.org/developers: a file of an item is at /download/ITEM/FILE.
        ["archive.org"] = new(l => l.Begins("/details/"),
            l => l.Segments is ["details", _, _, ..] && IsMedia(l.Path)
                ? $"https://{l.Host}/download/{l.Path["/details/".Length..]}" : null,
            "This is the page of an item. Under its download options, open Show all and copy the link of the file "
                + "(archive.org/download/…)."),
        // docs.aws.amazon.com/AmazonS3: an object is at https://BUCKET.s3.REGION.amazonaws.com/KEY.
        ["amazon.com"] = new(l => l.Host.EndsWith("console.aws.amazon.com", StringComparison.Ordinal) && l.Begins("/s3/"), DirectS3,
            "This is the page of a bucket in the console. Use the address of the object (Copy URL), or a presigned link where it is not "
                + "public."),
        ["icloud.com"] = new(_ => true, Never, "iCloud shows a page. Download the file and push it (push FILE…)."),
        ["mega.nz"] = new(_ => true, Never, MegaAdvice),
        ["mega.io"] = new(_ => true, Never, MegaAdvice),
        ["zoom.us"] = new(l => l.Begins("/rec/share/") || l.Begins("/rec/play/"), Never,
            "Zoom shows its player. Download the recording and push it, or use the download link that Zoom's API gives with an access "
                + "token."),
        ["wistia.com"] = new(l => l.Begins("/medias/") || l.Begins("/embed/iframe/") || l.Begins("/projects/"), Never, WistiaAdvice),
        ["wistia.net"] = new(l => l.Begins("/embed/iframe/"), Never, WistiaAdvice),
        ["yandex.ru"] = new(l => l.Host == "disk.yandex.ru" && (l.Begins("/i/") || l.Begins("/d/")), Never, null),
        ["yadi.sk"] = new(_ => true, Never, null),
        ["frame.io"] = new(l => l.Begins("/reviews/") || l.Begins("/presentations/"), Never, null),
        ["wetransfer.com"] = new(_ => true, Never, WeTransferAdvice),
        ["we.tl"] = new(_ => true, Never, WeTransferAdvice),
        ["microsoftstream.com"] = new(_ => true, Never, null),
        ["pcloud.link"] = new(_ => true, Never, null),
        ["mediafire.com"] = new(l => l.Begins("/file/") || l.Begins("/view/") || l.Begins("/folder/"), Never, null),
    });

    private const string OneDriveAdvice =
        "OneDrive shows this page, or asks to sign in. Use the link of its embedding code (onedrive.live.com/embed?…), or download the "
            + "file and push it.";

    private const string MegaAdvice = "Mega decrypts files in the browser. Download the file and push it (push FILE…).";

    private const string WistiaAdvice =
        "Wistia shows its player. Use the asset's own address, which Wistia's Data API gives (…/deliveries/….bin).";

    private const string WeTransferAdvice =
        "WeTransfer's links show a page and end after some days. Download the file and push it (push FILE…).";

    /// <summary>What the page of Google says before a large file; a probe that meets it gives this advice.</summary>
    private const string ScanAdvice =
        "Google Drive asks for a click before it gives files that are too large for its virus scan. Cincopa cannot click. Download the "
            + "file and push it, or share it from another place.";

    private static Site GitLab => new(l => l.Path.Contains("/-/blob/", StringComparison.Ordinal),
        // docs.gitlab.com, the raw form of a file; on servers of their own too.
        l => $"https://{l.Host}{Replaced(l.Path, "/-/blob/", "/-/raw/")}", null);

    private static Site Wikimedia => new(l => WikiFile(l) is not null, l => $"https://{l.Host}/wiki/Special:FilePath/{WikiFile(l)}", null);

    /// <summary>Null for nearly every address: it is no page that we know.</summary>
    public static ShareLink? Of(ReadOnlySpan<byte> url)
    {
        if (!UrlParts.TryParse(url, out var parts))
            return null;
        Span<byte> plain = stackalloc byte[SourceHost.MaxLength];
        return Of(SourceHost.Plain(parts.Host, plain), parts);
    }

    /// <summary>The same for an address that was taken apart.</summary>
    /// <param name="host">Its host in lower case.</param>
    public static ShareLink? Of(ReadOnlySpan<byte> host, in UrlParts parts) => parts.UserInfoWithAt.IsEmpty
        ? Of(host, parts.Path, parts.Query, parts.Port.IsEmpty || parts.HasDefaultPort) : null;

    /// <summary>
    /// What a person does whose file's host answers with a page; null where nothing better is known than what is said of all.
    /// </summary>
    /// <param name="host">In lower case.</param>
    public static string? AdviceOf(string host) =>
        host is "drive.google.com" or "drive.usercontent.google.com" ? ScanAdvice
        : Sites.Of(Encoding.UTF8.GetBytes(host))?.Advice;

    private static ShareLink? Of(ReadOnlySpan<byte> host, ReadOnlySpan<byte> path, ReadOnlySpan<byte> query, bool usualPort)
    {
        var site = host.EndsWith(".cloud.google.com"u8) ? GoogleCloud
            : Sites.Of(host) ?? (path.IndexOf("/-/blob/"u8) > 0 ? GitLab : null);
        if (site is null && !IsWikiPage(path, query) && !(path.StartsWith("/index.php/s/"u8) && !path.EndsWith("/download"u8)))
            return null;
        var link = new Link(Encoding.UTF8.GetString(host), Encoding.UTF8.GetString(path), Encoding.UTF8.GetString(query));
        if (site is null) // a wiki or a Nextcloud of somebody's own
            return new(link.Host, null, "This is the page about a file. Use the link of the file itself, behind its download button.");
        if (!site.IsPage(link))
            return null;
        var direct = usualPort ? site.Direct(link) : null;
        return new(link.Host, direct, direct is not null && link.Host.EndsWith("dropbox.com", StringComparison.Ordinal) ? null
            : site.Advice ?? "This is a page that shows a file. Use the link behind its download button.");
    }

    private static bool IsGooglePage(Link link) => link.Host switch
    {
        "photos.google.com" => true,
        "drive.google.com" => link.Begins("/file/") || link.Begins("/open") || link.Begins("/drive/") || link.Begins("/folder"),
        "docs.google.com" => !link.Begins("/uc") && !link.Path.Contains("/export", StringComparison.Ordinal),
        _ => false,
    };

    private static string? DirectGoogle(Link link)
    {
        if (link.Host is not ("drive.google.com" or "docs.google.com"))
            return null;
        var segments = link.Segments;
        if (segments is ["document" or "presentation" or "spreadsheets", "d", not "e" and var document, ..])
            return $"https://docs.google.com/{segments[0]}/d/{document}/export{(segments[0] == "presentation" ? "/pdf" : "?format=pdf")}";
        var id = segments is ["file", "d", var file, ..] ? file : link.Begins("/open") ? link.Argument("id") : null;
        // A link from before 2021 is refused without its key.
        var key = link.Argument("resourcekey") is { Length: > 0 } given ? $"&resourcekey={given}" : "";
        return string.IsNullOrEmpty(id) ? null : $"https://drive.google.com/uc?export=download&id={id}{key}";
    }

    private static string OneDriveShare(Link link)
    {
        var address = $"https://{link.Host}{link.Path}{(link.Query.Length > 0 ? "?" : "")}{link.Query}";
        var share = Convert.ToBase64String(Encoding.UTF8.GetBytes(address)).TrimEnd('=').Replace('/', '_').Replace('+', '-');
        return $"https://api.onedrive.com/v1.0/shares/u!{share}/root/content";
    }

    private static string? DirectS3(Link link)
    {
        // A prefix that ends in a slash is a folder; a bucket with dots has no certificate under its own name.
        if (link.Segments is not ["s3", "object", var bucket] || link.Argument("region") is not { Length: > 0 } region
            || link.Argument("prefix") is not { Length: > 0 } key || key.EndsWith('/')
            || key.EndsWith("%2F", StringComparison.OrdinalIgnoreCase))
            return null;
        key = string.Join('/', Uri.UnescapeDataString(key.Replace('+', ' ')).Split('/').Select(Uri.EscapeDataString));
        return bucket.Contains('.', StringComparison.Ordinal) ? $"https://s3.{region}.amazonaws.com/{bucket}/{key}"
            : $"https://{bucket}.s3.{region}.amazonaws.com/{key}";
    }

    private static string? DirectGcs(Link link)
    {
        if (link.Host == "storage.cloud.google.com")
            return link.Segments.Length > 1 ? $"https://storage.googleapis.com{link.Path}" : null;
        const string details = "/storage/browser/_details/";
        if (!link.Begins(details))
            return null;
        var path = link.Path[details.Length..];
        var view = path.IndexOf(";tab=", StringComparison.Ordinal);
        path = view < 0 ? path : path[..view];
        return path.IndexOf('/', StringComparison.Ordinal) > 0 ? $"https://storage.googleapis.com/{path}" : null;
    }

    /// <summary>Links such as /:v:/s/…, and the pages that play or list; download.aspx sends the file.</summary>
    private static bool IsSharePointPage(Link link) => link.Argument("download") != "1" && (link.Begins("/:")
        || (link.Path.EndsWith(".aspx", StringComparison.OrdinalIgnoreCase)
            && !link.Path.EndsWith("/download.aspx", StringComparison.OrdinalIgnoreCase)));

    /// <summary>The name of the file that a wiki's page is about; null for any other page.</summary>
    private static string? WikiFile(Link link)
    {
        if (!IsWikiPage(Encoding.UTF8.GetBytes(link.Path), Encoding.UTF8.GetBytes(link.Query)))
            return null;
        var title = link.Path.IndexOf("/wiki/", StringComparison.Ordinal) is var wiki and >= 0
            ? link.Path[(wiki + 6)..] : link.Argument("title")!;
        var colon = title.IndexOf("%3a", StringComparison.OrdinalIgnoreCase) is var encoded and >= 0 ? encoded + 3
            : title.IndexOf(':', StringComparison.Ordinal) + 1;
        return title[colon..];
    }

    /// <summary>The page about a file, File:Clip.webm in the wiki's own language; Special:FilePath/Clip.webm gives the file.</summary>
    private static bool IsWikiPage(ReadOnlySpan<byte> path, ReadOnlySpan<byte> query)
    {
        ReadOnlySpan<byte> title = default;
        if (path.IndexOf("/wiki/"u8) is var wiki and >= 0)
            title = path[(wiki + 6)..];
        else if (query.IndexOf("title="u8) is var argument and >= 0 && path.EndsWith("/index.php"u8))
            title = query[(argument + 6)..] is var rest && rest.IndexOf((byte)'&') is var end and >= 0 ? rest[..end] : rest;
        return !title.Contains((byte)'/') && (title.IndexOf((byte)':') > 0 || title.IndexOf("%3A"u8) > 0 || title.IndexOf("%3a"u8) > 0)
            && MediaHints.IsMediaName(title);
    }

    private static bool IsMedia(string path) => MediaHints.IsMediaName(Encoding.UTF8.GetBytes(path));

    /// <summary>The first time only: what stands behind it may be the name of a branch or a folder.</summary>
    private static string Replaced(string path, string part, string by) =>
        path.IndexOf(part, StringComparison.Ordinal) is var at and >= 0
            ? string.Concat(path.AsSpan(0, at), by, path.AsSpan(at + part.Length)) : path;
}
