using System.Text.Json;

namespace BulkImporter.Manifests;

/// <summary>Names what is often given for a manifest and is none, with what to do instead.</summary>
internal static class OtherFormat
{
    /// <summary>As many bytes of a file's beginning as <see cref="OfBytes"/> looks at.</summary>
    /// <remarks>Those of a zip archive reach into the name of its first file, which tells a workbook.</remarks>
    public const int HeadLength = 64;

    public const string Zip = "This is a zip archive or another document in one, not an Excel workbook (.xlsx). Upload the list that is " +
        "in it. A table of another program (.ods, .xlsb, .numbers) must be saved as .xlsx or \"CSV UTF-8\" first.";

    private const string UploadTheList = "Upload the CSV that lists the files.";

    /// <summary>Returns the sentence for a file that is not text; null when it may be text.</summary>
    public static string? OfBytes(ReadOnlySpan<byte> head) => head switch
    {
        [0x50, 0x4B, 0x03 or 0x05, 0x04 or 0x06, ..] => Zip,
        [0xD0, 0xCF, 0x11, 0xE0, ..] => "This is an old Excel workbook (.xls), or one that is protected by a password. Open it in the " +
            "spreadsheet program and save it as .xlsx without a password, or as \"CSV UTF-8\".",
        [0x89, 0x50, 0x4E, 0x47, ..] => $"This is a PNG image, not a manifest. {UploadTheList}",
        [0xFF, 0xD8, 0xFF, ..] => $"This is a JPEG image, not a manifest. {UploadTheList}",
        [(byte)'G', (byte)'I', (byte)'F', (byte)'8', ..] => $"This is a GIF image, not a manifest. {UploadTheList}",
        [(byte)'I', (byte)'I', 0x2A, 0, ..] or [(byte)'M', (byte)'M', 0, 0x2A, ..] => $"This is a TIFF image, not a manifest. " +
            $"{UploadTheList}",
        [(byte)'R', (byte)'I', (byte)'F', (byte)'F', _, _, _, _, (byte)'W', (byte)'E', (byte)'B', (byte)'P', ..] => $"This is a WebP " +
            $"image, not a manifest. {UploadTheList}",
        [(byte)'R', (byte)'I', (byte)'F', (byte)'F', _, _, _, _, >= (byte)'A' and <= (byte)'Z', ..]
            or [_, _, _, _, (byte)'f', (byte)'t', (byte)'y', (byte)'p', ..]
            or [0x1A, 0x45, 0xDF, 0xA3, ..]
            or [(byte)'I', (byte)'D', (byte)'3', < 0x10, ..]
            or [(byte)'O', (byte)'g', (byte)'g', (byte)'S', 0, ..] => $"This is a media file, not a manifest. {UploadTheList}",
        [(byte)'%', (byte)'P', (byte)'D', (byte)'F', (byte)'-', ..] => "This is a PDF, from which no rows can be read. Export the " +
            "table as \"CSV UTF-8\" from the program that made it.",
        [(byte)'7', (byte)'z', 0xBC, 0xAF, ..]
            or [(byte)'R', (byte)'a', (byte)'r', (byte)'!', 0x1A, ..]
            or [(byte)'B', (byte)'Z', (byte)'h', >= (byte)'1' and <= (byte)'9', 0x31, 0x41, ..]
            or [0xFD, (byte)'7', (byte)'z', (byte)'X', ..]
            or [0x28, 0xB5, 0x2F, 0xFD, ..] => "This is a compressed archive that is not read here. Unpack it and upload the CSV, " +
                "plain or as .csv.gz.",
        [(byte)'P', (byte)'A', (byte)'R', (byte)'1', ..] => "This is a Parquet file. Export it as CSV with a header line.",
        [(byte)'S', (byte)'Q', (byte)'L', (byte)'i', (byte)'t', (byte)'e', (byte)' ', (byte)'f', ..] => "This is an SQLite database. " +
            "Export the table as CSV with a header line.",
        _ => null,
    };

