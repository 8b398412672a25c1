using System.Buffers.Binary;

namespace Cincopa.Simulator;

/// <summary>
/// Turns the number of an import or asset into the text that the API shows, and back. The text can be computed, so a million ids need
/// no index; the salt differs from start to start, so an id of an earlier life is unknown, as it would be on another server.
/// </summary>
internal sealed class OpaqueIds(ulong salt)
{
    private const int RidLength = 9, FidLength = 12;
    private const ulong Odd = 0x9E3779B97F4A7C15;
    private const ulong RidMask = (1UL << 48) - 1;
    private const string Digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    private static readonly ulong Inverse = InverseOf(Odd);

    /// <summary>In the shape of a UUID, as the mocks of one client have it (3P): the scrambled number and its check.</summary>
    public string StatusId(int number)
    {
        var body = Scramble(number);
        Span<byte> bytes = stackalloc byte[16];
        BinaryPrimitives.WriteUInt64BigEndian(bytes, body);
        BinaryPrimitives.WriteUInt64BigEndian(bytes[8..], Mix.Spread(body));
        return new Guid(bytes, bigEndian: true).ToString();
    }

    /// <summary>The number behind a status id of this life, or -1.</summary>
    public int ReadStatusId(ReadOnlySpan<char> text)
    {
        Span<byte> bytes = stackalloc byte[16];
        if (!Guid.TryParseExact(text, "D", out var id) || !id.TryWriteBytes(bytes, bigEndian: true, out _))
            return -1;
        var body = BinaryPrimitives.ReadUInt64BigEndian(bytes);
        return BinaryPrimitives.ReadUInt64BigEndian(bytes[8..]) == Mix.Spread(body) ? Unscramble(body) : -1;
    }

    /// <summary>Nine characters, the first an A, as in a documented example (DOC); hyphen and underscore occur (OWN).</summary>
    public string Rid(int number) => Text(RidLength, Scramble(number) & RidMask);

    /// <summary>The number behind a rid, or -1. Whether an asset has that number is for the caller to ask.</summary>
    public int ReadRid(ReadOnlySpan<char> text)
    {
        if (text.Length != RidLength || text[0] != 'A')
            return -1;
        var value = 0UL;
        foreach (var c in text[1..])
        {
            var digit = Digits.IndexOf(c, StringComparison.Ordinal);
            if (digit < 0)
                return -1;
            value = (value << 6) + (ulong)digit;
        }

        // The low 48 bits of a product depend on the low 48 bits of its factors only, so the way back works on them alone.
        var number = ((value ^ salt) * Inverse) & RidMask;
        return number <= int.MaxValue ? (int)number : -1;
    }

    /// <summary>Twelve characters, the first an A, as in the documented examples (DOC).</summary>
    public string Fid(int number) => Text(FidLength, Scramble(number));

    private static string Text(int length, ulong value) => string.Create(length, value, static (text, rest) =>
    {
        text[0] = 'A';
        for (var i = text.Length - 1; i > 0; i--, rest >>= 6)
            text[i] = Digits[(int)(rest & 63)];
    });

    private ulong Scramble(int number) => ((ulong)number * Odd) ^ salt;

    private int Unscramble(ulong body)
    {
        var number = (body ^ salt) * Inverse;
        return number <= int.MaxValue ? (int)number : -1;
    }

    /// <summary>The number that undoes a multiplication modulo 2^64 (Newton's steps double the right bits).</summary>
    private static ulong InverseOf(ulong odd)
    {
        var inverse = odd;
        for (var i = 0; i < 6; i++)
            inverse *= 2 - (odd * inverse);
        return inverse;
    }
}
