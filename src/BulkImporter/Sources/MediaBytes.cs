namespace BulkImporter.Sources;

/// <summary>What the first bytes of a file prove, whatever its source calls it.</summary>
internal static class MediaBytes
{
    private static readonly byte[][] PageBeginnings =
        [.. new[] { "<!doctype html", "<html", "<head", "<body", "<script", "<meta", "<title" }.Select(Encoding.ASCII.GetBytes)];

    /// <summary>A web page: HTML, maybe behind a byte order mark, blanks, comments or an XML line.</summary>
    public static bool IsPage(ReadOnlySpan<byte> first)
    {
        if (first.StartsWith((ReadOnlySpan<byte>)[0xEF, 0xBB, 0xBF]))
            first = first[3..];
        while (true)
        {
            first = first.TrimStart(" \t\r\n"u8);
            var end = first.StartsWith("<!--"u8) ? first.IndexOf("-->"u8) + 3 : first.StartsWith("<?xml"u8) ? first.IndexOf("?>"u8) + 2 : 0;
            if (end < 4)
                break;
            first = first[end..];
        }

        foreach (var beginning in PageBeginnings)
        {
            if (first.Length >= beginning.Length && Ascii.EqualsIgnoreCase(first[..beginning.Length], beginning))
                return true;
        }

        return false;
    }

    /// <summary>One of the usual containers of films, sounds and pictures.</summary>
    public static bool IsMedia(ReadOnlySpan<byte> first) =>
        (first.Length > 11 && first[4..].StartsWith("ftyp"u8)) // MP4, MOV, HEIC, AVIF
        || first.StartsWith((ReadOnlySpan<byte>)[0x1A, 0x45, 0xDF, 0xA3]) // Matroska, WebM
        || first.StartsWith("RIFF"u8) || first.StartsWith("OggS"u8) || first.StartsWith("fLaC"u8) || first.StartsWith("ID3"u8)
        || first.StartsWith("FLV"u8) || first.StartsWith("GIF8"u8) || first.StartsWith("%PDF-"u8)
        || first.StartsWith((ReadOnlySpan<byte>)[0xFF, 0xD8, 0xFF]) // JPEG
        || first.StartsWith((ReadOnlySpan<byte>)[0x89, (byte)'P', (byte)'N', (byte)'G']);
}
