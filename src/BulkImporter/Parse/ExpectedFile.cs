using System.Buffers;
using System.Buffers.Text;
using BulkImporter.Manifests;

namespace BulkImporter.Parse;

/// <summary>
/// Reads what a row says of the file that is to arrive: its size, its MD5 and how long it plays. Null for what cannot be read, which is
/// then not compared with anything.
/// </summary>
internal static class ExpectedFile
{
    private const int Md5Length = 32;

    /// <summary>Of the same 16 bytes in base64, which is how a list for Storage Transfer Service has them.</summary>
    private const int Base64Length = 24;

    private static readonly SearchValues<byte> HexDigits = SearchValues.Create("0123456789abcdefABCDEF"u8);

    /// <summary>A year: a longer recording is a mistake.</summary>
    private const double MostSeconds = 366 * 86_400d;

    public static bool IsReadable(ManifestColumn column, ReadOnlySpan<byte> text) => column switch
    {
        ManifestColumn.Size => Bytes(text) is not null,
        ManifestColumn.Md5 => Md5(text) is not null,
        _ => Seconds(text) is not null,
    };

    /// <summary>
    /// A whole number, also in groups as in <c>1,234,567</c>; with one comma alone it might be a fraction. Not 0, which exports write for
    /// what they do not know.
    /// </summary>
    public static long? Bytes(ReadOnlySpan<byte> text) => long.TryParse(
        IsInGroups(text) ? Encoding.ASCII.GetBytes(Encoding.ASCII.GetString(text).Replace(",", "", StringComparison.Ordinal)) : text,
        NumberStyles.None, CultureInfo.InvariantCulture, out var bytes) && bytes > 0 ? bytes : null;

    private static bool IsInGroups(ReadOnlySpan<byte> text)
    {
        if (text.Count((byte)',') < 2 || text[0] == (byte)',') return false;
        for (var index = 0; index < text.Length; index++)
        {
            if (text[index] == (byte)',' != ((text.Length - index) % 4 == 0)) return false;
        }
        return true;
    }

    /// <summary>Returns it as hex digits in lower case.</summary>
    public static string? Md5(ReadOnlySpan<byte> text)
    {
        if (text.Length == Md5Length && !text.ContainsAnyExcept(HexDigits)) return Encoding.ASCII.GetString(text).ToLowerInvariant();
        Span<byte> hash = stackalloc byte[18];
        return text.Length == Base64Length
            && Base64.DecodeFromUtf8(text, hash, out _, out var length) == OperationStatus.Done && length == Md5Length / 2
            ? Convert.ToHexStringLower(hash[..length]) : null;
    }

    /// <summary>Seconds, or minutes and seconds with or without hours: <c>62.3</c>, <c>1:02</c>, <c>0:01:02.3</c>. Not 0.</summary>
    public static double? Seconds(ReadOnlySpan<byte> text)
    {
        var seconds = 0d;
        var parts = 0;
        foreach (var range in text.Split((byte)':'))
        {
            var part = text[range];
            var isFirst = parts++ == 0;
            if (!double.TryParse(part, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number)
                || (!isFirst && number >= 60) || part.Length == 0)
                return null;
            seconds = seconds * 60 + number;
        }
        return parts is >= 1 and <= 3 && seconds is > 0 and < MostSeconds ? seconds : null;
    }
}
