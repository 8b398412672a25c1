namespace BulkImporter.Data;

/// <summary>
/// Writes what Cincopa said, which is the only trace of it: kept for as long as the database does not take it. All at once, then each by
/// itself, so that one that cannot be written keeps none of the others; what the database refuses for its content is replaced.
/// </summary>
internal static class KeptResults
{
    /// <summary>
    /// Writes of the same results, one by one at last, before those that still fail are given up. So many only while the database answers
    /// otherwise.
    /// </summary>
    private const int MostWrites = 5;

    private static readonly TimeSpan Wait = TimeSpan.FromSeconds(1);

    /// <param name="write">Writes some of them in one transaction. Called again with the same ones it changes nothing.</param>
    /// <param name="unstorable">What is written instead of a result that the database refuses.</param>
    /// <param name="tell">Hears how many were not written, and why, each time.</param>
    /// <param name="answersAsync">Whether the database answers anything at all.</param>
    /// <param name="stop">When it is cancelled, what cannot be written at once is given up.</param>
    /// <returns>How many were given up, and what they failed with last.</returns>
    public static async Task<(int Lost, Exception? Error)> WriteAsync<T>(
        IReadOnlyList<T> results, Func<List<T>, Task> write, Func<T, T> unstorable, Action<int, Exception> tell,
        Func<Task<bool>> answersAsync, TimeProvider clock, CancellationToken stop)
    {
        var left = results.Select(r => new Kept<T>(r)).ToList();
        var alone = false;
        for (var writes = 1; left.Count > 0; writes++)
        {
            (left, var error) = await WriteOnceAsync(left, alone, write, unstorable);
            if (error is null) break;
            tell(left.Count, error);
            if (stop.IsCancellationRequested || (alone && writes > MostWrites && await answersAsync())) return (left.Count, error);
            var refused = error.IsAboutContent();
            if (!refused) await Task.Delay(Wait, clock, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            alone = alone || refused || writes > 1;
        }
        return (0, null);
    }

    /// <summary>Returns what was not written, and why.</summary>
    private static async Task<(List<Kept<T>> Left, Exception? Error)> WriteOnceAsync<T>(
        List<Kept<T>> results, bool alone, Func<List<T>, Task> write, Func<T, T> unstorable)
    {
        var left = new List<Kept<T>>();
        Exception? error = null;
        var parts = alone ? results.ConvertAll(r => new List<Kept<T>> { r }) : [results];
        for (var n = 0; n < parts.Count; n++)
        {
            try
            {
                await write(parts[n].ConvertAll(k => k.Result));
            }
            catch (Exception e)
            {
                error = e;
                // The second time, because the first one may have been the database's trouble and not the result's.
                if (alone && e.IsAboutContent() && ++parts[n][0].Refusals == 2) parts[n][0].Result = unstorable(parts[n][0].Result);
                left.AddRange(parts[n]);
                if (e is PostgresException || e.IsAboutContent()) continue;
                // There is no connection to be had. Whatever broke this one has the last turn the next time.
                return ([.. parts.Skip(n + 1).SelectMany(p => p), .. left], error);
            }
        }
        return (left, error);
    }

    private sealed class Kept<T>(T result)
    {
        public T Result { get; set; } = result;

        public int Refusals { get; set; }
    }
}