    /// <summary>Returns the sentence for text that is no table; null when it may be one.</summary>
    /// <param name="text">The file's beginning, as UTF-8 without byte order mark.</param>
    /// <param name="isWhole">The text is the whole file.</param>
    public static string? OfText(ReadOnlySpan<byte> text, bool isWhole)
    {
        text = text.TrimStart(" \t\r\n"u8);
        return text switch
        {
            [(byte)'{', (byte)'\\', (byte)'r', (byte)'t', (byte)'f', ..] => "This is a rich text document (RTF). Save the table as " +
                "\"CSV UTF-8\" from a spreadsheet program.",
            [(byte)'{', ..] when JsonLinesText.Is(text, isWhole) => IsOnePiece(text, isWhole) ? JsonSentence : null,
            [(byte)'{' or (byte)'[', ..] => Json(text, isWhole),
            [(byte)'<', ..] => Markup(text),
            _ => null,
        };
    }

    private static string? Json(ReadOnlySpan<byte> text, bool isWhole)
    {
        var reader = new Utf8JsonReader(text, isWhole, default);
        var tokens = 0;
        try
        {
            while (reader.Read())
            {
                tokens++;
                if (reader.CurrentDepth > 0 || reader.TokenType is not (JsonTokenType.EndObject or JsonTokenType.EndArray))
                    continue;
                return text[0] == (byte)'[' && text[(int)reader.BytesConsumed..].TrimStart(" \t\r\n"u8) is [(byte)'[', ..]
                    ? "These are JSON lines of lists, not of objects. Convert them to CSV with a header line, for example: (echo " +
                        "url,caption; jq -r @csv FILE) > manifest.csv"
                    : JsonSentence;
            }
        }
        catch (JsonException)
        {
            // A header may stand in such brackets too; what gets as far as a value is JSON, if perhaps a damaged one.
        }

        return tokens >= 3 ? JsonSentence : null;
    }

    /// <summary>
    /// Whether the only line is an object with the list in it, as an API answers: it names no address itself, but holds a list of objects.
    /// </summary>
    private static bool IsOnePiece(ReadOnlySpan<byte> text, bool isWhole)
    {
        if (text.TrimEnd(" \t\r\n"u8).Contains((byte)'\n'))
            return false;
        var reader = new Utf8JsonReader(text, isWhole, default);
        var (isInList, isList) = (false, false);
        try
        {
            for (var name = ""; reader.Read();)
            {
                switch (reader.TokenType)
                {
                    case JsonTokenType.PropertyName when reader.CurrentDepth == 1:
                        name = reader.GetString()!;
                        break;
                    case JsonTokenType.String when reader.CurrentDepth == 1
                        && (ManifestFormat.TargetNamed(name) == ManifestColumn.Url || ManifestFormat.LooksLikeUrl(reader.GetString()!)):
                        return false;
                    case JsonTokenType.StartArray or JsonTokenType.EndArray when reader.CurrentDepth == 1:
                        isInList = reader.TokenType == JsonTokenType.StartArray;
                        break;
                    case JsonTokenType.StartObject when reader.CurrentDepth == 2 && isInList:
                        isList = true;
                        break;
                }
            }
        }
        catch (Exception odd) when (odd is JsonException or InvalidOperationException)
        {
            // Whoever reads the lines tells what is wrong with this one.
            return false;
        }

        return isList;
    }

    private const string JsonSentence =
        "This is JSON, but not JSON lines: each line of the file must be one object. Convert it, for example: jq -c '.[]' FILE > " +
            "manifest.jsonl (or jq -c . FILE, if it is no list).";

    /// <summary>An address may stand in angle brackets too, so that only tags count.</summary>
    private static string? Markup(ReadOnlySpan<byte> text)
    {
        var head = Encoding.UTF8.GetString(text[..Math.Min(text.Length, 2048)]);
        var name = new string([.. head.Skip(1).TakeWhile(c => char.IsAsciiLetterOrDigit(c) || c is '!' or '?' or '-')]);
        if (name.Length == 0 || (name.Length + 1 < head.Length && head[name.Length + 1] is not (' ' or '\t' or '\r' or '\n' or '>' or '/')))
            return null;
        if (head.Contains("<html", StringComparison.OrdinalIgnoreCase)
            || name.ToLowerInvariant() is "!doctype" or "head" or "body" or "table" or "div" or "script" or "meta")
            return "This is a web page (HTML), not CSV: perhaps the sign-in or preview page of the place that it came from. Download " +
                "the CSV itself, or save the table as \"CSV UTF-8\".";
        return "This is XML, not CSV. Export the list as CSV with a header line, one row for each file.";
    }
}
