using System.Collections.Concurrent;
using System.Text;
using System.Text.Json;
using Cincopa.Simulator.Endpoints;
using Cincopa.Simulator.Faults;

namespace Cincopa.Simulator.Remote;

/// <summary>
/// Posts <c>asset.uploaded</c> to whoever asked for it: at least once, and as late, as often and in such order as the script has it. The
/// event holds neither the status_id nor the source (contract 2.11), so all that ties it to an import are rid, file name and size.
/// </summary>
internal sealed class Webhooks(Simulator simulator) : IDisposable
{
    private readonly ConcurrentDictionary<string, string> hooks = new(StringComparer.Ordinal);
    private readonly CancellationTokenSource stopping = new();
    private readonly HttpClient http = new() { Timeout = TimeSpan.FromSeconds(10) };
    private long announced;

    // Read at every submit, where looking at the hooks themselves would take their locks.
    private volatile bool anyone;

    public IReadOnlyList<KeyValuePair<string, string>> Hooks => [.. hooks.OrderBy(h => h.Key, StringComparer.Ordinal)];

    public void Set(string url, string events)
    {
        hooks[url] = events;
        anyone = true;
    }

    public void Remove(string url)
    {
        hooks.TryRemove(url, out _);
        anyone = !hooks.IsEmpty;
    }

    /// <summary>An import was accepted: its end will be told, if it comes.</summary>
    public void Announce(Import import, FaultScript script)
    {
        if (anyone && import is { Plan: { FailureText: null, Stalls: false, NeverEnds: false }, AttachTo: null })
            _ = TellAsync(import.Takes, () => simulator.Library.FindAsset(simulator.Library.RidOf(import)), script);
    }

    /// <summary>A pushed file is in.</summary>
    public void Announce(Asset asset, FaultScript script)
    {
        if (anyone)
            _ = TellAsync(TimeSpan.Zero, () => asset, script);
    }

    public void Dispose()
    {
        stopping.Cancel();
        http.Dispose();
    }

    private async Task TellAsync(TimeSpan takes, Func<Asset?> find, FaultScript script)
    {
        var ordinal = Interlocked.Increment(ref announced);
        try
        {
            // A timer may fire a little early, and then there would be no asset yet.
            await Task.Delay(takes + TimeSpan.FromMilliseconds(1), simulator.Clock, stopping.Token);
            if (find() is not { } asset)
                return;
            var body = BodyOf(asset);
            var copies =
                from hook in hooks
                where hook.Value.Split(',', StringSplitOptions.TrimEntries).Any(e => e is Assumptions.UploadedEvent or "asset.*")
                from copy in Enumerable.Range(0, script.WebhookCopies)
                select DeliverAsync(hook.Key, body, script.WebhookDelayMs.At(Mix.Unit(Mix.Of(script.Seed + copy, hook.Key, ordinal))));
            await Task.WhenAll(copies);
        }
        catch (OperationCanceledException)
        {
            // The simulator stops: what was not told yet is lost, as when a remote machine goes away.
        }
    }

    private async Task DeliverAsync(string url, string body, TimeSpan wait)
    {
        await Task.Delay(wait, simulator.Clock, stopping.Token);
        for (var tries = 0; tries <= Assumptions.WebhookRepeats; tries++)
        {
            if (tries > 0)
                await Task.Delay(TimeSpan.FromMilliseconds(Assumptions.WebhookRepeatMs), simulator.Clock, stopping.Token);
            try
            {
                using var content = new StringContent(body, Encoding.UTF8, "application/json");
                using var reply = await http.PostAsync(new Uri(url), content, stopping.Token);
                if (reply.StatusCode == System.Net.HttpStatusCode.OK)
                    return;
            }
            catch (HttpRequestException)
            {
                // No success answer: once more.
            }
        }
    }

    private static string BodyOf(Asset asset) => JsonSerializer.Serialize(new Dictionary<string, object?>
    {
        ["event"] = Assumptions.UploadedEvent,
        ["id"] = asset.Id,
        ["drid"] = asset.Rid,
        ["filename"] = asset.FileName,
        ["caption"] = asset["caption"],
        ["type"] = asset.Type,
        ["filesize"] = asset.Size,
        ["reference_id"] = asset["reference_id"],
        ["tags"] = asset.WireTags,
        ["stored"] = 1,
        ["uploaded"] = AssetEndpoints.Time(asset.Uploaded),
        ["modified"] = AssetEndpoints.Time(asset.Modified),
        ["uploaded_by"] = $"{Assumptions.UserId},simulator",
        ["in_folders_list"] = asset.Fid is null ? Array.Empty<string>() : [asset.Fid],
    });
}
