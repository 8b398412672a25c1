using System.Text;

namespace BulkImporter.Sources;

/// <summary>
/// Addresses that show a shared file in a page of their own, at the services whose forms are known. A hint: what the page gives is HTML,
/// and most services have a second address for the file itself, which is none of these.
/// </summary>
internal static class SharePages
{
    private delegate bool Rule(ReadOnlySpan<byte> host, ReadOnlySpan<byte> path, ReadOnlySpan<byte> query);

    private static readonly Rule Always = (_, _, _) => true;

    private static readonly Dictionary<string, Rule> Sites = new(StringComparer.Ordinal)
    {
        ["dropbox.com"] = (host, path, query) => (host.SequenceEqual("dropbox.com"u8) || host.SequenceEqual("www.dropbox.com"u8))
            && !Has(query, "dl=1"u8) && !Has(query, "raw=1"u8) && !path.StartsWith("/s/raw/"u8) && !path.StartsWith("/s/dl/"u8),
        ["box.com"] = (_, path, _) => path.StartsWith("/s/"u8) || path.StartsWith("/v/"u8) || path.StartsWith("/file/"u8)
            || path.StartsWith("/folder/"u8) || path.StartsWith("/embed/"u8),
        ["google.com"] = (host, path, _) => host.SequenceEqual("photos.google.com"u8)
            || (host.SequenceEqual("drive.google.com"u8)
                && (path.StartsWith("/file/"u8) || path.StartsWith("/open"u8) || path.StartsWith("/drive/"u8)
                    || path.StartsWith("/folder"u8)))
            || (host.SequenceEqual("docs.google.com"u8) && !path.StartsWith("/uc"u8) && path.IndexOf("/export"u8) < 0),
        ["goo.gl"] = (host, _, _) => host.SequenceEqual("photos.app.goo.gl"u8),
        ["icloud.com"] = Always,
        ["mega.nz"] = Always,
        ["mega.io"] = Always,
        ["archive.org"] = (_, path, _) => path.StartsWith("/details/"u8),
        ["yandex.ru"] = (host, path, _) => host.SequenceEqual("disk.yandex.ru"u8) && (path.StartsWith("/i/"u8) || path.StartsWith("/d/"u8)),
        ["zoom.us"] = (_, path, _) => path.StartsWith("/rec/share/"u8) || path.StartsWith("/rec/play/"u8),
        ["frame.io"] = (_, path, _) => path.StartsWith("/reviews/"u8) || path.StartsWith("/presentations/"u8),
        ["github.com"] = (_, path, query) => (path.IndexOf("/blob/"u8) > 0 || path.IndexOf("/tree/"u8) > 0) && !Has(query, "raw=true"u8)
            && !Has(query, "raw=1"u8),
        ["huggingface.co"] = (_, path, _) => path.IndexOf("/blob/"u8) > 0,
        ["wetransfer.com"] = Always,
        ["we.tl"] = Always,
        ["1drv.ms"] = Always,
        ["live.com"] = (host, path, _) => host.SequenceEqual("onedrive.live.com"u8) && !path.StartsWith("/download"u8),
        ["sharepoint.com"] = IsSharePointPage,
        ["sharepoint.us"] = IsSharePointPage,
        ["sharepoint.cn"] = IsSharePointPage,
        ["sharepoint-mil.us"] = IsSharePointPage,
        ["microsoftstream.com"] = Always,
        ["pcloud.link"] = Always,
        ["yadi.sk"] = Always,
        ["mediafire.com"] = (_, path, _) => path.StartsWith("/file/"u8) || path.StartsWith("/view/"u8) || path.StartsWith("/folder/"u8),
    };

    private static readonly Dictionary<string, Rule>.AlternateLookup<ReadOnlySpan<char>> Lookup =
        Sites.GetAlternateLookup<ReadOnlySpan<char>>();

    private static readonly int LongestSite = Sites.Keys.Max(site => site.Length);

    /// <param name="host">In lower case.</param>
    /// <param name="path">As written.</param>
    /// <param name="query">As written.</param>
    public static bool Is(ReadOnlySpan<byte> host, ReadOnlySpan<byte> path, ReadOnlySpan<byte> query)
    {
        var domain = SourceHost.Domain(host);
        if (domain.Length <= LongestSite)
        {
            Span<char> name = stackalloc char[domain.Length];
            Encoding.ASCII.GetChars(domain, name);
            if (Lookup.TryGetValue(name, out var isPage))
                return isPage(host, path, query);
        }

        return IsWikiPage(path, query) || path.IndexOf("/-/blob/"u8) > 0
            || (path.StartsWith("/index.php/s/"u8) && !path.EndsWith("/download"u8));
    }

    /// <summary>Links such as /:v:/s/…, and the pages that play or list; download.aspx sends the file.</summary>
    private static bool IsSharePointPage(ReadOnlySpan<byte> host, ReadOnlySpan<byte> path, ReadOnlySpan<byte> query) =>
        !Has(query, "download=1"u8) && (path.StartsWith("/:"u8)
            || (path.Length > 5 && Ascii.EqualsIgnoreCase(path[^5..], ".aspx"u8)
                && !(path.Length > 14 && Ascii.EqualsIgnoreCase(path[^14..], "/download.aspx"u8))));

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

    private static bool Has(ReadOnlySpan<byte> query, ReadOnlySpan<byte> argument)
    {
        foreach (var part in query.Split((byte)'&'))
        {
            if (query[part].SequenceEqual(argument))
                return true;
        }

        return false;
    }
}
