using System.Buffers;
using System.IO.Hashing;
using BulkImporter.Manifests;

namespace BulkImporter.Sources;

/// <summary>
/// What two rows have in common when they mean the same source: 128 bits over the normalised URL, stored as a uuid.
/// </summary>
/// <remarks>
/// Normalising: white space around is cut; scheme and host become lower-case; the scheme's default port, the fragment
/// and an empty path's absence are made one (<c>http://A.test:80#x</c> is <c>http://a.test/</c>), but a fragment that is the
/// end of a file's name stays (<c>Take#3.mp4</c>); the hex digits of percent-encoding become upper-case; a space or a
/// character beyond ASCII is percent-encoded, as every client sends it. The case of the path, the order of the query and everything else
/// stay: they may matter to the source. What only authorises or expires is left out (<see cref="LinkAuthority"/>), so that a list exported
/// anew with fresh signatures has the same sources; and a link to the page of a shared file is the file that it shows, where it can be made
/// direct (<see cref="ShareLinks"/>). Text that is no absolute URL is only trimmed.
/// </remarks>
public readonly record struct SourceKey(Guid Value)
{
    /// <summary>
    /// Raised when the rules change: what is stored under an earlier generation is made anew (<c>RebuildKeys</c>). A test fails when keys
    /// change and this does not.
    /// </summary>
    public const short Generation = 1;

    private const int StackSize = 512;

    public static SourceKey Of(ReadOnlySpan<byte> url)
    {
        url = CellText.Trim(url);
        var longest = 3 * url.Length + 1;
        var rented = longest > StackSize ? ArrayPool<byte>.Shared.Rent(longest) : null;
        var normalised = rented ?? stackalloc byte[StackSize];
        var length = WriteNormalised(url, normalised, out var direct);
        var hash = XxHash128.HashToUInt128(normalised[..length]);
        if (rented is not null)
            ArrayPool<byte>.Shared.Return(rented);
        if (direct is not null)
            return Of(direct);
        return new SourceKey(new Guid((uint)(hash >> 96), (ushort)(hash >> 80), (ushort)(hash >> 64),
            (byte)(hash >> 56), (byte)(hash >> 48), (byte)(hash >> 40), (byte)(hash >> 32), (byte)(hash >> 24), (byte)(hash >> 16),
            (byte)(hash >> 8), (byte)hash));
    }

    public static SourceKey Of(string url) => Of(Encoding.UTF8.GetBytes(url));

    /// <summary>The 16 bytes in the order in which the database sends them too.</summary>
    internal void WriteTo(Span<byte> bytes) => Value.TryWriteBytes(bytes, bigEndian: true, out _);

    public override string ToString() => Value.ToString();

    /// <param name="direct">What counts instead, where the address is a share link that can be made direct; else null.</param>
    internal static int WriteNormalised(ReadOnlySpan<byte> url, Span<byte> to, out string? direct)
    {
        direct = null;
        if (!UrlParts.TryParse(url, out var parts))
        {
            url.CopyTo(to);
            return url.Length;
        }

        var at = Ascii(parts.Scheme, to);
        "://"u8.CopyTo(to[at..]);
        at += 3;
        at += Percent(parts.UserInfoWithAt, to[at..]);
        var hostStart = at;
        at += Percent(parts.Host, to[at..]);
        LowerCase(to[hostStart..at]);
        var host = to[hostStart..at];
        direct = ShareLinks.Of(host, parts)?.Direct;
        if (!parts.Port.IsEmpty && !parts.HasDefaultPort)
        {
            to[at++] = (byte)':';
            parts.Port.CopyTo(to[at..]);
            at += parts.Port.Length;
        }

        if (parts.PathAndQuery is not [(byte)'/', ..])
            to[at++] = (byte)'/';
        at += PathAndQuery(parts, host, to[at..]);
        if (!parts.HasHashInName)
            return at;
        to[at++] = (byte)'#';
        return at + Percent(parts.Fragment, to[at..]);
    }

    private static int PathAndQuery(in UrlParts parts, ReadOnlySpan<byte> host, Span<byte> to)
    {
        var path = parts.Path;
        var query = parts.Query;
        var authority = query.IsEmpty ? 0 : LinkAuthority.Of(host, path, query);
        var holdsToken = LinkAuthority.MayHoldToken(path);
        if (authority == 0 && !holdsToken)
            return Percent(parts.PathAndQuery, to);

        var at = holdsToken ? WithoutTokens(path, to) : Percent(path, to);
        if (query.IsEmpty)
            return at;
        var separator = (byte)'?';
        foreach (var part in query.Split((byte)'&'))
        {
            var parameter = query[part];
            if (LinkAuthority.IsLeftOut(parameter, authority))
                continue;
            to[at++] = separator;
            separator = (byte)'&';
            at += Percent(parameter, to[at..]);
        }

        return at;
    }

    private static int WithoutTokens(ReadOnlySpan<byte> path, Span<byte> to)
    {
        var at = 0;
        foreach (var part in path.Split((byte)'/'))
        {
            var segment = path[part];
            if (LinkAuthority.IsToken(segment))
                continue;
            if (part.Start.Value > 0)
                to[at++] = (byte)'/';
            at += Percent(segment, to[at..]);
        }

        return at;
    }

    private static int Ascii(ReadOnlySpan<byte> from, Span<byte> to)
    {
        from.CopyTo(to);
        LowerCase(to[..from.Length]);
        return from.Length;
    }

    private static void LowerCase(Span<byte> text)
    {
        foreach (ref var c in text)
        {
            if (c is >= (byte)'A' and <= (byte)'Z')
                c |= 0x20;
        }
    }

    private static readonly SearchValues<byte> Unchanged = SearchValues.Create(
        Enumerable.Range(0x21, 0x7F - 0x21).Where(c => c != '%').Select(c => (byte)c).ToArray());

    private static int Percent(ReadOnlySpan<byte> from, Span<byte> to)
    {
        var written = 0;
        while (true)
        {
            var plain = from.IndexOfAnyExcept(Unchanged);
            if (plain < 0)
            {
                from.CopyTo(to[written..]);
                return written + from.Length;
            }

            from[..plain].CopyTo(to[written..]);
            written += plain;
            if (from[plain] != (byte)'%')
            {
                to[written++] = (byte)'%';
                to[written++] = HexDigit(from[plain] >> 4);
                to[written++] = HexDigit(from[plain] & 15);
                from = from[(plain + 1)..];
                continue;
            }

            to[written++] = (byte)'%';
            from = from[(plain + 1)..];
            for (var digit = 0; digit < 2 && !from.IsEmpty && char.IsAsciiHexDigit((char)from[0]); digit++)
            {
                to[written++] = (byte)char.ToUpperInvariant((char)from[0]);
                from = from[1..];
            }
        }
    }

    private static byte HexDigit(int value) => "0123456789ABCDEF"u8[value];
}
