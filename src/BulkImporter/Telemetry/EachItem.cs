using System.Data.Common;

namespace BulkImporter.Telemetry;

/// <summary>Some items of a round failed, each for itself; all others are done.</summary>
/// <param name="items">Those that failed.</param>
/// <param name="noneWorked">None of several worked, or nobody answered: it is the round's trouble rather than theirs.</param>
public sealed class ItemsFailedException(IReadOnlyList<FailedItem> items, bool noneWorked)
    : Exception(
        (items.Count == 1 ? "" : $"{items.Count} items failed, first ") + $"{items[0].What}: {items[0].Error.Message}", items[0].Error)
{
    public IReadOnlyList<FailedItem> Items => items;

    public bool NoneWorked => noneWorked;
}

/// <summary>Work on one item after another, in which what one throws does not take their turn from the others.</summary>
internal static class EachItem
{
    /// <summary>After so many in a row that got no answer from the database at all, the rest is left to the next round.</summary>
    private const int MostWithoutAnswer = 2;

    /// <param name="nameOf">What a person calls an item.</param>
    /// <param name="stop">Ends it between two items.</param>
    /// <exception cref="ItemsFailedException">Some failed. Thrown when all had their turn.</exception>
    public static async Task RunAsync<T>(IEnumerable<T> items, Func<T, string> nameOf, Func<T, Task> work, CancellationToken stop)
    {
        var failed = new List<FailedItem>();
        var (withoutAnswer, worked) = (0, false);
        foreach (var item in items)
        {
            stop.ThrowIfCancellationRequested();
            try
            {
                await work(item);
                (withoutAnswer, worked) = (0, true);
            }
            catch (ItemsFailedException e)
            {
                worked |= !e.NoneWorked;
                failed.AddRange(e.Items);
            }
            catch (Exception e) when (!stop.IsCancellationRequested)
            {
                failed.Add(new(nameOf(item), e));
                withoutAnswer = e is DbException { SqlState: null } or TimeoutException ? withoutAnswer + 1 : 0;
                if (withoutAnswer == MostWithoutAnswer) break;
            }
        }
        if (failed.Count > 0)
            throw new ItemsFailedException(failed, withoutAnswer == MostWithoutAnswer
                || (!worked && (failed.Count > 1 || withoutAnswer > 0)));
    }
}
