using System.Text.Json;
using System.Text.Json.Serialization;

namespace BulkImporter.Imports;

/// <summary>
/// The hours of the day in which an import sends, e.g. <c>22:00-06:00 Europe/Berlin</c>; one that ends before it begins goes over midnight.
/// The clock is that of the zone, so the window moves with its summer time. The database decides whether it is open (function
/// <c>opens_at</c>).
/// </summary>
/// <param name="Zone">As PostgreSQL knows it; an IANA name in practice.</param>
[JsonConverter(typeof(AsText))]
public sealed record DailyWindow(TimeOnly From, TimeOnly Until, string Zone)
{
    private static readonly string[] Forms = ["HH:mm", "H:mm"];

    /// <summary>Reads <c>FROM-UNTIL ZONE</c>, times as HH:MM; without a zone it is UTC.</summary>
    /// <exception cref="InvalidArgumentException">It is not of that form.</exception>
    public static DailyWindow Parse(string text)
    {
        var (hours, zone) = text.Trim().Split(' ', 2, StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries) switch
        {
            [var only] => (only, "UTC"),
            [var first, var rest] => (first, rest),
            _ => ("", ""),
        };
        if (hours.Split('-') is not [var from, var until] || !TryTime(from, out var begin) || !TryTime(until, out var end))
            throw new InvalidArgumentException("window",
                $"'{text}' is not a daily window. Write it as 22:00-06:00 Europe/Berlin (without a zone it is UTC).");
        if (begin == end)
            throw new InvalidArgumentException("window", $"The window '{text}' ends when it begins. Leave it out to send all day.");
        return new(begin, end, zone);
    }

    public override string ToString() => $"{From:HH\\:mm}-{Until:HH\\:mm} {Zone}";

    private static bool TryTime(string text, out TimeOnly time) =>
        TimeOnly.TryParseExact(text, Forms, CultureInfo.InvariantCulture, DateTimeStyles.None, out time);

    private sealed class AsText : JsonConverter<DailyWindow>
    {
        public override DailyWindow Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            Parse(reader.GetString()!);

        public override void Write(Utf8JsonWriter writer, DailyWindow value, JsonSerializerOptions options) =>
            writer.WriteStringValue(value.ToString());
    }
}
