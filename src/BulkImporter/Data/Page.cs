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
    /// <summary>
    /// Reads the page before <paramref name="before"/>. Without one, and where no whole page is left before it, reads the page behind
    /// <paramref name="after"/>, or the first.
    /// </summary>
    /// <param name="readAhead">Reads so many before a key, the nearest first.</param>
    /// <param name="readBehind">Reads so many behind a key, null for the beginning.</param>
    public static async Task<ListedPage<T>> WalkAsync(
        int? after, int? before, int limit, Func<T, int> key, int? total, Func<int, int, Task<List<T>>> readAhead,
        Func<int?, int, Task<List<T>>> readBehind)
    {
        if (before is { } from)
        {
            var ahead = await readAhead(from, limit + 1);
            if (ahead.Count > limit)
            {
                ahead.RemoveAt(limit);
                ahead.Reverse();
                return new(ahead, key(ahead[0]), key(ahead[^1]), total);
            }
            after = null;
        }
        var page = Page<T>.Of(await readBehind(after, limit + 1), limit, key);
        return new(page.Items, after is null ? null : page.Items.Count > 0 ? key(page.Items[0]) : after, page.Next, total);
    }
}
