namespace BulkImporter.Sources;

/// <summary>What a second <c>://</c> in a cell means.</summary>
internal enum SecondAddress
{
    None,

    /// <summary>It is part of the address, as an archive or a proxy writes it: <c>https://web.archive.org/web/2020/https://…</c>.</summary>
    Inside,

    /// <summary>It begins another address, behind a separator, a line break or nothing at all.</summary>
    Behind,
}

internal static class SecondAddresses
{
    private static readonly byte[][] Schemes =
        [.. new[] { "https", "http", "ftps", "sftp", "ftp", "s3", "gs", "file" }.Select(Encoding.ASCII.GetBytes)];

    /// <summary>
    /// Looks behind the first address's own scheme. In a query an address is a value like any other, unless a separator stands before it.
    /// </summary>
    public static SecondAddress In(ReadOnlySpan<byte> url)
    {
        var found = SecondAddress.None;
        var start = url.IndexOf("://"u8) + 3;
        while (url[start..].IndexOf("://"u8) is var next and >= 0)
        {
            var mark = start + next;
            start = mark + 3;
            var scheme = SchemeBefore(url[..mark]);
            if (scheme == 0)
            {
                if (!url[..mark].Contains((byte)'?'))
                    found = SecondAddress.Inside;
                continue;
            }

            var before = url[..(mark - scheme)];
            var query = before.IndexOf((byte)'?');
            if (query >= 0 ? IsSeparated(before, query) : before[^1] is not ((byte)'/' or (byte)'=' or (byte)':'))
                return SecondAddress.Behind;
            if (query < 0)
                found = SecondAddress.Inside;
        }

        return found;
    }

    /// <summary>The length of the scheme that the text ends with; 0 when it is none that a source could have.</summary>
    private static int SchemeBefore(ReadOnlySpan<byte> text)
    {
        foreach (var scheme in Schemes)
        {
            if (text.Length > scheme.Length && Ascii.EqualsIgnoreCase(text[^scheme.Length..], scheme))
                return scheme.Length;
        }

        return 0;
    }

    /// <summary>
    /// Whether the query ends here: with a sign that no query holds, or with a comma or a semicolon behind a value that is no address
    /// itself.
    /// </summary>
    private static bool IsSeparated(ReadOnlySpan<byte> before, int query)
    {
        if (before[^1] is <= 0x20 or >= 0x7F or (byte)'|' or (byte)'"' or (byte)'<' or (byte)'>')
            return true;
        if (before.TrimEnd(" "u8)[^1] is not ((byte)',' or (byte)';'))
            return false;
        var value = before[query..];
        return value[(value.LastIndexOfAny("?&="u8) + 1)..].IndexOf("://"u8) < 0;
    }
}
