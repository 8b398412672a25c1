using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace BulkImporter.Sources;

/// <summary>
/// Which addresses are not a public server's: private, loopback, link-local, shared, reserved, multicast, and those of a cloud's own
/// metadata. The one place where an address is judged, be it written in a manifest or the answer of DNS.
/// </summary>
public static class InnerAddress
{
    // From the registries of special-purpose addresses (IANA), without the few whose servers are public.
    private static readonly (uint Network, int Bits)[] Networks =
    [
        (0x00000000, 8),   // this network
        (0x0A000000, 8),   // private
        (0x64400000, 10),  // carrier-grade NAT, and a cloud's metadata
        (0x7F000000, 8),   // loopback
        (0xA9FE0000, 16),  // link-local, cloud metadata
        (0xAC100000, 12),  // private
        (0xC0000000, 24),  // protocol assignments
        (0xC0000200, 24),  // documentation
        (0xC0586300, 24),  // relays of 6to4, which were given up
        (0xC0A80000, 16),  // private
        (0xC6120000, 15),  // benchmarking
        (0xC6336400, 24),  // documentation
        (0xCB007100, 24),  // documentation
        (0xA83F8110, 32),  // Azure's host, which answers every machine of its own cloud under a public address
        (0xE0000000, 3),   // multicast and reserved
    ];

    /// <param name="ipv4">The address as a number, its first byte the highest.</param>
    public static bool Is(uint ipv4)
    {
        foreach (var (network, bits) in Networks)
        {
            if ((ipv4 ^ network) >> (32 - bits) == 0)
                return true;
        }

        return false;
    }

    /// <summary>An IPv6 address that carries an IPv4 address is judged by that one, and is inner where that is.</summary>
    public static bool Is(IPAddress address)
    {
        Span<byte> bytes = stackalloc byte[16];
        address.TryWriteBytes(bytes, out _);
        if (address.AddressFamily == AddressFamily.InterNetwork)
            return Is(BinaryPrimitives.ReadUInt32BigEndian(bytes));

        // Compatible addresses (::a.b.c.d) are given up, and the rest of ::/8 is not public: loopback and the unspecified address are
        // there.
        if (Carried(bytes) is { } ipv4)
            return bytes[..12].IndexOfAnyExcept((byte)0) < 0 || Is(ipv4);
        if ((bytes[0] & 0xE0) != 0x20)
            return true; // all that is public today lies in 2000::/3: loopback, link-local, unique local, multicast and the rest do not
        return BinaryPrimitives.ReadUInt16BigEndian(bytes) switch
        {
            0x2001 => (bytes[2] & 0xFE) == 0 || (bytes[2], bytes[3]) == (0x0D, 0xB8), // protocol assignments with Teredo; documentation
            0x3FFF => (bytes[2] & 0xF0) == 0, // documentation
            _ => false,
        };
    }

    /// <summary>
    /// True for 169.254.0.0/16 and fe80::/10, where clouds keep their machines' credentials, however it is written: as an IPv4 address or
    /// carried by an IPv6 one.
    /// </summary>
    public static bool IsLinkLocal(IPAddress address)
    {
        if (address.IsIPv6LinkLocal) return true;
        Span<byte> bytes = stackalloc byte[16];
        address.TryWriteBytes(bytes, out _);
        var ipv4 = address.AddressFamily == AddressFamily.InterNetwork ? BinaryPrimitives.ReadUInt32BigEndian(bytes) : Carried(bytes);
        return ipv4 >> 16 == 0xA9FE;
    }

    /// <summary>
    /// The IPv4 address that an IPv6 address carries: mapped, compatible, by NAT64 or by 6to4. Null when it carries none.
    /// </summary>
    private static uint? Carried(ReadOnlySpan<byte> ipv6)
    {
        var last = BinaryPrimitives.ReadUInt32BigEndian(ipv6[12..]);
        // ::a.b.c.d, ::ffff:a.b.c.d
        if (ipv6[..10].IndexOfAnyExcept((byte)0) < 0 && (ipv6[10], ipv6[11]) is (0, 0) or (0xFF, 0xFF)) return last;
        if (ipv6[..12].SequenceEqual((ReadOnlySpan<byte>)[0, 0x64, 0xFF, 0x9B, 0, 0, 0, 0, 0, 0, 0, 0])) return last; // NAT64
        return BinaryPrimitives.ReadUInt16BigEndian(ipv6) == 0x2002 ? BinaryPrimitives.ReadUInt32BigEndian(ipv6[2..]) : null; // 6to4
    }
}
