namespace BulkImporter.Records;

/// <summary>
/// The file name that an asset gets from its source: the last segment of the URL's path, percent-decoded (INF: nothing tells how Cincopa
/// names a pulled file). Two names that differ in case only are taken as the same where that makes more candidates and more claims, since
/// whether Cincopa keeps the case is not known; but only the very name is adopted without a person.
/// </summary>
internal static class SourceName
{
    public static readonly StringComparer Alike = StringComparer.OrdinalIgnoreCase;

    /// <summary>Empty when the path ends in a slash.</summary>
    public static string Of(string url)
    {
        var end = url.AsSpan().IndexOfAny('?', '#');
        var path = end < 0 ? url : url[..end];
        return Uri.UnescapeDataString(path[(path.LastIndexOf('/') + 1)..]);
    }
}
