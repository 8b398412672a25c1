using System.Buffers;
using System.Net;
using System.Net.Sockets;

namespace BulkImporter.Sources;

/// <summary>Which hosts only exist inside somebody's network. Knows the odd ways to write an address that clients accept.</summary>
internal static class SourceHost
{
    /// <summary>The longest name that DNS allows, with room for its last dot.</summary>
    public const int MaxLength = 254;

    private static readonly SearchValues<byte> Characters = SearchValues.Create("abcdefghijklmnopqrstuvwxyz0123456789-._"u8);
    private static readonly SearchValues<byte> HexDigits = SearchValues.Create("abcdef0123456789"u8);
    private static readonly SearchValues<byte> AddressCharacters = SearchValues.Create("abcdef0123456789:."u8);

    private static readonly byte[][] PrivateSuffixes =
        [.. new[] { ".localhost", ".local", ".internal", ".lan", ".intranet", ".home.arpa", ".localdomain", ".corp",
            ".home" }.Select(Encoding.ASCII.GetBytes)];

    /// <summary>
    /// The host as a client resolves it: lower-case, percent-decoded, full-width characters and dots made plain, international names in
    /// their ASCII form, without a last dot. Empty when that is no host.
    /// </summary>
    public static ReadOnlySpan<byte> Plain(ReadOnlySpan<byte> host, Span<byte> buffer)
    {
        if (host.Length > MaxLength || host.Contains((byte)'%') || !Ascii.IsValid(host))
        {
            host = ToAscii(host);
            if (host.IsEmpty || host.Length > MaxLength)
                return default;
        }

        Ascii.ToLower(host, buffer, out var length);
        return buffer[..length] is [.. var name, (byte)'.'] ? name : buffer[..length];
    }

    /// <summary>
    /// Whether DNS or an address can be meant: labels of 1 to 63 letters, digits, dashes and underscores, or an IPv6 address in brackets
    /// without a zone. A last label that is a number makes it an IPv4 address, which it then must be.
    /// </summary>
    /// <param name="host">A host as <see cref="Plain"/> gives it.</param>
    public static bool IsHost(ReadOnlySpan<byte> host)
    {
        if (host.IsEmpty)
            return false;
        if (host[0] == (byte)'[')
            return IsIPv6(host);
        if (host.ContainsAnyExcept(Characters))
            return false;
        var last = host;
        for (var rest = host; ;)
        {
            var dot = rest.IndexOf((byte)'.');
            last = dot < 0 ? rest : rest[..dot];
            if (last.Length is 0 or > 63)
                return false;
            if (dot < 0)
                break;
            rest = rest[(dot + 1)..];
        }

        var isNumber = !last.ContainsAnyExceptInRange((byte)'0', (byte)'9')
            || (last.StartsWith("0x"u8) && !last[2..].ContainsAnyExcept(HexDigits));
        return !isNumber || TryIPv4(host, out _);
    }

    /// <param name="host">One that <see cref="IsHost"/> accepts.</param>
    public static bool IsPrivate(ReadOnlySpan<byte> host)
    {
        if (host[0] == (byte)'[')
            return !IPAddress.TryParse(Encoding.ASCII.GetString(host[1..^1]), out var address) || InnerAddress.Is(address);
        // A name's last label is never a number, so a last label of digits or hex means an address.
        var lastLabel = host[(host.LastIndexOf((byte)'.') + 1)..];
        if (char.IsAsciiDigit((char)lastLabel[0]) && TryIPv4(host, out var ipv4))
            return InnerAddress.Is(ipv4);
        if (lastLabel.Length == host.Length)
            return true; // a single label, localhost among them, is a name of somebody's own network
        foreach (var suffix in PrivateSuffixes)
        {
            if (host.EndsWith(suffix))
                return true;
        }

        return false;
    }

    /// <param name="host">A host as <see cref="Plain"/> gives it.</param>
    /// <returns>The address that it is written as, in any way that clients accept; null for a name, except this machine's own.</returns>
    public static IPAddress? AddressOf(ReadOnlySpan<byte> host)
    {
        if (host[0] == (byte)'[')
            return IPAddress.TryParse(Encoding.ASCII.GetString(host[1..^1]), out var ipv6) ? ipv6 : null;
        if (host.SequenceEqual("localhost"u8) || host.EndsWith(".localhost"u8))
            return IPAddress.Loopback;
        return char.IsAsciiDigit((char)host[(host.LastIndexOf((byte)'.') + 1)..][0]) && TryIPv4(host, out var ipv4)
            ? new IPAddress([(byte)(ipv4 >> 24), (byte)(ipv4 >> 16), (byte)(ipv4 >> 8), (byte)ipv4])
            : null;
    }

    /// <param name="host">With its brackets.</param>
    private static bool IsIPv6(ReadOnlySpan<byte> host) =>
        host is [(byte)'[', .. var inner, (byte)']'] && !inner.ContainsAnyExcept(AddressCharacters)
        && IPAddress.TryParse(Encoding.ASCII.GetString(inner), out var address) && address.AddressFamily == AddressFamily.InterNetworkV6;

