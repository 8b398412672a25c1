using System.Buffers.Text;
using System.Text.Json;

namespace BulkImporter.Sources;

/// <summary>
/// When a signed link runs out, as its query says: S3 (versions 2 and 4), Google Cloud Storage (both), Azure shared access
/// signatures, CloudFront (canned and custom policies).
/// </summary>
internal static class SignedLink
{
    /// <summary>Quickly false for nearly every query that is no signature: each form says "expires", "policy" or, at Azure, "se".</summary>
    public static bool MayExpire(ReadOnlySpan<byte> query) =>
        query.IndexOf("xpires="u8) >= 0 || query.IndexOf("olicy="u8) >= 0 || query.IndexOf("se="u8) >= 0 || query.IndexOf("XPIRES="u8) >= 0;

    /// <summary>Null when the query is no signature that we know, or cannot be read as one.</summary>
    public static DateTimeOffset? Expiry(ReadOnlySpan<byte> query)
    {
        DateTimeOffset? signedAt = null;
        long? lifetime = null;
        DateTimeOffset? absolute = null;
        DateTimeOffset? azure = null;
        DateTimeOffset? policy = null;
        var hasSignature = false;
        var hasSas = false;

        while (!query.IsEmpty)
        {
            var end = query.IndexOf((byte)'&');
            var pair = end < 0 ? query : query[..end];
            query = end < 0 ? default : query[(end + 1)..];
            var mark = pair.IndexOf((byte)'=');
            if (mark <= 0)
                continue;
            var name = pair[..mark];
            var value = pair[(mark + 1)..];
            if (Is(name, "X-Amz-Date"u8) || Is(name, "X-Goog-Date"u8))
                signedAt = BasicIso(value);
            else if (Is(name, "X-Amz-Expires"u8) || Is(name, "X-Goog-Expires"u8))
                lifetime = Number(value);
            else if (Is(name, "Expires"u8))
                absolute = Epoch(Number(value));
            else if (Is(name, "Signature"u8) || Is(name, "Key-Pair-Id"u8) || Is(name, "AWSAccessKeyId"u8) || Is(name, "GoogleAccessId"u8))
                hasSignature = true;
            else if (Is(name, "sig"u8))
                hasSas = true;
            else if (Is(name, "se"u8))
                azure = Iso(value);
            else if (Is(name, "Policy"u8))
                policy = PolicyEnd(value);
        }

        // Seven days are the longest lifetime that the two clouds allow; what leaves the calendar is a typing error.
        if (signedAt is { } signed && lifetime >= 0 && lifetime <= (DateTimeOffset.MaxValue - signed).TotalSeconds)
            return signed.AddSeconds(lifetime.Value);
        if (hasSignature)
            return absolute ?? policy;
        return hasSas ? azure : null;
    }

    private static bool Is(ReadOnlySpan<byte> name, ReadOnlySpan<byte> known) =>
        name.Length == known.Length && Ascii.EqualsIgnoreCase(name, known);

    private static long? Number(ReadOnlySpan<byte> value) =>
        Utf8Parser.TryParse(value, out long number, out var used) && used == value.Length ? number : null;

    /// <summary>Seconds since 1970; out of the calendar's range is no time at all.</summary>
    private static DateTimeOffset? Epoch(long? seconds) =>
        seconds is >= 0 and <= 253_402_300_799 ? DateTimeOffset.FromUnixTimeSeconds(seconds.Value) : null;

    private static DateTimeOffset? BasicIso(ReadOnlySpan<byte> value) =>
        DateTimeOffset.TryParseExact(Encoding.UTF8.GetString(value), "yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture,
            DateTimeStyles.AssumeUniversal, out var time) ? time : null;

    private static readonly string[] IsoForms =
        ["yyyy-MM-dd", "yyyy-MM-dd'T'HH:mm'Z'", "yyyy-MM-dd'T'HH:mm:ss'Z'", "yyyy-MM-dd'T'HH:mm:ss.FFFFFFF'Z'", "yyyy-MM-dd'T'HH:mm:sszzz"];

    private static DateTimeOffset? Iso(ReadOnlySpan<byte> value) =>
        DateTimeOffset.TryParseExact(
            Uri.UnescapeDataString(Encoding.UTF8.GetString(value)), IsoForms, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal,
            out var time) ? time : null;

    /// <summary>A CloudFront policy is JSON in base64 with - _ ~ for + = /; only its end time matters here.</summary>
    private static DateTimeOffset? PolicyEnd(ReadOnlySpan<byte> value)
    {
        var base64 = Uri.UnescapeDataString(Encoding.UTF8.GetString(value)).Replace('-', '+').Replace('_', '=').Replace('~', '/');
        var json = new byte[base64.Length];
        if (!Convert.TryFromBase64String(base64, json, out var length))
            return null;
        var reader = new Utf8JsonReader(json.AsSpan(0, length));
        try
        {
            var inEnd = false;
            while (reader.Read())
            {
                if (reader.TokenType == JsonTokenType.PropertyName)
                {
                    if (reader.ValueTextEquals("DateLessThan"u8))
                        inEnd = true;
                }
                else if (inEnd && reader.TokenType == JsonTokenType.Number)
                {
                    return reader.TryGetInt64(out var seconds) ? Epoch(seconds) : null;
                }
            }
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return null; // no policy after all: nothing is known of an end
        }

        return null;
    }
}
