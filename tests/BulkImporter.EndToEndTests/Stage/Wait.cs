using System.Diagnostics;

namespace BulkImporter.EndToEndTests;

/// <summary>Waits on conditions, each within a limit that says what did not come true.</summary>
internal static class Wait
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(100);

    /// <param name="limit">Generous: it is only reached by a failure.</param>
    /// <param name="what">What is waited for, as the failure tells it.</param>
    public static Task UntilAsync(TimeSpan limit, string what, Func<Task<bool>> condition) =>
        ForAsync(limit, what, async () => await condition() ? "" : null);

    /// <summary>Waits for an answer that is not null.</summary>
    public static async Task<T> ForAsync<T>(TimeSpan limit, string what, Func<Task<T?>> question) where T : class
    {
        var since = Stopwatch.GetTimestamp();
        while (true)
        {
            if (await question() is { } answer) return answer;
            if (Stopwatch.GetElapsedTime(since) > limit) Assert.Fail($"Not within {limit.TotalSeconds:0} s: {what}");
            await Task.Delay(Interval, TestContext.Current.CancellationToken);
        }
    }
}
