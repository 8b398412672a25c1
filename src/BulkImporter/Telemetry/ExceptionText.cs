using System.Data.Common;
using Cincopa.Client;

namespace BulkImporter.Telemetry;

/// <summary>An unexpected exception as the reason that a person reads on a page.</summary>
internal static class ExceptionText
{
    private const int MostCharacters = 300;

    /// <summary>
    /// One line without secrets, of which every character can be stored. The exception's type comes first, because its text is often too
    /// general.
    /// </summary>
    public static string Reason(this Exception error)
    {
        var text =
            $"{error.GetType().Name}{((error as DbException)?.SqlState is { } state ? $" {state}" : "")}: {Redact.Secrets(error.Message)}";
        var line = new StringBuilder(MostCharacters);
        foreach (var rune in text.EnumerateRunes())
        {
            if (line.Length + rune.Utf16SequenceLength > MostCharacters - 1) return line.Append('…').ToString();
            if (!Rune.IsControl(rune)) line.Append(rune.ToString());
            else if (line[^1] != ' ') line.Append(' ');
        }
        return line.ToString();
    }
}
