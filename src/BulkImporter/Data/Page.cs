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

/// <summary>A part of a list in its order with the way on and the way back, as a person walks it.</summary>
/// <param name="Previous">Pass it as <c>before</c> to see the part before; null when this is the first.</param>
/// <param name="Next">Pass it as <c>after</c> to see the next part; null when this is the end.</param>
/// <param name="Total">All that the list holds; null when only a walk over it would tell.</param>
public sealed record ListedPage<T>(IReadOnlyList<T> Items, int? Previous, int? Next, int? Total)
{
    /// <param name="rows">Read with one more than <paramref name="limit"/>, behind <paramref name="after"/>.</param>
    public static ListedPage<T> Behind(int? after, List<T> rows, int limit, Func<T, int> key, int? total)
    {
        var page = Page<T>.Of(rows, limit, key);
        return new(page.Items, after is null ? null : page.Items.Count > 0 ? key(page.Items[0]) : after, page.Next, total);
    }

    /// <param name="rows">Read backwards, with one more than <paramref name="limit"/>.</param>
    /// <returns>Null when no page is left before it: then it is the first page, which is read from the beginning.</returns>
    public static ListedPage<T>? Ahead(List<T> rows, int limit, Func<T, int> key, int? total)
    {
        if (rows.Count <= limit) return null;
        rows.RemoveRange(limit, rows.Count - limit);
        rows.Reverse();
        return new(rows, key(rows[0]), key(rows[^1]), total);
    }
}
