using System.Text.RegularExpressions;

namespace BulkImporter.Manifests;

/// <summary>
/// Makes a manifest's value fit to be shown, logged and exported: signed URLs lose their query, credentials are replaced, control
/// characters become spaces, and nothing is longer than 120 characters.
/// </summary>
public static partial class FindingMask
{
    private const int MaxLength = 120;

    /// <summary>Enough to judge any value by; what lies behind is cut before the patterns run.</summary>
    private const int Considered = 4096;

    public static string Mask(string value)
    {
        var text = value.Length > Considered ? value[..Considered] : value;
        if (text.Contains("//", StringComparison.Ordinal))
        {
            text = Credentials().Replace(text, "$1***@");
            text = WithoutQuery(text);
        }

        text = Control().Replace(text, " ");
        if (text.Length <= MaxLength)
            return text;
        var end = char.IsHighSurrogate(text[MaxLength - 2]) ? MaxLength - 2 : MaxLength - 1;
        return string.Concat(text.AsSpan(0, end), "…");
    }

    /// <summary>
    /// From the question mark on everything may be a signature; a fragment may hold a token too. No pattern: it would look for the mark
    /// anew from each of a thousand slashes.
    /// </summary>
    private static string WithoutQuery(string text)
    {
        var slashes = text.IndexOf("//", StringComparison.Ordinal);
        var mark = slashes < 0 ? -1 : text.AsSpan(slashes + 2).IndexOfAny('?', '#') + slashes + 2;
        return mark < slashes + 2 || mark + 1 == text.Length ? text : string.Concat(text.AsSpan(0, mark + 1), "…");
    }

    [GeneratedRegex(@"(//)[^/?#\\]*@")]
    private static partial Regex Credentials();

    [GeneratedRegex(@"\p{Cc}")]
    private static partial Regex Control();
}
