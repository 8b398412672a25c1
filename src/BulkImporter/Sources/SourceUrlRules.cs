using System.Buffers;
using System.Net;
using BulkImporter.Manifests;

namespace BulkImporter.Sources;

/// <summary>
/// Judges one URL by its text alone, without asking any server: can Cincopa fetch it at all? Takes UTF-8 bytes, since
/// that is what the reader has, and allocates nothing for a URL in order.
/// </summary>
/// <param name="options">How long a URL may be, and whether its host may be private.</param>
/// <param name="pushNetworks">Networks that this server itself may reach, so that it can push from private hosts in them.</param>
public sealed class SourceUrlRules(ManifestOptions options, params IReadOnlyList<IPNetwork> pushNetworks)
{
    /// <summary>A signed link that runs out within this time is warned of.</summary>
    private static readonly TimeSpan ExpiresSoonWithin = TimeSpan.FromHours(24);

    /// <summary>
    /// The most problems that <see cref="Check"/> reports of one URL.
    /// </summary>
    public const int MaxProblems = 12;

    private static readonly SearchValues<byte> Unreserved =
        SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~"u8);
    private static readonly SearchValues<byte> Control = SearchValues.Create([.. Enumerable.Range(0, 0x20).Select(c => (byte)c), 0x7F]);

    /// <summary>
    /// Writes what is wrong with a URL (without white space around it) and returns how much that is; 0 for a URL in order.
    /// </summary>
    /// <param name="url">The URL as UTF-8.</param>
    /// <param name="now">The time by which signed links are judged.</param>
    /// <param name="problems">At least <see cref="MaxProblems"/> long.</param>
    public int Check(ReadOnlySpan<byte> url, DateTimeOffset now, Span<FindingCode> problems)
    {
        var isAbsolute = UrlParts.TryParse(url, out var parts);
        var second = url.IndexOf("://"u8) < 0 ? SecondAddress.None : SecondAddresses.In(url);
        // Beside each of these nothing else is worth saying.
        FindingCode? only = url.IsEmpty ? FindingCode.UrlMissing
            : HasSchemeTwice(url, parts) ? FindingCode.UrlSchemeTwice
            : second == SecondAddress.Behind ? FindingCode.UrlSeveral
            : isAbsolute && IsHttp(parts.Scheme) ? null
            : isAbsolute || HasOtherScheme(url) ? FindingCode.UrlScheme : FindingCode.UrlNotAbsolute;
        if (only is { } alone)
        {
            problems[0] = alone;
            return 1;
        }

        var count = 0;
        if (second == SecondAddress.Inside)
            problems[count++] = FindingCode.UrlHoldsAnother;
        if (!Ascii.IsValid(url) && HoldsHidden(url))
            problems[count++] = FindingCode.UrlHiddenCharacter;
        if (!parts.UserInfoWithAt.IsEmpty)
            problems[count++] = FindingCode.UrlCredentials;
        if (IsTooLong(url))
            problems[count++] = FindingCode.UrlTooLong;

        Span<byte> plainHost = stackalloc byte[SourceHost.MaxLength];
        var host = SourceHost.Plain(parts.Host, plainHost);
        // A browser takes the backslash for a slash and what stands before it for the host; the standard, and other clients, go on to the
        // next slash.
        var isHostAmbiguous = parts.PathAndQuery.StartsWith((byte)'\\');
        if (!SourceHost.IsHost(host) || isHostAmbiguous || !IsPort(parts.Port) || url.IndexOfAny(Control) >= 0)
        {
            problems[count++] = FindingCode.UrlMalformed;
            return count;
        }

        if (url.Contains((byte)' '))
            problems[count++] = FindingCode.UrlUnencodedSpace;
        if (parts.HasHashInName)
            problems[count++] = FindingCode.UrlHashInName;
        if (url[^1] is (byte)',' or (byte)';')
            problems[count++] = FindingCode.UrlEndsWithSeparator;
        if (!options.AllowPrivateHosts && SourceHost.IsPrivate(host))
            problems[count++] = FindingCode.UrlHostPrivate;
        if (ConsumerVideoSites.IsWatchPage(host, parts.Path))
            problems[count++] = FindingCode.UrlConsumerVideoSite;
        else if (ShareLinks.Of(host, parts) is not null)
            problems[count++] = FindingCode.UrlSharePage;
        else if (MediaHints.IsNotMedia(parts.Path, parts.Query))
            problems[count++] = FindingCode.UrlNotMedia;
        if (parts.Query is { IsEmpty: false } query && SignedLink.Expiry(query) is { } expiry)
        {
            if (expiry <= now)
                problems[count++] = FindingCode.UrlExpired;
            else if (expiry - now <= ExpiresSoonWithin)
                problems[count++] = FindingCode.UrlExpiresSoon;
        }

        return count;
    }

