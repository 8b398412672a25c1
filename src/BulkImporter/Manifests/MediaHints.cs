using System.Text;

namespace BulkImporter.Manifests;

/// <summary>
/// What an address itself tells of what it gives. Hints only, so warnings: a script named <c>download.php</c> may well send a film, and a
/// name without extension says nothing.
/// </summary>
internal static class MediaHints
{
    /// <summary>Pages, documents, lists for players, programs and archives: nothing that becomes a playable asset.</summary>
    private static readonly byte[][] OtherExtensions =
    [
        .. new[]
        {
            ".html", ".htm", ".xhtml", ".php", ".asp", ".aspx", ".jsp", ".txt", ".csv", ".json", ".xml", ".xls", ".xlsx", ".doc", ".docx",
            ".m3u8", ".m3u", ".mpd", ".ism", ".torrent", ".zip", ".rar", ".7z", ".exe", ".js", ".css",
        }.Select(Encoding.ASCII.GetBytes),
    ];

    /// <param name="path">As written.</param>
    /// <param name="query">As written; may name the content type that the source will answer with (S3 and Google: response-content-type, Azure: rsct).</param>
    public static bool IsNotMedia(ReadOnlySpan<byte> path, ReadOnlySpan<byte> query)
    {
        if (!query.IsEmpty && AnswersWithText(query))
            return true;
        var dot = path.LastIndexOf((byte)'.');
        if (dot < 0 || path[dot..].Contains((byte)'/'))
            return false;
        foreach (var extension in OtherExtensions)
        {
            if (path.Length - dot == extension.Length && Ascii.EqualsIgnoreCase(path[dot..], extension))
                return true;
        }

        return false;
    }

    /// <param name="host">In lower case.</param>
    public static bool IsSharePage(ReadOnlySpan<byte> host, ReadOnlySpan<byte> path, ReadOnlySpan<byte> query)
    {
        if (IsAt(host, "dropbox.com"u8))
            return !Has(query, "dl=1"u8) && !Has(query, "raw=1"u8);
        if (host.SequenceEqual("drive.google.com"u8))
            return path.StartsWith("/file/"u8) || path.StartsWith("/open"u8) || path.StartsWith("/drive/"u8);
        if (IsAt(host, "wetransfer.com"u8) || host.SequenceEqual("we.tl"u8))
            return true;
        if (IsAt(host, "box.com"u8))
            return path.StartsWith("/s/"u8);
        return host.SequenceEqual("1drv.ms"u8) || (host.SequenceEqual("onedrive.live.com"u8) && !path.StartsWith("/download"u8));
    }

    /// <summary>The domain itself or a name under www; files of the same company lie under other names.</summary>
    private static bool IsAt(ReadOnlySpan<byte> host, ReadOnlySpan<byte> domain) =>
        host.SequenceEqual(domain) || (host.Length == domain.Length + 4 && host.StartsWith("www."u8) && host.EndsWith(domain)) || (host.Length == domain.Length + 4 && host.StartsWith("app."u8) && host.EndsWith(domain));

    private static bool AnswersWithText(ReadOnlySpan<byte> query)
    {
        foreach (var part in query.Split((byte)'&'))
        {
            var pair = query[part];
            var mark = pair.IndexOf((byte)'=');
            if (mark < 0 || !(Ascii.EqualsIgnoreCase(pair[..mark], "response-content-type"u8) || Ascii.EqualsIgnoreCase(pair[..mark], "rsct"u8)))
                continue;
            var type = pair[(mark + 1)..];
            return type.StartsWith("text%2F"u8) || type.StartsWith("text%2f"u8) || type.StartsWith("text/"u8);
        }

        return false;
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
