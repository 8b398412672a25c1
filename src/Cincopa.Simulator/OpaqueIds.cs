using System.Globalization;

namespace Cincopa.Simulator;

/// <summary>
/// Turns the number of an import or asset into the text that the API shows, and back. The text can be computed, so a million ids need
/// no index; the salt differs from start to start, so an id of an earlier life is unknown, as it would be on another server.
/// </summary>
internal sealed class OpaqueIds(ulong salt)
{
    private const int RidLength = 9;
    private const ulong Odd = 0x9E3779B97F4A7C15;
    private const ulong RidMask = (1UL << 48) - 1;
    private const string RidDigits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    private static readonly ulong Inverse = InverseOf(Odd);

    /// <summary>Two groups of 16 hexadecimal digits: the scrambled number and its check.</summary>
    public string StatusId(int number)
    {
        var body = Scramble(number);
        return string.Create(CultureInfo.InvariantCulture, stackalloc char[33], $"{body:x16}-{Mix.Spread(body):x16}");
    }

    /// <summary>The number behind a status id of this life, or -1.</summary>
    public int ReadStatusId(ReadOnlySpan<char> text) =>
        text.Length == 33 && text[16] == '-'
        && ulong.TryParse(text[..16], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var body)
        && ulong.TryParse(text[17..], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var check)
        && check == Mix.Spread(body)
            ? Unscramble(body)
            : -1;

    /// <summary>Nine letters and digits.</summary>
    public string Rid(int number) => string.Create(RidLength, Scramble(number) & RidMask, static (text, value) =>
    {
        for (var i = text.Length - 1; i >= 0; i--, value /= 62)
            text[i] = RidDigits[(int)(value % 62)];
    });

    /// <summary>The number behind a rid, or -1. Whether an asset has that number is for the caller to ask.</summary>
    public int ReadRid(ReadOnlySpan<char> text)
    {
        if (text.Length != RidLength)
            return -1;
        var value = 0UL;
        foreach (var c in text)
        {
            var digit = RidDigits.IndexOf(c, StringComparison.Ordinal);
            if (digit < 0)
                return -1;
            value = (value * 62) + (ulong)digit;
        }

        // The low 48 bits of a product depend on the low 48 bits of its factors only, so the way back works on them alone.
        var number = ((value ^ salt) * Inverse) & RidMask;
        return value <= RidMask && number <= int.MaxValue ? (int)number : -1;
    }

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
