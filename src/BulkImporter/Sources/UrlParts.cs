namespace BulkImporter.Sources;

/// <summary>
/// An absolute URL's parts as slices of its bytes. Splits only; what is allowed in them is for <see cref="SourceUrlRules"/> to say.
/// </summary>
internal readonly ref struct UrlParts
{
    public ReadOnlySpan<byte> Scheme { get; private init; }

    /// <summary>The user name and password with the @ behind them; empty for nearly every URL.</summary>
    public ReadOnlySpan<byte> UserInfoWithAt { get; private init; }

    /// <summary>As written; an IPv6 address with its brackets.</summary>
    public ReadOnlySpan<byte> Host { get; private init; }

    /// <summary>As written, without the colon; empty when absent.</summary>
    public ReadOnlySpan<byte> Port { get; private init; }

    /// <summary>Path and query, without the fragment; may be empty, may begin with a question mark.</summary>
    public ReadOnlySpan<byte> PathAndQuery { get; private init; }

    /// <summary>Behind the first #, without it; empty when absent.</summary>
    public ReadOnlySpan<byte> Fragment { get; private init; }

    /// <summary>
    /// The # belongs to the name of the file, as in <c>Take#3.mp4</c>, and should have been written %23: what stands behind it ends like a
    /// media file and what stands before it does not, or a blank stands before it. Places in a page (<c>#/media/File:…</c>, <c>#!…</c>,
    /// <c>#t=10</c>) are none.
    /// </summary>
    public bool HasHashInName => !Fragment.IsEmpty && Fragment[0] != (byte)'!'
        && !(Fragment.StartsWith("/media/"u8) && Fragment.Contains((byte)':')) && !FragmentName.Contains((byte)'=')
        && (PathAndQuery.EndsWith(" "u8) || PathAndQuery.EndsWith("%20"u8)
            || (MediaHints.IsMediaName(FragmentName) && !MediaHints.IsMediaName(Path)));

    public bool HasDefaultPort => Port.SequenceEqual(Scheme.Length == 5 ? "443"u8 : "80"u8);

    public ReadOnlySpan<byte> Path => PathAndQuery.IndexOf((byte)'?') is var mark and >= 0 ? PathAndQuery[..mark] : PathAndQuery;

    public ReadOnlySpan<byte> Query => PathAndQuery.IndexOf((byte)'?') is var mark and >= 0 ? PathAndQuery[(mark + 1)..] : default;

    private ReadOnlySpan<byte> FragmentName => Fragment.IndexOf((byte)'?') is var mark and >= 0 ? Fragment[..mark] : Fragment;

    /// <summary>False when the text has no scheme, no // or no host.</summary>
    public static bool TryParse(ReadOnlySpan<byte> url, out UrlParts parts)
    {
        parts = default;
        var colon = url.IndexOf((byte)':');
        if (colon <= 0 || url.Length < colon + 4 || url[colon + 1] != (byte)'/' || url[colon + 2] != (byte)'/' || !IsScheme(url[..colon]))
            return false;

        var rest = url[(colon + 3)..];
        // Browsers and some clients take a backslash for a slash: what stands before it is the host to them.
        var end = rest.IndexOfAny("/?#\\"u8);
        var authority = end < 0 ? rest : rest[..end];
        var behind = end < 0 ? default : rest[end..];
        var fragment = behind.IndexOf((byte)'#');

        var at = authority.LastIndexOf((byte)'@');
        var host = authority[(at + 1)..];
        ReadOnlySpan<byte> port = default;
        var portMark = host.LastIndexOf((byte)':');
        if (portMark > host.LastIndexOf((byte)']'))
        {
            port = host[(portMark + 1)..];
            host = host[..portMark];
        }

        if (host.IsEmpty)
            return false;
        parts = new UrlParts
        {
            Scheme = url[..colon],
            UserInfoWithAt = authority[..(at + 1)],
            Host = host,
            Port = port,
            PathAndQuery = fragment < 0 ? behind : behind[..fragment],
            Fragment = fragment < 0 ? default : behind[(fragment + 1)..],
        };
        return true;
    }

    private static bool IsScheme(ReadOnlySpan<byte> text)
    {
        if (!char.IsAsciiLetter((char)text[0]))
            return false;
        foreach (var c in text)
        {
            if (!char.IsAsciiLetterOrDigit((char)c) && c is not ((byte)'+' or (byte)'-' or (byte)'.'))
                return false;
        }

        return true;
    }
}
