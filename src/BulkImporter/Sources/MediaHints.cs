using System.Text.RegularExpressions;

namespace BulkImporter.Sources;

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

    /// <summary>Pictures and texts: nothing in them plays.</summary>
    private static readonly string[] StillExtensions =
        [".jpg", ".jpeg", ".png", ".gif", ".webp", ".tif", ".tiff", ".heic", ".avif", ".bmp", ".svg", ".pdf", ".srt", ".vtt"];

    private static readonly byte[][] MediaExtensions =
    [
        .. new[]
        {
            ".mp4", ".m4v", ".mov", ".webm", ".mkv", ".avi", ".wmv", ".mpg", ".mpeg", ".flv", ".ts", ".m2ts", ".mts", ".mxf",
                ".3gp", ".ogv", ".vob",
            ".mp3", ".m4a", ".wav", ".aac", ".ogg", ".oga", ".opus", ".flac", ".aif", ".aiff", ".wma",
        }.Concat(StillExtensions).Select(Encoding.ASCII.GetBytes),
    ];

    /// <summary>As a pattern that both .NET and PostgreSQL read: the address of a picture or a text.</summary>
    internal static string StillPattern { get; } =
        $"^[^?#]*\\.({string.Join('|', StillExtensions.Select(e => e[1..]))})([?#]|$)";

    private static readonly Regex Still = new(StillPattern,
        RegexOptions.IgnoreCase | RegexOptions.CultureInvariant | RegexOptions.Compiled);

    /// <summary>Whether an address ends like the name of a picture or a text. One that tells nothing is taken for what plays.</summary>
    public static bool IsStill(string? url) => url is not null && Still.IsMatch(url);

    /// <summary>Whether a path ends like the name of a film, a sound, a picture or subtitles.</summary>
    public static bool IsMediaName(ReadOnlySpan<byte> path)
    {
        var dot = path.LastIndexOf((byte)'.');
        if (dot <= 0 || path[dot - 1] == (byte)'/')
            return false;
        foreach (var extension in MediaExtensions)
        {
            if (path.Length - dot == extension.Length && Ascii.EqualsIgnoreCase(path[dot..], extension))
                return true;
        }

        return false;
    }

    /// <param name="path">As written.</param>
    /// <param name="query">As written; may name the content type that the source will answer with (S3 and Google: response-content-type,
    /// Azure: rsct).</param>
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

    private static bool AnswersWithText(ReadOnlySpan<byte> query)
    {
        foreach (var part in query.Split((byte)'&'))
        {
            var pair = query[part];
            var mark = pair.IndexOf((byte)'=');
            if (mark < 0
                || !(Ascii.EqualsIgnoreCase(pair[..mark], "response-content-type"u8) || Ascii.EqualsIgnoreCase(pair[..mark], "rsct"u8)))
                continue;
            var type = pair[(mark + 1)..];
            return type.StartsWith("text%2F"u8) || type.StartsWith("text%2f"u8) || type.StartsWith("text/"u8);
        }

        return false;
    }
}
