using System.Net;
using System.Text.Json;

namespace BulkImporter.Tests.Simulator;

/// <summary>What the simulator delivers to a webhook, and what an asset shows of itself before its import ends.</summary>
public sealed class SimulatorWebhookTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_uploaded_asset_is_delivered_as_often_as_the_script_says_and_names_neither_ticket_nor_source()
    {
        await using var simulator = await RunningSimulator.StartAsync("""{"importMs":1000,"webhookCopies":2}""");
        using var receiver = new HookReceiver();
        await simulator.CallAsync($"webhook.set.json?hook_url={Uri.EscapeDataString(receiver.Url)}&events=asset.uploaded");
        var ticket = await simulator.SubmitAsync("https://cdn.example.test/clip.mp4", "&fid=F1");
        simulator.Clock.Advance(TimeSpan.FromSeconds(2));

        var bodies = await TakeAsync(receiver, 2, simulator);
        Assert.Equal(bodies[0], bodies[1]);
        var told = JsonDocument.Parse(bodies[0]).RootElement;
        var rid = (await simulator.StatusAsync(ticket)).GetProperty("resid").GetString();
        Assert.Equal(("asset.uploaded", rid, "clip.mp4"),
            (told.GetProperty("event").GetString(), told.GetProperty("drid").GetString(), told.GetProperty("filename").GetString()));
        Assert.Equal("F1", told.GetProperty("in_folders_list")[0].GetString());
        Assert.DoesNotContain(ticket, bodies[0], StringComparison.Ordinal);
        Assert.DoesNotContain("cdn.example.test", bodies[0], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Deliveries_come_late_and_out_of_order_when_the_script_says_so()
    {
        await using var simulator = await RunningSimulator.StartAsync("""{"importMs":0,"webhookDelayMs":[0,100000]}""");
        using var receiver = new HookReceiver();
        await simulator.CallAsync($"webhook.set.json?hook_url={Uri.EscapeDataString(receiver.Url)}&events=asset.*");
        for (var n = 1; n <= 8; n++) await simulator.SubmitAsync($"https://cdn.example.test/{n}.mp4");

        var names = (await TakeAsync(receiver, 8, simulator))
            .Select(b => JsonDocument.Parse(b).RootElement.GetProperty("filename").GetString()!).ToList();
        Assert.Equal(8, names.Distinct().Count());
        Assert.NotEqual(names.Order(StringComparer.Ordinal), names);
    }

    [Fact]
    public async Task A_delivery_that_was_not_answered_with_200_is_made_again()
    {
        await using var simulator = await RunningSimulator.StartAsync("""{"importMs":0}""");
        using var receiver = new HookReceiver { Status = HttpStatusCode.ServiceUnavailable };
        await simulator.CallAsync($"webhook.set.json?hook_url={Uri.EscapeDataString(receiver.Url)}&events=asset.uploaded");
        await simulator.SubmitAsync("https://cdn.example.test/clip.mp4");
        Assert.Single((await TakeAsync(receiver, 4, simulator)).Distinct());
    }

    [Theory]
    [InlineData("at_end", 0)]
    [InlineData("at_start", 1)]
    public async Task An_asset_shows_in_its_gallery_from_the_start_or_at_the_end(string when, int atStart)
    {
        await using var simulator = await RunningSimulator.StartAsync($$"""{"importMs":1000,"galleryShows":"{{when}}"}""");
        var ticket = await simulator.SubmitAsync("https://cdn.example.test/clip.mp4", "&fid=F1");
        var aborted = await simulator.SubmitAsync("https://cdn.example.test/other.mp4", "&fid=F1");
        await simulator.SubmitAsync("https://cdn.example.test/missing-1.mp4", "&fid=F1");
        Assert.Equal(2 * atStart, await ItemsAsync());
        Assert.Equal(0, (await simulator.ListAsync()).GetProperty("items").GetArrayLength());

        await simulator.CallAsync($"asset.upload_from_url_abort.json?status_id={aborted}");
        Assert.Equal(atStart, await ItemsAsync());
        simulator.Clock.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal(1, await ItemsAsync());
        Assert.Equal((await simulator.StatusAsync(ticket)).GetProperty("resid").GetString(), (await simulator.ListAsync())
            .GetProperty("items")[0].GetProperty("rid").GetString());

        async Task<int> ItemsAsync() => (await simulator.CallAsync("gallery.get_items.json?fid=F1&cache=never")).GetProperty("folder")
            .GetProperty("items").GetArrayLength();
    }

    /// <summary>The bodies of so many deliveries in their order: the simulator's clock is moved on until they have come.</summary>
    private static async Task<List<string>> TakeAsync(HookReceiver receiver, int count, RunningSimulator simulator)
    {
        while (receiver.Received.Count < count)
        {
            simulator.Clock.Advance(TimeSpan.FromMilliseconds(500));
            await Task.Delay(5, Token);
        }
        return [.. receiver.Received.Select(r => r.Body)];
    }
}
