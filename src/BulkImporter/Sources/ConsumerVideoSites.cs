namespace BulkImporter.Sources;

/// <summary>
/// Addresses of watch pages: Cincopa's pages say that consumer video sites are not supported, and what such an address
/// gives is HTML. A path that ends like a media file is taken as the file itself, wherever it lies.
/// </summary>
internal static class ConsumerVideoSites
{
    private static readonly ByDomain<bool> Sites = new(new[]
    {
        "youtube.com", "youtu.be", "youtube-nocookie.com", "vimeo.com", "dailymotion.com", "dai.ly", "facebook.com", "fb.watch", "fb.com",
        "tiktok.com", "instagram.com", "twitch.tv", "x.com", "twitter.com", "loom.com", "rumble.com", "bilibili.com", "odysee.com",
        "bitchute.com", "snapchat.com", "vk.com", "ok.ru", "nicovideo.jp", "streamable.com", "metacafe.com",
    }.ToDictionary(site => site, _ => true));

    /// <summary>Vimeo hands out the files of its paying members from the player's host, under paths without a name.</summary>
    private static readonly byte[][] VimeoFilePaths =
        [.. new[] { "/external/", "/progressive_redirect/", "/play/" }.Select(Encoding.ASCII.GetBytes)];

    /// <param name="host">In lower case.</param>
    public static bool IsWatchPage(ReadOnlySpan<byte> host, ReadOnlySpan<byte> path)
    {
        if (!Sites.Of(host) || MediaHints.IsMediaName(path))
            return false;
        if (!host.SequenceEqual("player.vimeo.com"u8))
            return true;
        foreach (var prefix in VimeoFilePaths)
        {
            if (path.StartsWith(prefix))
                return false;
        }

        return true;
    }
}
