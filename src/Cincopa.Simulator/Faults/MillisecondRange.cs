using System.Text.Json;
using System.Text.Json.Serialization;

namespace Cincopa.Simulator.Faults;

/// <summary>A length of time in ms: in JSON a number, or <c>[least, most]</c> for something in between.</summary>
[JsonConverter(typeof(Converter))]
public readonly record struct MillisecondRange(int Least, int Most)
{
    public static implicit operator MillisecondRange(int milliseconds) => new(milliseconds, milliseconds);

    public static MillisecondRange FromInt32(int milliseconds) => milliseconds;

    public bool IsZero => Most == 0;

    /// <summary>The length that belongs to a number of at least 0 and below 1.</summary>
    internal TimeSpan At(double unit) => TimeSpan.FromMilliseconds(Least + ((Most - Least) * unit));

    internal sealed class Converter : JsonConverter<MillisecondRange>
    {
        public override MillisecondRange Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
        {
            MillisecondRange range;
            if (reader.TokenType == JsonTokenType.StartArray)
            {
                var ends = JsonSerializer.Deserialize<int[]>(ref reader, options)!;
                if (ends.Length != 2)
                    throw new JsonException("a range of ms is [least, most]");
                range = new MillisecondRange(ends[0], ends[1]);
            }
            else
            {
                range = reader.GetInt32();
            }

            return range.Least >= 0 && range.Most >= range.Least
                ? range
                : throw new JsonException("a range of ms is [least, most], neither below 0");
        }

        public override void Write(Utf8JsonWriter writer, MillisecondRange value, JsonSerializerOptions options)
        {
            if (value.Least == value.Most)
            {
                writer.WriteNumberValue(value.Least);
                return;
            }

            writer.WriteStartArray();
            writer.WriteNumberValue(value.Least);
            writer.WriteNumberValue(value.Most);
            writer.WriteEndArray();
        }
    }
}
