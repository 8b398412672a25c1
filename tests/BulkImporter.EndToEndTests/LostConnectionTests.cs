using static Microsoft.Playwright.Assertions;

namespace BulkImporter.EndToEndTests;

/// <summary>A page whose server goes away and comes back.</summary>
public sealed class LostConnectionTests : IAsyncLifetime
{
    private readonly Stage stage = new();
    private OperatorBrowser browser = null!;

    public async ValueTask InitializeAsync() => browser = await OperatorBrowser.LaunchAsync();

    public async ValueTask DisposeAsync()
    {
        stage.ShowFailure();
        await browser.DisposeAsync();
        await stage.DisposeAsync();
    }

    [Fact]
    public async Task Quiet_bar_says_so_within_five_seconds_and_the_page_is_alive_again_when_the_server_is()
    {
        var cincopa = await stage.StartSimulatorAsync();
        var (server, api) = await stage.ServeAsync(cincopa, []);
        var page = await browser.OpenAsync(api);
        await page.GotoAsync("/accounts");
        var alive = page.GetByTestId("change-limits");
        await Expect(alive).ToBeEnabledAsync();
        var bar = page.GetByText("Reconnecting. Your import goes on without this page.");
        await Expect(bar).ToBeHiddenAsync();

        await page.Context.SetOfflineAsync(true);
        await Expect(bar).ToBeVisibleAsync(new() { Timeout = 5_000 });
        // It can be read, too.
        Assert.Empty(await browser.ComplaintsAsync(page, "reconnecting", ".reconnecting"));
        await page.Context.SetOfflineAsync(false);
        await Expect(bar).ToBeHiddenAsync();

        server.Kill();
        await Expect(bar).ToBeVisibleAsync(new() { Timeout = 5_000 });
        await Expect(page.Locator("dialog, [role=dialog]")).ToHaveCountAsync(0);
        await stage.ServeAsync(cincopa, [], api.Address);
        await Expect(bar).ToBeHiddenAsync();
        await alive.ClickAsync();
        await Expect(page.GetByTestId("limits-form")).ToBeVisibleAsync();
    }
}
