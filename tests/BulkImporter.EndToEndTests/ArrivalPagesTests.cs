using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace BulkImporter.EndToEndTests;

/// <summary>What a person does who wants to know whether everything arrived: reads the totals, looks at what differs, and sends it again.</summary>
public sealed class ArrivalPagesTests : IAsyncDisposable
{
    private readonly Stage stage = new();

    public ValueTask DisposeAsync() => stage.DisposeAsync();

    [Fact]
    public async Task What_arrived_is_shown_in_numbers_compared_again_and_sent_again_when_it_differs()
    {
        var cincopa = await stage.StartSimulatorAsync();
        var (_, api) = await stage.ServeAsync(cincopa, new Settings());
        await cincopa.BehaveAsync("""{"importMs":[10,20]}""");
        // The first is as large as the simulator makes it, the second arrives cut.
        var id = await api.StartAsync("""
            url,title,size
            https://media.example.com/museum/inside-the-depot-room-by-room-commentary-version-1974.mp4,Inside the depot,10356609
            https://media.example.com/museum/cut-packing-a-harpsichord-1973.mp4,Packing a harpsichord,6354020
            https://media.example.com/museum/ferry.mp4,The ferry,
            """);
        await api.FinishedAsync(id, TimeSpan.FromMinutes(2));

        await using var browser = await OperatorBrowser.LaunchAsync();
        var page = await browser.OpenAsync(api);
        await page.GotoAsync($"imports/{id}");
        foreach (var arrival in new[] { "verified", "size_differs", "unverifiable" })
            await Expect(page.GetByTestId($"arrival-{arrival}")).ToHaveTextAsync("1");
        Assert.Empty(await browser.ComplaintsAsync(page, "import"));
        await page.GetByTestId("verify-arrival").ClickAsync();
        await Wait.UntilAsync(TimeSpan.FromMinutes(1), "the order stands in the story", async () =>
            await page.Locator("[data-testid=deed][data-action=arrival_verified_again]").CountAsync() == 1);
        await Wait.UntilAsync(TimeSpan.FromMinutes(1), "they are compared", async () =>
            (await api.WholeImportAsync(id)).GetProperty("finishing").GetProperty("pending").GetInt32() == 0);

        await page.GetByTestId("arrival-size_differs").ClickAsync();
        await Expect(page.GetByTestId("differs")).ToHaveTextAsync("Size differs: expected 6,354,020 bytes, arrived 3,177,010 bytes, 12 s");
        await Expect(page.GetByTestId("record")).ToHaveCountAsync(1);
        Assert.Empty(await browser.ComplaintsAsync(page, "records"));
        await page.GetByTestId("choose-all").CheckAsync();
        await page.GetByTestId("rerun-selection").ClickAsync();
        await Expect(page.GetByRole(AriaRole.Dialog)).ToContainTextAsync("stays in Cincopa");
        Assert.Empty(await browser.ComplaintsAsync(page, "dialog", "[role=dialog]"));
        await page.GetByRole(AriaRole.Button, new() { Name = "Send again" }).ClickAsync();
        await Expect(page.GetByTestId("outcome")).ToContainTextAsync("1 record will be sent again.");

        await api.FinishedAsync(id, TimeSpan.FromMinutes(2));
        await page.GotoAsync($"imports/{id}/records/2");
        await Expect(page.GetByTestId("record-arrival")).ToContainTextAsync("Expected 6,354,020 bytes; arrived 3,177,010 bytes");
        await Expect(page.GetByText("It stays in Cincopa, and the row was sent again.")).ToBeVisibleAsync();
        Assert.Empty(await browser.ComplaintsAsync(page, "record"));
        Assert.Equal(4, (await cincopa.AssetsAsync()).Count(a => !a.Deleted));
        browser.HasNoErrors();
    }
}
