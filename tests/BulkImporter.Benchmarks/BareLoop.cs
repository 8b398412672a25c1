using System.Diagnostics;

namespace BulkImporter.Benchmarks;

/// <summary>What a script does that forgets everything: call, read the reply, next.</summary>
internal static class BareLoop
{
    /// <summary>Answers calls a second.</summary>
    public static async Task<double> RunAsync(Uri simulator, int calls, int concurrency)
    {
        using var http = new HttpClient { BaseAddress = new Uri(simulator, "v2/") };
        var next = 0;
        var started = Stopwatch.GetTimestamp();
        await Task.WhenAll(Enumerable.Range(0, concurrency).Select(async _ =>
        {
            while (Interlocked.Increment(ref next) is var row && row <= calls)
                await UploadFromUrlAsync(http, SampleManifest.Url("bare", row));
        }));
        return calls / Stopwatch.GetElapsedTime(started).TotalSeconds;
    }

    /// <summary>One call; answers the reply's text.</summary>
    public static async Task<string> UploadFromUrlAsync(HttpClient http, string input)
    {
        using var content = new ByteArrayContent([]);
        using var reply = await http.PostAsync($"asset.upload_from_url.json?api_token={Bench.Token}&input={Uri.EscapeDataString(input)}",
            content);
        reply.EnsureSuccessStatusCode();
        return await reply.Content.ReadAsStringAsync();
    }
}
