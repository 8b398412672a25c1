using System.Text;

namespace BulkImporter.EndToEndTests;

/// <summary>
/// A CSV file as it stands in its bytes: rows and fields as raw text with their quotes, never decoded. It shares no code with the product.
/// </summary>
internal static class RawCsv
{
    /// <summary>Each row without its line ending; line breaks inside quotes stay in the row.</summary>
    public static IReadOnlyList<string> Rows(byte[] file) =>
        Cut(Encoding.UTF8.GetString(file), '\n').Select(row => row.EndsWith('\r') ? row[..^1] : row).ToList();

    public static IReadOnlyList<string> Fields(string row) => Cut(row, ',');

    private static List<string> Cut(string text, char separator)
    {
        var parts = new List<string>();
        var (start, quoted) = (0, false);
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] == '"') quoted = !quoted;
            if (text[i] != separator || quoted) continue;
            parts.Add(text[start..i]);
            start = i + 1;
        }

        if (start < text.Length || separator != '\n') parts.Add(text[start..]);
        return parts;
    }
}