    /// <summary>One to four numbers, each decimal, octal (0…) or hexadecimal (0x…); the last fills the bytes that are left.</summary>
    private static bool TryIPv4(ReadOnlySpan<byte> host, out uint address)
    {
        address = 0;
        var parts = 0;
        while (true)
        {
            var dot = host.IndexOf((byte)'.');
            if (!TryNumber(dot < 0 ? host : host[..dot], out var number) || ++parts > 4)
                return false;
            if (dot < 0)
            {
                var bitsLeft = 8 * (5 - parts);
                if (number >= 1UL << bitsLeft)
                    return false;
                address = bitsLeft == 32 ? (uint)number : address << bitsLeft | (uint)number;
                return true;
            }

            if (number > 255)
                return false;
            address = address << 8 | (uint)number;
            host = host[(dot + 1)..];
        }
    }

    private static bool TryNumber(ReadOnlySpan<byte> text, out ulong number)
    {
        number = 0;
        var radix = 10u;
        if (text.IsEmpty)
            return false;
        if (text.StartsWith("0x"u8))
            radix = 16;
        else if (text is [(byte)'0', _, ..])
            radix = 8;
        text = text[(radix == 16 ? 2 : 0)..];
        foreach (var c in text)
        {
            var digit = c switch
            {
                >= (byte)'0' and <= (byte)'9' => (uint)(c - '0'),
                >= (byte)'a' and <= (byte)'f' => (uint)(c - 'a' + 10),
                _ => uint.MaxValue,
            };
            if (digit >= radix || (number = number * radix + digit) > uint.MaxValue)
                return false;
        }

        return true;
    }

    /// <summary>
    /// The host of a source as it is counted, with its port when the address names one; null for what is not a web address. The same as
    /// <c>importer.host_of</c> in the database, for rows that are in hand.
    /// </summary>
    public static string? Of(string address)
    {
        var schemeLength = address.StartsWith("https://", StringComparison.OrdinalIgnoreCase) ? 8
            : address.StartsWith("http://", StringComparison.OrdinalIgnoreCase) ? 7 : 0;
        if (schemeLength == 0) return null;
        var host = address.AsSpan(schemeLength);
        if (host.IndexOfAny('/', '?', '#') is var end and >= 0) host = host[..end];
        host = host[(host.LastIndexOf('@') + 1)..];
        return host.IsEmpty ? null : host.ToString().ToLowerInvariant();
    }

    /// <summary>The last two labels of a name, which are its owner's; the name itself when it has no more.</summary>
    public static ReadOnlySpan<byte> Domain(ReadOnlySpan<byte> host) =>
        host.LastIndexOf((byte)'.') is var last and > 0 ? host[(host[..last].LastIndexOf((byte)'.') + 1)..] : host;

    private static ReadOnlySpan<byte> ToAscii(ReadOnlySpan<byte> host)
    {
        var text = Uri.UnescapeDataString(Encoding.UTF8.GetString(host));
        var plain = new StringBuilder(text.Length);
        foreach (var c in text)
        {
            plain.Append(c switch
            {
                '\u3002' or '\uFF61' => '.',
                >= '\uFF01' and <= '\uFF5E' => (char)(c - 0xFEE0),
                '\u24EA' => '0',
                >= '\u2460' and <= '\u2468' => (char)(c - '\u2460' + '1'),
                >= '\u24B6' and <= '\u24CF' => (char)(c - '\u24B6' + 'a'),
                >= '\u24D0' and <= '\u24E9' => (char)(c - '\u24D0' + 'a'),
                _ => c,
            });
        }

        // Labels of letters beyond ASCII stay as they are resolved: "xn--" names are never private, so a mark is enough.
        for (var index = 0; index < plain.Length; index++)
        {
            if (plain[index] > 0x7F)
                plain[index] = char.IsLetterOrDigit(plain[index]) || char.IsSurrogate(plain[index])
                    || char.GetUnicodeCategory(plain[index]) is System.Globalization.UnicodeCategory.NonSpacingMark
                        or System.Globalization.UnicodeCategory.SpacingCombiningMark ? 'x' : ' ';
        }

        return Encoding.ASCII.GetBytes(plain.ToString());
    }
}

/// <summary>What is known of domains, found by the bytes of a host without making a text of it.</summary>
/// <param name="known">By the last two labels.</param>
internal sealed class ByDomain<T>(Dictionary<string, T> known)
{
    private readonly Dictionary<string, T>.AlternateLookup<ReadOnlySpan<char>> lookup = known.GetAlternateLookup<ReadOnlySpan<char>>();
    private readonly int longest = known.Keys.Max(domain => domain.Length);

    /// <param name="host">In lower case.</param>
    public T? Of(ReadOnlySpan<byte> host)
    {
        var domain = SourceHost.Domain(host);
        if (domain.Length > longest)
            return default;
        Span<char> name = stackalloc char[domain.Length];
        Encoding.ASCII.GetChars(domain, name);
        return lookup.TryGetValue(name, out var found) ? found : default;
    }
}
