using System.Collections.Concurrent;
using System.Data.Common;

namespace BulkImporter.Telemetry;

/// <summary>A part of a loop's work that ended in an exception.</summary>
/// <param name="What">What a person calls it: "import 7 row 3", "account 2".</param>
public readonly record struct FailedItem(string What, Exception Error);

/// <summary>A loop whose rounds keep failing.</summary>
/// <param name="Rounds">Rounds in a row.</param>
public readonly record struct FailingLoop(string Name, int Rounds, Exception Last);

/// <summary>
/// Whatever throws in a periodic loop or a job of this process comes here: it is counted, and logged once per cause and minute, however
/// many rows have it. Knows which loops keep failing, which readiness tells.
/// </summary>
public sealed class LoopHealth(TimeProvider clock, ILogger<LoopHealth> log)
{
    /// <summary>A loop that has failed for so long needs a person; what is shorter mends itself (a database that starts anew).</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    private readonly ConcurrentDictionary<string, (long Since, int Rounds, Exception Last)> failing = new();
    private readonly Dictionary<(string Loop, string Part, string Cause), (long At, int Untold)> told = [];

    /// <summary>Loops of which no round has worked for <see cref="Patience"/>.</summary>
    public IReadOnlyList<FailingLoop> Failing =>
        [.. failing.Where(f => clock.GetElapsedTime(f.Value.Since) >= Patience)
            .Select(f => new FailingLoop(f.Key, f.Value.Rounds, f.Value.Last)).OrderBy(f => f.Name, StringComparer.Ordinal)];

    public void RoundWorked(string loop) => failing.TryRemove(loop, out _);

    /// <summary>Nothing, or not all, of a round could be done.</summary>
    public void RoundFailed(string loop, Exception error)
    {
        var now = failing.AddOrUpdate(loop, _ => (clock.GetTimestamp(), 1, error), (_, before) => (before.Since, before.Rounds + 1, error));
        Measures.LoopFailed(loop, "round", 1);
        if (IsToBeTold(loop, "round", error, 1) is not null) Log.RoundFailed(log, loop, now.Rounds, error);
    }

    /// <summary>Some of a round's items failed, each for itself; the others are done.</summary>
    public void ItemsFailed(string loop, IReadOnlyCollection<FailedItem> items)
    {
        if (items.Count == 0) return;
        Measures.LoopFailed(loop, "item", items.Count);
        foreach (var same in items.GroupBy(i => Cause(i.Error)))
        {
            if (IsToBeTold(loop, "item", same.First().Error, same.Count()) is { } count)
                Log.ItemsFailed(log, loop, count, same.First().What, same.First().Error);
        }
    }

    /// <summary>The database did not take results; they are kept and written again.</summary>
    public void WriteFailed(string loop, int results, Exception error)
    {
        Measures.LoopFailed(loop, "write", 1);
        if (IsToBeTold(loop, "write", error, 1) is not null) Log.ResultsKept(log, loop, results, error);
    }

    /// <summary>How many have this cause since it was last told; null while that is less than a minute ago.</summary>
    private int? IsToBeTold(string loop, string part, Exception error, int count)
    {
        var key = (loop, part, Cause(error));
        lock (told)
        {
            if (told.TryGetValue(key, out var last) && clock.GetElapsedTime(last.At) < Patience)
            {
                told[key] = (last.At, last.Untold + count);
                return null;
            }
            told[key] = (clock.GetTimestamp(), 0);
            return last.Untold + count;
        }
    }

    /// <summary>Without the message, which may name the row.</summary>
    private static string Cause(Exception error) => $"{error.GetType().Name} {(error as DbException)?.SqlState}";
}
