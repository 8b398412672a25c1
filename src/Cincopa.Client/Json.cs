using System.Globalization;
using System.Text.Json;

namespace Cincopa.Client;

/// <summary>Reads the API's loose JSON: numbers come as numbers or as strings, fields come or do not (DOC S3, 3P S12).</summary>
internal static class Json
{
    /// <summary>False when the field is absent; also when a name before it cannot be decoded, since then nobody can say.</summary>
    public static bool TryField(this JsonElement element, ReadOnlySpan<byte> name, out JsonElement field)
    {
        try
        {
            return element.TryGetProperty(name, out field);
        }
        catch (InvalidOperationException)
        {
            field = default;
            return false;
        }
    }

    /// <summary>The field's text; null when it is absent, empty, or not text or a number.</summary>
    public static string? Text(this JsonElement element, ReadOnlySpan<byte> name)
    {
        if (!element.TryField(name, out var field))
            return null;
        return field.ValueKind switch
        {
            JsonValueKind.String => TextOf(field) is { Length: > 0 } text ? text : null,
            JsonValueKind.Number => field.GetRawText(),
            _ => null,
        };
    }

    /// <summary>
    /// An id, which will be stored as it is and sent back as it is: text of visible characters. One with a control character in it (a NUL
    /// cannot even be stored) is damaged, and counts as not there.
    /// </summary>
    public static string? Id(this JsonElement element, ReadOnlySpan<byte> name) =>
        element.Text(name) is { } id && !id.Any(char.IsControl) ? id : null;

    /// <summary>A count or size; null when absent, not a whole number, or negative (-1 = not known, 3P S12).</summary>
    public static long? Number(this JsonElement element, ReadOnlySpan<byte> name)
    {
        if (!element.TryField(name, out var field))
            return null;
        var read = field.ValueKind switch
        {
            JsonValueKind.Number when field.TryGetInt64(out var whole) => whole,
            JsonValueKind.Number when field.TryGetDouble(out var number) => Whole(number),
            JsonValueKind.String => FromText(TextOf(field)),
            _ => null,
        };
        return read is >= 0 ? read : null;
    }

    public static int? Count(this JsonElement element, ReadOnlySpan<byte> name) =>
        element.Number(name) is { } number and <= int.MaxValue ? (int)number : null;

    /// <summary>A time; without a zone it is taken as UTC (INF).</summary>
    public static DateTimeOffset? Time(this JsonElement element, ReadOnlySpan<byte> name) =>
        DateTimeOffset.TryParse(element.Text(name), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time)
            ? time : null;

    public static JsonElement? Object(this JsonElement element, ReadOnlySpan<byte> name) =>
        element.TryField(name, out var field) && field.ValueKind == JsonValueKind.Object ? field : null;

    private static long? FromText(string? text) =>
        long.TryParse(text, NumberStyles.Integer, CultureInfo.InvariantCulture, out var whole) ? whole
        : double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) ? Whole(number)
        : null;

    private static long? Whole(double number) => number is >= 0 and < long.MaxValue ? (long)number : null;

    private static string? TextOf(JsonElement field)
    {
        try
        {
            return field.GetString();
        }
        catch (InvalidOperationException)
        {
            // Bytes that are not UTF-8, or half a surrogate pair: a text that cannot be read is a text that is not there.
            return null;
        }
    }
}
