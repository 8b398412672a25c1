using System.Net.Http.Json;
using System.Text;
using System.Text.Json;

namespace BulkImporter.EndToEndTests;

/// <summary>One call as the simulator's ledger shows it.</summary>
internal sealed record LedgerCall(long Seq, DateTimeOffset At, double AtMs, string Op, string Method, string? Input, string? StatusId,
    string Outcome, bool Accepted, int Http, int InFlight, double DurationMs);

internal sealed record LedgerSummary(
    long SubmitsReceived, long SubmitsAccepted, long DistinctInputs, long InputsReceivedMoreThanOnce, long InputsAcceptedMoreThanOnce,
    int MaxSubmitsInFlight, IReadOnlyDictionary<string, long> Outcomes);

internal sealed record SimulatedAsset(string Rid, string? Input, bool Deleted, long Size);

/// <summary>The remote side and its ledger: the judge of what was really sent.</summary>
internal sealed class SimulatedCincopa(string address) : IDisposable
{
    private readonly HttpClient http = new() { BaseAddress = new Uri(address) };

    public string Address => address;

    public string ApiAddress => address + "/v2/";

    public async Task<bool> IsUpAsync()
    {
        try
        {
            using var reply = await http.GetAsync("/_sim/ledger/summary");
            return reply.IsSuccessStatusCode;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }

    public async Task<LedgerSummary> SummaryAsync() => (await http.GetFromJsonAsync<LedgerSummary>("/_sim/ledger/summary"))!;

    /// <summary>All submit calls, in the order of their arrival.</summary>
    public Task<IReadOnlyList<LedgerCall>> SubmitsAsync() =>
        AllAsync("/_sim/ledger?op=submit&", (Ledger page) => (page.Count, page.Entries));

    /// <summary>All status calls, likewise.</summary>
    public Task<IReadOnlyList<LedgerCall>> StatusCallsAsync() =>
        AllAsync("/_sim/ledger?op=status&", (Ledger page) => (page.Count, page.Entries));

    /// <summary>All calls to delete an asset, likewise.</summary>
    public Task<IReadOnlyList<LedgerCall>> DeletionsAsync() =>
        AllAsync("/_sim/ledger?op=delete&", (Ledger page) => (page.Count, page.Entries));

    /// <summary>How it misbehaves from now on, in the simulator's own JSON.</summary>
    public Task BehaveAsync(string script) => PostAsync("/_sim/faults", script);

    /// <summary>Accepts this token (and no others but those added likewise), or with <paramref name="rejectedWith"/> rejects it.</summary>
    public Task TokenAsync(string token, int? rejectedWith = null) =>
        PostAsync("/_sim/tokens", JsonSerializer.Serialize(rejectedWith is null ? (object)new { token } : new { token, rejectedWith }));

    /// <summary>Makes an asset as another program of the account would.</summary>
    public Task SubmitAsync(string token, string input) =>
        PostAsync($"/v2/asset.upload_from_url.json?api_token={token}&input={Uri.EscapeDataString(input)}", "");

    /// <summary>Waits until so many submit calls have arrived.</summary>
    public Task HasSubmitsAsync(long count, TimeSpan limit) =>
        Wait.UntilAsync(limit, $"{count} submit calls have arrived", async () => (await SummaryAsync()).SubmitsReceived >= count);

    public void Dispose() => http.Dispose();

    private async Task PostAsync(string path, string json)
    {
        using var body = new StringContent(json, Encoding.UTF8, "application/json");
        using var reply = await http.PostAsync(path, body);
        Assert.True(reply.IsSuccessStatusCode, $"{path}: {await reply.Content.ReadAsStringAsync()}");
    }

    /// <summary>What it holds, with the sources that its API does not show.</summary>
    public Task<IReadOnlyList<SimulatedAsset>> AssetsAsync() => AllAsync("/_sim/assets?", (Library page) => (page.Count, page.Assets));

    /// <summary>The rids of each gallery by its name; every name once.</summary>
    public async Task<Dictionary<string, HashSet<string>>> GalleriesAsync(string token)
    {
        var galleries = new Dictionary<string, HashSet<string>>();
        foreach (var gallery in (await http.GetFromJsonAsync<JsonElement>($"/v2/gallery.list.json?api_token={token}"))
            .GetProperty("galleries").EnumerateArray())
        {
            var rids = new HashSet<string>();
            for (var page = 1; ; page++)
            {
                var folder = (await http.GetFromJsonAsync<JsonElement>(
                    $"/v2/gallery.get_items.json?api_token={token}&cache=never&items_per_page=100&page={page}&fid={gallery.GetProperty("fid").GetString()}")).GetProperty("folder");
                foreach (var item in folder.GetProperty("items").EnumerateArray()) rids.Add(item.GetProperty("rid").GetString()!);
                if (folder.GetProperty("items_data").GetProperty("pages_count").GetInt32() <= page) break;
            }
            galleries.Add(gallery.GetProperty("name").GetString()!, rids);
        }
        return galleries;
    }

    private async Task<IReadOnlyList<T>> AllAsync<TPage, T>(string address, Func<TPage, (long Count, IReadOnlyList<T> Items)> read)
    {
        var all = new List<T>();
        while (true)
        {
            var (count, items) = read((await http.GetFromJsonAsync<TPage>($"{address}skip={all.Count}&take=100000"))!);
            all.AddRange(items);
            if (all.Count >= count || items.Count == 0) return all;
        }
    }

    private sealed record Library(int Count, IReadOnlyList<SimulatedAsset> Assets);

    private sealed record Ledger(long Count, IReadOnlyList<LedgerCall> Entries);
}
