namespace Cincopa.Simulator;

/// <summary>Reads file names and kinds out of URLs.</summary>
internal static class FileNames
{
    /// <summary>The last path segment, still percent-encoded, without query and fragment.</summary>
    public static ReadOnlySpan<char> LastSegment(ReadOnlySpan<char> url)
    {
        var end = url.IndexOfAny('?', '#');
        var path = end < 0 ? url : url[..end];
        return path[(path.LastIndexOf('/') + 1)..];
    }

    /// <summary>Whether a URL leads to a page of a consumer video site, and not to a file there.</summary>
    public static bool IsWatchPage(string url)
    {
        if (KindOf(Uri.UnescapeDataString(LastSegment(url))) != "other" || !Uri.TryCreate(url, UriKind.Absolute, out var address))
            return false;
        return Array.Exists(Assumptions.WatchPageSites, site =>
            address.IdnHost == site || address.IdnHost.EndsWith("." + site, StringComparison.Ordinal));
    }

    /// <summary><c>video</c>, <c>image</c>, <c>audio</c> or <c>other</c>, from the extension.</summary>
    public static string KindOf(string fileName) => Path.GetExtension(fileName).ToUpperInvariant() switch
    {
        ".MP4" or ".MOV" or ".AVI" or ".MKV" or ".WEBM" or ".M4V" or ".WMV" => "video",
        ".JPG" or ".JPEG" or ".PNG" or ".GIF" or ".WEBP" or ".TIF" or ".TIFF" => "image",
        ".MP3" or ".WAV" or ".M4A" or ".AAC" or ".FLAC" or ".OGG" => "audio",
        _ => "other",
    };
}
