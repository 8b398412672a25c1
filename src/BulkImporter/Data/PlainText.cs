using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Text.RegularExpressions;

namespace BulkImporter.Data;

/// <summary>What text from outside must be before it is used: storable wherever it is kept, sendable where it goes into a header.</summary>
public static partial class PlainText
{
    private static readonly SearchValues<char> Suspects =
        SearchValues.Create(['\0', .. Enumerable.Range(0xD800, 0x800).Select(c => (char)c)]);

    /// <summary>
    /// Where the first character stands that PostgreSQL cannot hold, NUL or half of a surrogate pair; -1 when there is none.
    /// </summary>
    public static int Unstorable(string text)
    {
        for (var at = 0; ;)
        {
            var next = text.AsSpan(at).IndexOfAny(Suspects);
            if (next < 0) return -1;
            at += next;
            if (!char.IsHighSurrogate(text[at]) || at + 1 == text.Length || !char.IsLowSurrogate(text[at + 1])) return at;
            at += 2;
        }
    }

    /// <exception cref="InvalidArgumentException">The text, or the name of its argument, holds NUL or half of a surrogate pair.</exception>
    public static void RequireStorable(string argument, string? text)
    {
        if (Unstorable(argument) >= 0)
            throw new InvalidArgumentException(Storable(argument),
                "The name of an argument holds a character that is no text. Leave it out.");
        if (text is not null && Unstorable(text) is var at and >= 0)
            throw new InvalidArgumentException(argument,
                $"The value of '{argument}' holds a character that is no text and cannot be kept: {Sign(text[at])} at position {at + 1}. "
                    + "Leave it out.");
    }

    /// <summary>The text with U+FFFD, the sign for what is no character, in place of each that cannot be stored.</summary>
    [return: NotNullIfNotNull(nameof(text))]
    public static string? Storable(string? text)
    {
        while (text is not null && Unstorable(text) is var at and >= 0) text = $"{text[..at]}\uFFFD{text[(at + 1)..]}";
        return text;
    }

    /// <summary>
    /// The text without what editors, shells and Windows leave at the ends of a value: white space, line ends, byte order marks and other
    /// signs that nobody sees.
    /// </summary>
    public static string Trimmed(string text)
    {
        var (start, end) = (0, text.Length);
        while (start < end && IsInvisible(text[start])) start++;
        while (end > start && IsInvisible(text[end - 1])) end--;
        return text[start..end];
    }

    /// <summary>The text is visible ASCII, which every client can send in a header.</summary>
    public static bool IsSendable(string text) => text.AsSpan().IndexOfAnyExceptInRange('!', '~') < 0;

    /// <exception cref="InvalidArgumentException">The text is not <see cref="IsSendable"/>. It is not told: it is a secret.</exception>
    public static void RequireSendable(string argument, string text)
    {
        if (text.AsSpan().IndexOfAnyExceptInRange('!', '~') is var at and >= 0)
            throw new InvalidArgumentException(argument,
                $"{argument} holds a character that cannot be sent: {Sign(text[at])} at position {at + 1}. Use visible ASCII only: "
                    + "letters, digits and signs, without blanks.");
    }

    /// <exception cref="InvalidArgumentException">The text cannot be the name by which people and programs call a thing.</exception>
    public static void RequireName(string name)
    {
        if (!Name().IsMatch(name))
            throw new InvalidArgumentException("name",
                "A name has 1 to 64 letters, digits, dots, dashes or underscores, and begins with a letter or digit.");
    }

    [GeneratedRegex(@"\A[A-Za-z0-9][A-Za-z0-9._-]{0,63}\z")]
    private static partial Regex Name();

    private static string Sign(char c) => $"U+{(int)c:X4}";

    private static bool IsInvisible(char c) => char.IsWhiteSpace(c) || char.IsControl(c)
        || char.GetUnicodeCategory(c) == UnicodeCategory.Format;
}
