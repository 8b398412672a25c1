using System.Buffers;

namespace BulkImporter.Manifests;

/// <summary>
/// Keeps a spreadsheet from running a cell of ours as a formula: a cell that begins with <c>= + - @</c>, a tab or a line break (also the
/// full-width signs), behind any number of apostrophes and blanks, gets one more apostrophe in front. Since guarded cells are guarded
/// again, taking one away always gives back what was. Plain numbers such as -12.5 stay.
/// </summary>
/// <remarks>
/// A spreadsheet that is told another separator than the file's splits inside our cells, and quotes are then text to it. So each place
/// behind a foreign separator or a line break is the beginning of a cell too; there numbers are guarded as well, as the next cell of ours
/// may go on with them.
/// </remarks>
public static class FormulaGuard
{
    private static readonly SearchValues<byte> Splitters = SearchValues.Create(",;|\t\r\n"u8);

    /// <summary>A cell as it stands between commas: quoted where needed, and never a formula.</summary>
    public static string Cell(string? text)
    {
        var safe = Guard(text ?? "");
        return safe.AsSpan().IndexOfAny(",\"\r\n") < 0 ? safe : $"\"{safe.Replace("\"", "\"\"")}\"";
    }

    /// <param name="separator">Of the file that the cell is written into.</param>
    public static string Guard(string cell, byte separator = (byte)',')
    {
        var text = Encoding.UTF8.GetBytes(cell);
        var isGuarded = NeedsGuard(text);
        if (!isGuarded && NextInner(text, separator, 0) < 0) return cell;
        var output = new ArrayBufferWriter<byte>(text.Length + 8);
        if (isGuarded) output.Write("'"u8);
        WriteInner(text, separator, isGuardedAlready: false, output);
        return Encoding.UTF8.GetString(output.WrittenSpan);
    }

    /// <summary>The reverse of <see cref="Guard"/>; only for cells of a file that we wrote.</summary>
    public static string Unguard(string cell, byte separator = (byte)',') =>
        Encoding.UTF8.GetString(Unguard(Encoding.UTF8.GetBytes(cell), separator));

    /// <inheritdoc cref="Unguard(string, byte)"/>
    internal static ReadOnlySpan<byte> Unguard(ReadOnlySpan<byte> cell, byte separator)
    {
        if (IsGuarded(cell)) cell = cell[1..];
        if (NextInner(cell, separator, 0) < 0) return cell;
        var (output, from) = (new ArrayBufferWriter<byte>(cell.Length), 0);
        for (var place = NextInner(cell, separator, 0); place >= 0; place = NextInner(cell, separator, place))
        {
            output.Write(cell[from..place]);
            from = cell[place] == (byte)'\'' ? place + 1 : place;
        }

        output.Write(cell[from..]);
        return output.WrittenSpan;
    }

    /// <summary>Writes a cell, or a field with its quotes, with its inner places guarded.</summary>
    internal static void WriteInner(ReadOnlySpan<byte> text, byte separator, bool isGuardedAlready, IBufferWriter<byte> output)
    {
        var from = 0;
        for (var place = NextInner(text, separator, 0); place >= 0; place = NextInner(text, separator, place))
        {
            output.Write(text[from..place]);
            if (!isGuardedAlready || text[place] != (byte)'\'') output.Write("'"u8);
            from = place;
        }

        output.Write(text[from..]);
    }

    /// <summary>
    /// The first place from <paramref name="from"/> on that a foreign separator makes the beginning of a formula, guarded or not; -1 when
    /// there is none.
    /// </summary>
    internal static int NextInner(ReadOnlySpan<byte> text, byte separator, int from)
    {
        while (text[from..].IndexOfAny(Splitters) is >= 0 and var next)
        {
            from += next + 1;
            if (text[from - 1] != separator && StartsWithSign(Bare(text[from..], withQuotes: true))) return from;
        }

        return -1;
    }

    /// <summary>Whether the cell needs an apostrophe in front.</summary>
    /// <param name="isFirst">It begins a row, so that for a foreign separator the next cell goes on with a number in it.</param>
    internal static bool NeedsGuard(ReadOnlySpan<byte> cell, bool isFirst = false)
    {
        if (cell.IsEmpty || (cell[0] is > (byte)'@' and < 0x80) || cell[0] is >= (byte)'0' and <= (byte)'9')
            return false;
        var bare = Bare(cell);
        return StartsFormula(bare) && !(!isFirst && IsPlainNumber(bare) && !cell[..^bare.Length].Contains((byte)'\''));
    }

    internal static bool IsGuarded(ReadOnlySpan<byte> cell) =>
        cell is [(byte)'\'', ..] && StartsFormula(Bare(cell));

    /// <summary>What a spreadsheet looks at that takes blanks and invisible signs away.</summary>
    private static ReadOnlySpan<byte> Bare(ReadOnlySpan<byte> text, bool withQuotes = false)
    {
        while (Rune.DecodeFromUtf8(text, out var rune, out var length) == OperationStatus.Done
            && (IsSkipped(rune) || (withQuotes && rune.Value == '"')))
            text = text[length..];
        return text;
    }

    private static bool IsSkipped(Rune rune) => rune.Value is '\'' or 0xFEFF or (>= 0x200B and <= 0x200F)
        || (Rune.IsWhiteSpace(rune) && rune.Value is not ('\t' or '\r' or '\n'));

    private static bool StartsFormula(ReadOnlySpan<byte> text) =>
        text is [(byte)'\t' or (byte)'\r' or (byte)'\n', ..] || StartsWithSign(text);

    private static bool StartsWithSign(ReadOnlySpan<byte> text) => text switch
    {
        [(byte)'=' or (byte)'+' or (byte)'-' or (byte)'@', ..] => true,
        [0xEF, 0xBC, 0x8B or 0x8D or 0x9D or 0xA0, ..] => true, // ＋ － ＝ ＠
        _ => false,
    };

    /// <summary>A sign, digits, and perhaps one decimal part: nothing in it can be run.</summary>
    private static bool IsPlainNumber(ReadOnlySpan<byte> text)
    {
        if (text is not [(byte)'+' or (byte)'-', >= (byte)'0' and <= (byte)'9', ..])
            return false;
        var rest = text[1..].TrimStart("0123456789"u8);
        return rest.IsEmpty || (rest is [(byte)'.' or (byte)',', >= (byte)'0' and <= (byte)'9', ..]
            && !rest[1..].ContainsAnyExceptInRange((byte)'0', (byte)'9'));
    }
}
