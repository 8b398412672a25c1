using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Cincopa.Simulator;
using Microsoft.Extensions.Time.Testing;

namespace BulkImporter.Tests.Simulator;

/// <summary>A simulator of its own for one test, asked over HTTP only, with a clock that the test moves.</summary>
internal sealed class RunningSimulator : IAsyncDisposable
{
    private readonly SimulatorHost host;

    private RunningSimulator(SimulatorHost host, FakeTimeProvider clock)
    {
        this.host = host;
        Clock = clock;
        Http = new HttpClient { BaseAddress = host.BaseAddress, Timeout = TimeSpan.FromSeconds(10) };
    }

    public FakeTimeProvider Clock { get; }

    public HttpClient Http { get; }

    public static async Task<RunningSimulator> StartAsync(string? script = null, SimulatorOptions? options = null)
    {
        var clock = new FakeTimeProvider(new DateTimeOffset(2026, 5, 1, 12, 0, 0, TimeSpan.Zero));
        var simulator = new RunningSimulator(await SimulatorHost.StartAsync((options ?? new SimulatorOptions()) with { Clock = clock }),
            clock);
        if (script is not null)
            await simulator.ScriptAsync(script);
        return simulator;
    }

    public async Task ScriptAsync(string script)
    {
        using var reply = await Http.PostAsync("/_sim/faults", new StringContent(script));
        Assert.True(reply.IsSuccessStatusCode, await reply.Content.ReadAsStringAsync());
    }

    /// <summary>Sends a call with a token, as a POST with content, which HttpClient never sends twice.</summary>
    public async Task<HttpResponseMessage> SendAsync(string call, string token = "1i2") =>
        await Http.PostAsync($"{call}{(call.Contains('?') ? '&' : '?')}api_token={token}", new StringContent(""));

    public async Task<JsonElement> CallAsync(string call, HttpStatusCode expected = HttpStatusCode.OK, string token = "1i2")
    {
        using var reply = await SendAsync(call, token);
        Assert.Equal(expected, reply.StatusCode);
        return await reply.Content.ReadFromJsonAsync<JsonElement>();
    }

    public Task<HttpResponseMessage> SendSubmitAsync(string input, string more = "") =>
        SendAsync($"asset.upload_from_url.json?input={Uri.EscapeDataString(input)}{more}");

    /// <summary>Submits a URL that is accepted and gives its status_id.</summary>
    public async Task<string> SubmitAsync(string input, string more = "")
    {
        using var reply = await SendSubmitAsync(input, more);
        Assert.Equal(HttpStatusCode.OK, reply.StatusCode);
        var body = await reply.Content.ReadFromJsonAsync<JsonElement>();
        Assert.True(body.GetProperty("success").GetBoolean());
        return body.GetProperty("status_id").GetString()!;
    }

    public Task<JsonElement> StatusAsync(string statusId) => CallAsync($"asset.upload_from_url_get_status.json?status_id={statusId}");

    public Task<JsonElement> ListAsync(string arguments = "") => CallAsync($"asset.list.json?cache=never{arguments}");

    public Task<JsonElement> ControlAsync(string path) => Http.GetFromJsonAsync<JsonElement>($"/_sim/{path}");

    public Task<JsonElement> SummaryAsync() => ControlAsync("ledger/summary");

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        await host.DisposeAsync();
    }
}
