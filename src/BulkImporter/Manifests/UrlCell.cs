using System.Buffers;
using System.Net;
using System.Text.RegularExpressions;

namespace BulkImporter.Manifests;

/// <summary>
/// Reads the address out of a cell that says it with something around it: quotes of a word processor, angle brackets, an apostrophe, a
/// formula of a spreadsheet, or the entities of a web page in the place of characters. Only where nothing else can be meant.
/// </summary>
internal static partial class UrlCell
{
    private static readonly SearchValues<byte> Wrapping = SearchValues.Create("\"'<>()[]#`"u8);

    /// <summary>What may stand before an address and behind it, in pairs.</summary>
    private const string Wrappers =
        "\"\"''``<>()[]##\u201C\u201D\u201D\u201D\u201E\u201C\u201E\u201D\u201C\u201C\u2018\u2019\u2019\u2019\u201A\u2018\u201A\u2019"
        + "\u00AB\u00BB\u00BB\u00AB\u2039\u203A\u203A\u2039\u00B4\u00B4`\u00B4\u2033\u2033\u2032\u2032\uFF02\uFF02\u300C\u300D\u300E\u300F"
        + "\u3008\u3009";

    /// <summary>Signs that no address begins with, also when their partner is missing: what is behind them is the address.</summary>
    private const string Openers = "\"'`<\u201C\u201D\u201E\u2018\u2019\u201A\u00AB\u2039\u00B4";

    /// <summary>Signs that no address ends with.</summary>
    private const string Closers = "\">\u201C\u201D\u201E\u2018\u2019\u00BB\u203A";

    /// <summary>More signs than these around an address nobody writes; each is looked for anew.</summary>
    private const int MostLayers = 10;

    /// <summary>The address of a cell, as it stands there for nearly every cell.</summary>
    /// <param name="cell">Without white space around it.</param>
    /// <param name="unwrapped">Something around it was taken away.</param>
    /// <param name="decoded">Entities were replaced.</param>
    public static ReadOnlySpan<byte> Read(ReadOnlySpan<byte> cell, out bool unwrapped, out bool decoded)
    {
        (unwrapped, decoded) = (false, false);
        if (cell.IsEmpty || !MayBeWrapped(cell) && !MayHoldEntities(cell))
            return cell;
        var written = Encoding.UTF8.GetString(cell);
        var text = Decode(written);
        decoded = text != written;
        var bare = Unwrap(text);
        unwrapped = bare.Length != text.Length;
        return unwrapped || decoded ? CellText.Trim(Encoding.UTF8.GetBytes(bare)) : cell;
    }

    private static bool MayBeWrapped(ReadOnlySpan<byte> cell) =>
        !char.IsAsciiLetterOrDigit((char)cell[0]) || Wrapping.Contains(cell[^1]) || cell[^1] > 0x7F;

    private static bool MayHoldEntities(ReadOnlySpan<byte> cell) =>
        cell.IndexOf((byte)'&') is var mark and >= 0 && cell[mark..].Contains((byte)';');

    /// <summary>
    /// Text in which an ampersand is written as an entity, or a letter of the path, is text of a web page, and all of its entities are;
    /// once more where it was encoded twice.
    /// </summary>
    private static string Decode(string text)
    {
        for (var round = 0; round < 3 && (Entity().IsMatch(text) || IsLetterInPath(text)); round++)
            text = WebUtility.HtmlDecode(Entity().Replace(text, entity => entity.Value.ToLowerInvariant()));
        return text;
    }

    /// <summary>A name such as &amp;eacute; behind the question mark may be a parameter; before it, it can only be the letter.</summary>
    private static bool IsLetterInPath(string text)
    {
        var query = text.IndexOf('?', StringComparison.Ordinal);
        return Letter().Matches(query < 0 ? text : text[..query]).Any(name => WebUtility.HtmlDecode(name.Value) != name.Value);
    }

    private static string Unwrap(string text)
    {
        var bare = text;
        for (var layer = 0; layer < MostLayers; layer++)
        {
            var inner = Inner(bare).Trim();
            if (inner.Length == bare.Length)
                break;
            bare = inner;
        }

        // What stands there is no better for it unless it is an address now.
        return bare.Length != text.Length && Address().IsMatch(bare) ? bare : text;
    }

    private static string Inner(string text)
    {
        // An element that does not end is none, and would be looked for at each of its attributes.
        if (text is not ['<', .., not '>'] && Link().Match(text) is { Success: true } link)
            return link.Groups["url"].Value;
        if (text.StartsWith("URL:", StringComparison.OrdinalIgnoreCase))
            return text[4..];
        for (var at = 0; at < Wrappers.Length && text.Length > 2; at += 2)
        {
            if (text[0] == Wrappers[at] && text[^1] == Wrappers[at + 1])
                return text[1..^1];
        }

        if (text.Length > 1 && Openers.Contains(text[0], StringComparison.Ordinal))
            return text[1..];
        return text.Length > 1 && Closers.Contains(text[^1], StringComparison.Ordinal) ? text[..^1] : text;
    }

    [GeneratedRegex(@"&(?:amp|quot|apos|lt|gt|nbsp|#[0-9]{1,7}|#x[0-9a-f]{1,6});", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex Entity();

    [GeneratedRegex("&[A-Za-z]{2,8}[0-9]{0,2};", RegexOptions.CultureInvariant)]
    private static partial Regex Letter();

    /// <summary>
    /// A formula of a spreadsheet, =HYPERLINK("address";"text") or ="address"; a link or picture of a web page, &lt;a href="address">;
    /// Markdown's [text](address).
    /// </summary>
    [GeneratedRegex(
        """
        \A(?: [=+@]\s*(?:HYPERLINK|IMAGE|T)\s*\(\s*["\u201C](?<url>[^"\u201D]+)["\u201D]\s*(?:[,;].*)?\)
             | [=+@]\s*["\u201C](?<url>[^"\u201D]+)["\u201D]
             | <(?:a|img|video|audio|source|iframe)\s[^>]*?(?:href|src)\s*=\s*["'](?<url>[^"']+)["'].*>
             | !?\[[^\]]*\]\((?<url>\S+)\) )\s*\z
        """, RegexOptions.IgnoreCase | RegexOptions.CultureInvariant | RegexOptions.Singleline | RegexOptions.IgnorePatternWhitespace)]
    private static partial Regex Link();

    [GeneratedRegex(@"\A[a-z][a-z0-9+.-]*://", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex Address();
}