    /// <summary>
    /// Whether this server may push from a private host. A host that is a name may be in any of the networks: the guard of sources judges
    /// what it resolves to before the file is read.
    /// </summary>
    /// <param name="url">A URL of which nothing worse was found than <see cref="FindingCode.UrlHostPrivate"/>.</param>
    internal bool MayPush(ReadOnlySpan<byte> url)
    {
        if (pushNetworks.Count == 0 || !UrlParts.TryParse(url, out var parts)) return false;
        Span<byte> plainHost = stackalloc byte[SourceHost.MaxLength];
        return SourceHost.AddressOf(SourceHost.Plain(parts.Host, plainHost)) is not { } address
            || pushNetworks.Any(network => network.Contains(address));
    }

    /// <summary>When a signed link runs out; null for any other URL.</summary>
    internal static DateTimeOffset? Expiry(ReadOnlySpan<byte> url) =>
        url.IndexOf((byte)'?') is var mark and >= 0 && SignedLink.MayExpire(url[(mark + 1)..]) && UrlParts.TryParse(url, out var parts)
            ? SignedLink.Expiry(parts.Query) : null;

    /// <summary>The length of a text as a query argument, equal to that of <see cref="Uri.EscapeDataString(string)"/>.</summary>
    public static int EncodedLength(ReadOnlySpan<byte> text)
    {
        var length = text.Length;
        foreach (var c in text)
        {
            if (!Unreserved.Contains(c))
                length += 2;
        }

        return length;
    }

    private bool IsTooLong(ReadOnlySpan<byte> url) => IsLonger(url, options.MaxEncodedLength);

    /// <summary>Whether a text that is to be written to an asset is too long for the query of that call (INF).</summary>
    internal bool IsTextTooLong(ReadOnlySpan<byte> text) => IsLonger(text, options.MaxEncodedText);

    private static bool IsLonger(ReadOnlySpan<byte> text, int most) => 3 * text.Length > most && EncodedLength(text) > most;

    internal static bool IsHttp(ReadOnlySpan<byte> scheme) =>
        scheme.Length is 4 or 5 && (Ascii.EqualsIgnoreCase(scheme, "https"u8) || Ascii.EqualsIgnoreCase(scheme, "http"u8));

    /// <summary>
    /// https://https://… and https:https://…, in any case and mixture, also behind another beginning of a host (https://www.https://…).
    /// </summary>
    private static bool HasSchemeTwice(ReadOnlySpan<byte> url, in UrlParts parts)
    {
        if (parts.PathAndQuery.StartsWith("//"u8) && parts.Port.IsEmpty)
            return EndsWithHttp(parts.Host);
        var colon = url.IndexOf((byte)':');
        if (colon <= 0 || !IsHttp(url[..colon]))
            return false;
        var rest = url[(colon + 1)..];
        return rest.IndexOf("://"u8) is var second and (4 or 5) && EndsWithHttp(rest[..second]);
    }

    private static bool EndsWithHttp(ReadOnlySpan<byte> text) =>
        (text.Length >= 5 && Ascii.EqualsIgnoreCase(text[^5..], "https"u8))
        || (text.Length >= 4 && Ascii.EqualsIgnoreCase(text[^4..], "http"u8));

    private static bool HoldsHidden(ReadOnlySpan<byte> url)
    {
        while (Rune.DecodeFromUtf8(url, out var c, out var length) == OperationStatus.Done)
        {
            if (c.Value > 0x7F && CellText.IsHidden(c))
                return true;
            url = url[length..];
        }

        return false;
    }

    /// <summary>mailto:, data:, file:///…, C:\…: something that is no path and no host name, but not http either.</summary>
    private static bool HasOtherScheme(ReadOnlySpan<byte> url)
    {
        var colon = url.IndexOf((byte)':');
        return colon > 0 && !url[..colon].ContainsAny("/.?#"u8) && !IsHttp(url[..colon])
            && !(url.Length > colon + 1 && char.IsAsciiDigit((char)url[colon + 1]));
    }

    private static bool IsPort(ReadOnlySpan<byte> port)
    {
        var value = 0;
        foreach (var digit in port)
        {
            if (!char.IsAsciiDigit((char)digit) || (value = value * 10 + digit - '0') > 65535)
                return false;
        }

        return port.IsEmpty || value > 0;
    }
}
