using System.Diagnostics;
using System.Text.Json;

namespace BulkImporter.Benchmarks;

/// <summary>What a script does that forgets everything: call, read the reply, next.</summary>
internal static class BareLoop
{
    /// <summary>
    /// All calls of so many records, each of which is sent, followed and, with a caption, written to by one lane. Returns seconds.
    /// </summary>
    public static async Task<double> PathSecondsAsync(Uri simulator, int records, int concurrency, bool captions)
    {
        using var http = new HttpClient { BaseAddress = new Uri(simulator, "v2/") };
        var next = 0;
        var started = Stopwatch.GetTimestamp();
        await Task.WhenAll(Enumerable.Range(0, concurrency).Select(async _ =>
        {
            while (Interlocked.Increment(ref next) is var row && row <= records)
            {
                var ticket = Member(await UploadFromUrlAsync(http, SampleManifest.Url("bare", row)), "status_id");
                var status = $"asset.upload_from_url_get_status.json?api_token={Bench.Token}&status_id={ticket}";
                var asset = Member(await PostAsync(http, status), "resid");
                if (captions)
                    await PostAsync(http, $"asset.set_meta.json?api_token={Bench.Token}&rid={asset}"
                        + $"&caption={Uri.EscapeDataString(SampleManifest.Caption(row))}");
            }
        }));
        return Stopwatch.GetElapsedTime(started).TotalSeconds;

        static string Member(string reply, string name)
        {
            using var json = JsonDocument.Parse(reply);
            return json.RootElement.GetProperty(name).ToString();
        }
    }

    /// <summary>One call; answers the reply's text.</summary>
    public static Task<string> UploadFromUrlAsync(HttpClient http, string input) =>
        PostAsync(http, $"asset.upload_from_url.json?api_token={Bench.Token}&input={Uri.EscapeDataString(input)}");

    private static async Task<string> PostAsync(HttpClient http, string address)
    {
        using var content = new ByteArrayContent([]);
        using var reply = await http.PostAsync(address, content);
        reply.EnsureSuccessStatusCode();
        return await reply.Content.ReadAsStringAsync();
    }
}
