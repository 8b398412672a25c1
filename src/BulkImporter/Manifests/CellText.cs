using System.Buffers;

namespace BulkImporter.Manifests;

/// <summary>
/// Takes away what surrounds a cell's value and means nothing: white space of every script, and characters that nobody can see.
/// </summary>
internal static class CellText
{
    private static readonly SearchValues<byte> Space = SearchValues.Create(" \t\r\n"u8);

    /// <summary>The value without what surrounds it. Costs a look at the two ends of a value that is in order.</summary>
    public static ReadOnlySpan<byte> Trim(ReadOnlySpan<byte> cell) => Trim(cell, out _);

    /// <inheritdoc cref="Trim(ReadOnlySpan{byte})"/>
    /// <param name="cell">A cell's text as UTF-8.</param>
    /// <param name="unusual">More was taken away than the blanks, tabs and line breaks that every program writes.</param>
    public static ReadOnlySpan<byte> Trim(ReadOnlySpan<byte> cell, out bool unusual)
    {
        unusual = false;
        var start = cell.IndexOfAnyExcept(Space);
        if (start < 0)
            return default;
        cell = cell[start..(cell.LastIndexOfAnyExcept(Space) + 1)];
        while (IsUnusual(cell[0]) && Rune.DecodeFromUtf8(cell, out var first, out var length) == OperationStatus.Done
            && (IsNothing(first) || IsSpace(first)))
        {
            unusual |= IsNothing(first);
            if ((cell = cell[length..]).IsEmpty)
                return default;
        }

        while (IsUnusual(cell[^1]) && Rune.DecodeLastFromUtf8(cell, out var last, out var length) == OperationStatus.Done
            && (IsNothing(last) || IsSpace(last)))
        {
            unusual |= IsNothing(last);
            cell = cell[..^length]; // the first character stays in any case
        }

        return cell;
    }

    /// <summary>
    /// Whether nothing is seen of a character where it stands in an address. Not the joiners, which some scripts need between their
    /// letters, and not the selectors and tags that belong to a sign before them.
    /// </summary>
    public static bool IsHidden(Rune c) => IsNothing(c) && c.Value is not (0x200C or 0x200D);

    private static bool IsUnusual(byte c) => c is <= 0x20 or >= 0x7F;

    private static bool IsSpace(Rune c) => c.Value is ' ' or '\t' or '\r' or '\n';

    /// <summary>NUL is left: a row that holds one is damaged, which is a finding of its own.</summary>
    private static bool IsNothing(Rune c) => c.Value switch
    {
        ' ' or '\t' or '\r' or '\n' or 0 => false,
        // Format characters, fillers and the like, of which the categories do not tell; the Arabic signs among them can be seen.
        0x00AD or 0x034F or 0x061C or 0x115F or 0x1160 or 0x17B4 or 0x17B5 or 0x2800 or 0x3164 or 0xFEFF or 0xFFA0 => true,
        >= 0x180B and <= 0x180E or >= 0x200B and <= 0x200F or >= 0x202A and <= 0x202E or >= 0x2060 and <= 0x206F or >= 0xFFF9
            and <= 0xFFFB => true,
        _ => Rune.GetUnicodeCategory(c) is UnicodeCategory.Control or UnicodeCategory.SpaceSeparator or UnicodeCategory.LineSeparator
            or UnicodeCategory.ParagraphSeparator,
    };
}
