using System.Text.Json.Serialization;

namespace BulkImporter.Data;

/// <summary>A part of a list in its order, and where the next part begins.</summary>
/// <param name="Next">Pass it as <c>after</c> to go on; null when this is the end. Text in JSON: callers hand it back and do not count with
/// it.</param>
public sealed record Page<T>(
    IReadOnlyList<T> Items,
    [property: JsonNumberHandling(JsonNumberHandling.WriteAsString | JsonNumberHandling.AllowReadingFromString)] int? Next)
{
    /// <summary>
    /// Makes a page of at most <paramref name="limit"/> from rows that were read with one more, so that the end is known without counting.
    /// </summary>
    public static Page<T> Of(List<T> rows, int limit, Func<T, int> key)
    {
        if (rows.Count <= limit) return new(rows, null);
        rows.RemoveRange(limit, rows.Count - limit);
        return new(rows, key(rows[^1]));
    }
}
