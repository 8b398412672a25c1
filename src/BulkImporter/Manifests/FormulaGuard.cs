using System.Buffers;
using System.Text;

namespace BulkImporter.Manifests;

/// <summary>
/// Keeps a spreadsheet from running a cell of ours as a formula: a cell that begins with <c>= + - @</c>, a tab or a
/// line break (also the full-width signs), behind any number of apostrophes and blanks, gets one more apostrophe in front. Since
/// guarded cells are guarded again, taking one away always gives back what was. Plain numbers such as -12.5 stay.
/// </summary>
public static class FormulaGuard
{
    public static string Guard(string cell) => NeedsGuard(Encoding.UTF8.GetBytes(cell)) ? "'" + cell : cell;

    /// <summary>The reverse of <see cref="Guard"/>; only for cells of a file that we wrote.</summary>
    public static string Unguard(string cell) => IsGuarded(Encoding.UTF8.GetBytes(cell)) ? cell[1..] : cell;

    internal static bool NeedsGuard(ReadOnlySpan<byte> cell)
    {
        if (cell.IsEmpty || (cell[0] is > (byte)'@' and < 0x80) || cell[0] is >= (byte)'0' and <= (byte)'9')
            return false;
        var bare = Bare(cell);
        return StartsFormula(bare) && !(IsPlainNumber(bare) && !cell[..^bare.Length].Contains((byte)'\''));
    }

    internal static bool IsGuarded(ReadOnlySpan<byte> cell) =>
        cell is [(byte)'\'', ..] && StartsFormula(Bare(cell));

    /// <summary>What a spreadsheet looks at that takes blanks and invisible signs away.</summary>
    private static ReadOnlySpan<byte> Bare(ReadOnlySpan<byte> text)
    {
        while (Rune.DecodeFromUtf8(text, out var rune, out var length) == OperationStatus.Done && IsSkipped(rune))
            text = text[length..];
        return text;
    }

    private static bool IsSkipped(Rune rune) => rune.Value is '\'' or 0xFEFF or (>= 0x200B and <= 0x200F)
        || (Rune.IsWhiteSpace(rune) && rune.Value is not ('\t' or '\r' or '\n'));

    private static bool StartsFormula(ReadOnlySpan<byte> text) => text switch
    {
        [(byte)'=' or (byte)'+' or (byte)'-' or (byte)'@' or (byte)'\t' or (byte)'\r' or (byte)'\n', ..] => true,
        [0xEF, 0xBC, 0x8B or 0x8D or 0x9D or 0xA0, ..] => true, // ＋ － ＝ ＠
        _ => false,
    };

    /// <summary>A sign, digits, and perhaps one decimal part: nothing in it can be run.</summary>
    private static bool IsPlainNumber(ReadOnlySpan<byte> text)
    {
        if (text is not [(byte)'+' or (byte)'-', >= (byte)'0' and <= (byte)'9', ..])
            return false;
        var rest = text[1..].TrimStart("0123456789"u8);
        return rest.IsEmpty || (rest is [(byte)'.' or (byte)',', >= (byte)'0' and <= (byte)'9', ..] && !rest[1..].ContainsAnyExceptInRange((byte)'0', (byte)'9'));
    }
}
